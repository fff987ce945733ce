"""Holds: which partitions are kept out of what is published, why, and what a person decided about it.

A partition is held while it has a cause in `control.held_partition` that is not released. A cause is a failing blocking check on an
asset, or a decision by hand. Each change of a partition's state is put into the change log for every consumer, so that current
tables, outcomes, identity and marts look again. Not here: how verdicts are reached (`gate`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import pyarrow as pa

from assets.stores.control import Partition
from assets.stores.warehouse import Warehouse
from checks.reading import as_day
from transforms.errors import ConfigurationError

BY_HAND = ("partition", "by_hand")
"""Asset and reason of a hold that a person ordered; no check releases it."""

Cause = tuple[str, str]
Causes = dict[Cause, bool]
"""Cause (asset, reason) -> whether it is released."""


@dataclass(frozen=True)
class Decision:
    """What a person decided about a partition, for the audit log. `reason` is their own text: it goes into the erasable detail only."""

    kind: str
    facility_id: str
    batch_date: date
    causes: tuple[Cause, ...]
    actor: str
    reason: str = field(repr=False)
    run_id: str = ""


def release(warehouse: Warehouse, run_id: str, run_seq: int, facility_id: str, batch_date: date, reason: str, actor: str) -> Decision:
    """Publish a held partition although its checks fail.

    The release covers the causes of this moment. It holds while the same checks fail with no more rows than then; another failing
    check, or more failing rows, hold the partition again (`gate.apply_gate`). Raises ConfigurationError where it is not held.
    """
    partition = (facility_id, as_day(batch_date))
    with warehouse.transaction():
        causes = held_causes(warehouse).get(partition, {})
        if not is_held(causes):
            raise ConfigurationError(f"{facility_id}, {partition[1]}: this partition is not held. Remedy: see `lakehouse status`.")
        covered = tuple(sorted(cause for cause, is_released in causes.items() if not is_released))
        replace_causes(warehouse, run_id, {partition: causes}, {partition: dict.fromkeys(causes, True)})
        log_changed_holds(warehouse, run_seq, [partition])
    return Decision("hold.release", facility_id, partition[1], covered, actor, reason, run_id)


def hold(warehouse: Warehouse, run_id: str, run_seq: int, facility_id: str, batch_date: date, reason: str, actor: str) -> Decision:
    """Keep a partition out of what is published by a person's order; only `release` ends it. Repeating it changes nothing."""
    partition = (facility_id, as_day(batch_date))
    with warehouse.transaction():
        before = held_causes(warehouse).get(partition, {})
        after = {**before, BY_HAND: False}
        replace_causes(warehouse, run_id, {partition: before}, {partition: after})
        if not is_held(before):
            log_changed_holds(warehouse, run_seq, [partition])
    return Decision("hold.put", facility_id, partition[1], (BY_HAND,), actor, reason, run_id)


def is_held(causes: Mapping[Cause, bool]) -> bool:
    """Whether any cause is not released."""
    return not all(causes.values())


def held_causes(warehouse: Warehouse) -> dict[Partition, Causes]:
    """Give all partitions that have causes, released or not."""
    found: dict[Partition, Causes] = {}
    for row in warehouse.query("select facility_id, batch_date, asset, reason, is_released from LAKE.control.held_partition").to_pylist():
        found.setdefault((row["facility_id"], as_day(row["batch_date"])), {})[row["asset"], row["reason"]] = bool(row["is_released"])
    return found


def replace_causes(warehouse: Warehouse, run_id: str, before: Mapping[Partition, Causes], after: Mapping[Partition, Causes]) -> None:
    """Write the causes that differ; equal ones keep the run that found them. Runs inside the caller's transaction."""
    fresh: list[tuple[Partition, Cause, bool]] = []
    for partition in sorted({*before, *after}):
        was, becomes = before.get(partition, {}), after.get(partition, {})
        for asset, reason in sorted({*was, *becomes}):
            cause = (asset, reason)
            if cause in was and was[cause] == becomes.get(cause):
                continue
            if cause in was:
                warehouse.execute(
                    "delete from LAKE.control.held_partition where facility_id = ? and batch_date = ? and asset = ? and reason = ?",
                    [*partition, *cause],
                )
            if cause in becomes:
                fresh.append((partition, cause, becomes[cause]))
    if fresh:
        warehouse.load("control.held_partition", pa.table({
            "facility_id": pa.array([partition[0] for partition, _, _ in fresh], pa.string()),
            "batch_date": pa.array([partition[1] for partition, _, _ in fresh], pa.date32()),
            "asset": pa.array([cause[0] for _, cause, _ in fresh], pa.string()),
            "reason": pa.array([cause[1] for _, cause, _ in fresh], pa.string()),
            "run_id": pa.array([run_id] * len(fresh), pa.string()),
            "is_released": pa.array([is_released for _, _, is_released in fresh], pa.bool_()),
        }))


def log_changed_holds(warehouse: Warehouse, run_seq: int, partitions: Collection[Partition],
                      resources: Sequence[str] | None = None) -> None:
    """Put all that the partitions say into the change log, as if it had just come or gone. Runs inside the caller's transaction.

    `resources` are those with a version table; without it they are looked up. A warehouse without any has nothing to say yet.
    """
    chosen = version_resources(warehouse) if resources is None else resources
    if not partitions or not chosen:
        return
    objects = [(f"{resource}_version", f"canonical.{resource}_version", "fact_key") for resource in chosen]
    for day in sorted({day for _, day in partitions}):
        facilities = sorted(facility for facility, one in partitions if one == day)
        marks = ", ".join("?" * len(facilities))
        for name, table, key in [*objects, ("unit", "canonical.unit", "content_hash")]:
            warehouse.execute(
                "insert into LAKE.control.change_log (run_seq, object, fact_key, facility_id, batch_date) "
                f"select distinct cast(? as bigint), '{name}', said.{key}, said.facility_id, said.batch_date from LAKE.{table} said "
                f"where said.batch_date = ? and said.facility_id in ({marks})",
                [run_seq, day, *facilities],
            )


def version_resources(warehouse: Warehouse) -> list[str]:
    """Give the resources whose version table exists."""
    rows = warehouse.query(
        "select table_name from information_schema.tables where table_catalog = 'LAKE' and lower(table_schema) = 'canonical'"
    ).to_pylist()
    names = sorted(str(row["table_name"]).lower() for row in rows)
    return [name.removesuffix("_version") for name in names if name.endswith("_version")]
