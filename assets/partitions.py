"""The one partitions definition: facility x batch date."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg

from assets.stores.control import Partition
from transforms.facilities.registry import Registry

FACILITY, DATE = "facility", "date"


class FacilityDates(dg.MultiPartitionsDefinition):
    """Facility x batch date, whose keys are listed once a day.

    Dagster lists all keys, 43,800 for 120 facilities and a year, for each asset that the unpartitioned checks read: 1.7 s each, kept only
    for equal times, to the microsecond. The keys change at midnight UTC.
    """

    def get_partition_keys(self, current_time: datetime | None = None,
                           dynamic_partitions_store: Any = None) -> Sequence[dg.MultiPartitionKey]:
        """List the keys as of the start of the day."""
        moment = current_time or datetime.now(UTC)
        day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        return super().get_partition_keys(day, dynamic_partitions_store)


def build_partitions(registry: Registry) -> FacilityDates:
    """Build the partitions of every asset: the registry's facilities by the days since its first batch date, today included."""
    return FacilityDates({
        DATE: dg.DailyPartitionsDefinition(start_date=registry.first_batch_date.isoformat(), end_offset=1),
        FACILITY: dg.StaticPartitionsDefinition(list(registry.facility_ids)),
    })


def to_partition(key: str) -> Partition:
    """Read a Dagster partition key (`2026-01-05|riverside`)."""
    day, facility_id = key.split("|", 1)
    return facility_id, date.fromisoformat(day)


def to_key(partition: Partition) -> str:
    """Write a partition as a Dagster key."""
    facility_id, day = partition
    return f"{day.isoformat()}|{facility_id}"


def run_partitions(keys: Iterable[str]) -> list[Partition]:
    """Give the partitions of a run in a fixed order."""
    return sorted(to_partition(str(key)) for key in keys)
