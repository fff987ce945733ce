"""Freshness by facility as a Dagster check: which feeds are overdue by their own facility's window.

Arrivals are read from the catalog, where landing writes them. The check has a job and an hourly schedule of its own: the pipeline runs
when something arrives, and silence is when nothing does.
"""

# no `from __future__ import annotations`: Dagster reads annotations where it decorates

from datetime import UTC, datetime

import dagster as dg

from assets.root import Root
from checks.asset_checks import silence_result, silence_spec
from orchestration.jobs import AssetJob
from orchestration.status import newest_arrivals, overdue_feeds

FRESHNESS = "freshness"


def build_freshness_check(root: Root) -> dg.AssetChecksDefinition:
    """Build the check on the deliveries: it warns, naming the overdue feeds by facility."""

    @dg.multi_asset_check(name="silence", specs=[silence_spec()])
    def silence(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        now = datetime.now(UTC)
        return silence_result(root.registry, newest_arrivals(root), overdue_feeds(root, now), now)

    return silence


def build_freshness_job() -> AssetJob:
    """Build the job that looks at freshness alone; it writes nothing and waits for no lock."""
    return dg.define_asset_job(FRESHNESS, selection=dg.AssetSelection.checks(silence_spec().key),
                               description="Which feeds are overdue, by facility. Reads the catalog only.")


def build_freshness_schedule(job: AssetJob) -> dg.ScheduleDefinition:
    """Build the hourly look; a quarter past, so that a window that ends on the hour has its grace."""
    return dg.ScheduleDefinition(job=job, cron_schedule="15 * * * *", name="freshness_hourly", description="Looks for silent feeds.")
