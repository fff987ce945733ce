"""The nightly schedule: yesterday's batch of every facility in one run, and what earlier runs left unfinished."""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg

from assets.partitions import to_key
from assets.root import Root
from orchestration.jobs import AssetJob
from orchestration.run_requests import range_tags, rectangles
from orchestration.unfinished import unfinished_partitions


def build_nightly(job: AssetJob, root: Root) -> dg.ScheduleDefinition:
    """Build the schedule. It runs after the extraction windows close; late arrivals are the sensor's, failed runs are asked for again."""

    @dg.schedule(job=job, cron_schedule="30 5 * * *", name="nightly", execution_timezone="America/New_York",
                 description="Yesterday's batch date, all facilities, one run; besides, landed partitions that no run has finished.")
    def nightly(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
        night = context.scheduled_execution_time.date()
        day = night - timedelta(days=1)
        facilities = list(root.registry.facility_ids)
        if day >= root.registry.first_batch_date:
            first, last = to_key((facilities[0], day)), to_key((facilities[-1], day))
            yield dg.RunRequest(run_key=f"nightly-{day.isoformat()}", tags=range_tags(first, last))
        left = [(facility_id, batch_date) for facility_id, batch_date in unfinished_partitions(root) if batch_date != day]
        for first, last in rectangles(left, facilities):
            yield dg.RunRequest(run_key=f"unfinished-{night.isoformat()}:{first}:{last}", tags=range_tags(first, last))

    return nightly
