"""The nightly schedule: yesterday's batch of every facility, in one run."""

from datetime import timedelta

import dagster as dg

from assets.partitions import to_key
from assets.root import Root
from orchestration.jobs import AssetJob
from orchestration.run_requests import range_tags


def build_nightly(job: AssetJob, root: Root) -> dg.ScheduleDefinition:
    """Build the schedule. It runs after the extraction windows close; late arrivals are the sensor's."""

    @dg.schedule(job=job, cron_schedule="30 5 * * *", name="nightly", execution_timezone="America/New_York",
                 description="Yesterday's batch date, all facilities, one run.")
    def nightly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        day = (context.scheduled_execution_time - timedelta(days=1)).date()
        facilities = list(root.registry.facility_ids)
        first, last = to_key((facilities[0], day)), to_key((facilities[-1], day))
        return dg.RunRequest(run_key=f"nightly-{day.isoformat()}", tags=range_tags(first, last))

    return nightly
