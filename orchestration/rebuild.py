"""Job `rebuild_slices`: builds a facility's mart slices anew for a range of service dates, whatever batch they came from.

For when a mart's own SQL or its promise changed, or a slice is stale: the slices are put on the work list as touched by nobody's
batch, then the marts take their usual step. Launched from the Dagster UI's launchpad.
"""

# no `from __future__ import annotations`: Dagster reads annotations where it decorates

from datetime import date, timedelta

import dagster as dg
import pyarrow as pa
from pydantic import Field

from assets.accounts import project_slices
from assets.models import ModelGroup
from assets.root import Root
from assets.session import Session
from checks.schemas import MART_TABLES
from transforms.errors import ConfigurationError
from transforms.governance.events import Event

MOST_DAYS = 3660


class SlicesToRebuild(dg.Config):
    """Which slices are rebuilt, in every mart."""

    facility_id: str = Field(description="Facility, as the registry names it.")
    service_date_from: str = Field(description="First service date (YYYY-MM-DD).")
    service_date_to: str = Field(description="Last service date (YYYY-MM-DD).")


def build_rebuild_job(marts: ModelGroup, root: Root) -> dg.JobDefinition:
    """Build the job over the group of marts."""

    @dg.op(required_resource_keys={"session"}, pool="warehouse", description="Puts the slices on the work list and takes the marts' step.")
    def rebuild(context: dg.OpExecutionContext, config: SlicesToRebuild) -> None:
        days = service_dates(root, config)
        session: Session = context.resources.session
        run = session.step("rebuild", [])
        with session.root.catalog() as catalog:
            catalog.append([Event("backfill.start", f"slices|{config.facility_id}", {
                "selection": sorted(MART_TABLES), "facilities": [config.facility_id], "dates": [days[0].isoformat(), days[-1].isoformat()],
            }, run_id=run.run_id)])
        with session.root.warehouse.open() as warehouse:
            warehouse.load("control.touched_slice", touches(config.facility_id, days, run.run_seq))
        states = marts.build(session, run, marts.nodes)
        project_slices(session.root, run)
        session.finished("rebuild")
        context.log.info(f"Rebuilt {len(days)} service dates of {config.facility_id} in {len(states)} marts.")

    @dg.job(description="Rebuilds a facility's slices in every mart, for a range of service dates.")
    def rebuild_slices() -> None:
        rebuild()

    return rebuild_slices


def service_dates(root: Root, config: SlicesToRebuild) -> list[date]:
    """Give the range's days. Raises ConfigurationError on an unknown facility, a word that is no date, or a range that cannot be."""
    if config.facility_id not in root.registry.facility_ids:
        raise ConfigurationError(f"Unknown facility {config.facility_id!r}. Remedy: one of {', '.join(root.registry.facility_ids[:8])}.")
    try:
        first, last = date.fromisoformat(config.service_date_from), date.fromisoformat(config.service_date_to)
    except ValueError:
        raise ConfigurationError("service_date_from and service_date_to: not dates. Remedy: YYYY-MM-DD.") from None
    if not 0 <= (last - first).days < MOST_DAYS:
        raise ConfigurationError(f"{first} to {last}: no range of 1 to {MOST_DAYS:,} days. Remedy: the earlier date first.")
    return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]


def touches(facility_id: str, days: list[date], run_seq: int) -> pa.Table:
    """Give rows of `control.touched_slice`: every day in every mart, touched by no batch."""
    pairs = [(asset.split(".")[1], day) for asset in sorted(MART_TABLES) for day in days]
    count = len(pairs)
    return pa.table({
        "mart": pa.array([mart for mart, _ in pairs], pa.string()), "facility_id": pa.array([facility_id] * count, pa.string()),
        "service_date": pa.array([day for _, day in pairs], pa.date32()), "by_facility_id": pa.nulls(count, pa.string()),
        "by_batch_date": pa.nulls(count, pa.date32()), "run_seq": pa.array([run_seq] * count, pa.int64()),
    })
