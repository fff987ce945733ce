"""The one partitions definition: facility x batch date."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import dagster as dg

from assets.stores.control import Partition
from transforms.facilities.registry import Registry

FACILITY, DATE = "facility", "date"


def build_partitions(registry: Registry) -> dg.MultiPartitionsDefinition:
    """Build the partitions of every asset: the registry's facilities by the days since its first batch date, today included."""
    return dg.MultiPartitionsDefinition({
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
