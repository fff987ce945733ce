"""The gate between version and current tables: what is judged, and what follows from a failing blocking verdict.

A partition with a failing blocking verdict is held: current tables, outcomes, identity and marts read only what is not held, so its
neighbours publish and the last good state stays. What belongs here: the order of judging and the one transaction that writes verdicts
and holds. Not here: the checks themselves, decisions by people (`hold`).

A release by a steward covers the checks that failed when it was made. It stands while the same checks fail with no more rows than at
the last judgement. Another failing check, or more failing rows, hold the partition again; a check that passes ends its release.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from assets.stores.control import Partition
from assets.stores.crash_points import reach
from assets.stores.warehouse import Warehouse, existing_tables
from checks.contract import column_changes, judge_contract
from checks.drift import judge_drift
from checks.hold import BY_HAND, Cause, Causes, held_causes, hold, is_held, log_changed_holds, release, replace_causes
from checks.new_codes import judge_new_codes
from checks.reading import as_day, in_run, rows_by_partition, run_scope
from checks.reconciliation import judge_raw_completeness, judge_raw_references
from checks.references import judge_references
from checks.schemas import CURRENT_TABLES, RAW_TABLES, RESOURCES, VERSION_TABLES
from checks.shares import judge_null_rates
from checks.table_schema import TableSchema
from checks.table_verdicts import judge_table
from checks.verdict import Verdict, in_order

__all__ = ["GateResult", "apply_gate", "hold", "judge", "judge_current", "release", "write_verdicts"]


@dataclass(frozen=True)
class GateResult:
    """What the gate decided: partitions held now with their unreleased causes, and those whose state changed by it."""

    held: Mapping[Partition, tuple[Cause, ...]]
    newly_held: tuple[Partition, ...]
    newly_published: tuple[Partition, ...]


def judge(warehouse: Warehouse, run_id: str, partitions: Collection[Partition]) -> list[Verdict]:
    """Judge raw and version rows of the run's partitions (they must be in the run's scope).

    A table gets a verdict for a partition where it has rows, or had one before; completeness is judged for every partition.
    """
    wanted = frozenset(partitions)
    tables = existing_tables(warehouse)
    raw = [schema for asset, schema in RAW_TABLES.items() if asset in tables]
    versions = [schema for asset, schema in VERSION_TABLES.items() if asset in tables]
    counted = _counted(warehouse, run_id, [*raw, *versions], wanted)
    verdicts = list(_judge_tables(warehouse, run_id, [*raw, *versions], counted, may_block=True))
    if {"raw.raw_unit", "raw.raw_delivery"} <= tables:
        verdicts += judge_raw_completeness(warehouse, run_id, wanted)
        records = [schema.asset for schema in raw if schema.grain == ("record_id",)]
        verdicts += judge_raw_references(warehouse, run_id, records, wanted)
    verdicts += judge_contract(column_changes(warehouse, run_id, wanted))
    for resource in RESOURCES:
        if f"canonical.{resource}_version" in tables:
            verdicts += judge_references(warehouse, run_id, resource, tables, wanted)
            verdicts += judge_null_rates(warehouse, run_id, resource, wanted)
            verdicts += judge_drift(warehouse, run_id, resource, counted[f"canonical.{resource}_version"])
            verdicts += judge_new_codes(warehouse, run_id, resource, counted[f"canonical.{resource}_version"])
    return in_order([*verdicts, *_emptied(warehouse, run_id, verdicts, wanted, {*RAW_TABLES, *VERSION_TABLES})])


def judge_current(warehouse: Warehouse, run_id: str, partitions: Collection[Partition]) -> list[Verdict]:
    """Judge the current rows that the run's partitions gave, after the gate: never blocking."""
    tables = existing_tables(warehouse)
    wanted = frozenset(partitions)
    schemas = [schema for asset, schema in CURRENT_TABLES.items() if asset in tables]
    counted = _counted(warehouse, run_id, schemas, wanted)
    verdicts = list(_judge_tables(warehouse, run_id, schemas, counted, may_block=False))
    return in_order([*verdicts, *_emptied(warehouse, run_id, verdicts, wanted, set(CURRENT_TABLES))])


def apply_gate(warehouse: Warehouse, run_id: str, run_seq: int, verdicts: Sequence[Verdict],
               resources: Sequence[str] | None = None) -> GateResult:
    """Write verdicts, hold and un-hold partitions, and tell every consumer, in one transaction.

    Verdicts replace those of the same asset, check and partition. `resources` are those with a version table (default: all found).
    """
    judged = {(one.partition, (one.asset, one.check_name)) for one in verdicts}
    with warehouse.transaction():
        before = held_causes(warehouse)
        accepted = _failed_before(warehouse, before)
        after = {partition: _still(causes, partition, judged) for partition, causes in before.items()}
        for one in verdicts:
            if one.holds:
                cause = (one.asset, one.check_name)
                was_released = before.get(one.partition, {}).get(cause, False)
                covers = was_released and one.failed_rows <= accepted.get((one.partition, cause), 0)
                after.setdefault(one.partition, {})[cause] = covers
        write_verdicts(warehouse, run_id, verdicts)
        replace_causes(warehouse, run_id, before, after)
        states = {partition: (is_held(before.get(partition, {})), is_held(causes)) for partition, causes in after.items()}
        newly_held = tuple(sorted(partition for partition, state in states.items() if state == (False, True)))
        newly_published = tuple(sorted(partition for partition, state in states.items() if state == (True, False)))
        log_changed_holds(warehouse, run_seq, [*newly_held, *newly_published], resources)
        reach("gate.deciding")
    held = {
        partition: tuple(sorted(cause for cause, is_released in causes.items() if not is_released))
        for partition, causes in sorted(after.items()) if is_held(causes)
    }
    return GateResult(held, newly_held, newly_published)


def write_verdicts(warehouse: Warehouse, run_id: str, verdicts: Sequence[Verdict]) -> None:
    """Replace the verdicts of the same asset, check and partition. Runs inside the caller's transaction."""
    checks: dict[Partition, set[str]] = {}
    for one in verdicts:
        checks.setdefault(one.partition, set()).add(f"{one.asset} {one.check_name}")
    # Partitions that got the same checks are cleared by one statement.
    alike: dict[tuple[date, frozenset[str]], list[str]] = {}
    for (facility_id, day), names in checks.items():
        alike.setdefault((day, frozenset(names)), []).append(facility_id)
    for (day, same), facilities in alike.items():
        warehouse.execute(
            f"delete from LAKE.control.verdict where batch_date = ? and facility_id in ({', '.join('?' * len(facilities))}) "
            f"and (asset || ' ' || check_name) in ({', '.join('?' * len(same))})",
            [day, *facilities, *sorted(same)],
        )
    if verdicts:
        warehouse.load("control.verdict", _table(run_id, verdicts))


def _table(run_id: str, verdicts: Sequence[Verdict]) -> pa.Table:
    return pa.table({
        "asset": pa.array([one.asset for one in verdicts], pa.string()),
        "check_name": pa.array([one.check_name for one in verdicts], pa.string()),
        "facility_id": pa.array([one.facility_id for one in verdicts], pa.string()),
        "batch_date": pa.array([one.batch_date for one in verdicts], pa.date32()),
        "is_blocking": pa.array([one.is_blocking for one in verdicts], pa.bool_()),
        "has_passed": pa.array([one.has_passed for one in verdicts], pa.bool_()),
        "failed_rows": pa.array([one.failed_rows for one in verdicts], pa.int64()),
        "total_rows": pa.array([one.total_rows for one in verdicts], pa.int64()),
        "description": pa.array([one.description for one in verdicts], pa.string()),
        "run_id": pa.array([run_id] * len(verdicts), pa.string()),
    })


def _counted(warehouse: Warehouse, run_id: str, schemas: Sequence[TableSchema],
             partitions: frozenset[Partition]) -> dict[str, dict[Partition, int]]:
    return {
        asset: {partition: rows for partition, rows in totals.items() if partition in partitions}
        for asset, totals in rows_by_partition(warehouse, [schema.asset for schema in schemas], run_id).items()
    }


def _judge_tables(warehouse: Warehouse, run_id: str, schemas: Sequence[TableSchema], counted: Mapping[str, Mapping[Partition, int]],
                  may_block: bool) -> Iterator[Verdict]:
    for schema in schemas:
        if counted[schema.asset]:
            yield from judge_table(warehouse, schema, counted[schema.asset], run_scope(run_id), may_block)


def _emptied(warehouse: Warehouse, run_id: str, verdicts: Sequence[Verdict], partitions: frozenset[Partition],
             assets: set[str]) -> Iterator[Verdict]:
    """Pass what was judged before and has no rows any more: a failure must not outlive its rows."""
    given = {(one.asset, one.check_name, one.partition) for one in verdicts}
    for row in warehouse.query(
        f"select verdict.asset, verdict.check_name, verdict.facility_id, verdict.batch_date, verdict.is_blocking "
        f"from LAKE.control.verdict verdict where {in_run('verdict')}", [run_id],
    ).to_pylist():
        partition = (row["facility_id"], as_day(row["batch_date"]))
        if row["asset"] in assets and partition in partitions and (row["asset"], row["check_name"], partition) not in given:
            yield Verdict(row["asset"], row["check_name"], *partition, bool(row["is_blocking"]), True, 0, 0, "Nothing is left to judge.")


def _still(causes: Causes, partition: Partition, judged: set[tuple[Partition, Cause]]) -> Causes:
    """Keep what this judgement says nothing about: orders by hand and checks of other steps."""
    return {cause: is_released for cause, is_released in causes.items() if cause == BY_HAND or (partition, cause) not in judged}


def _failed_before(warehouse: Warehouse, before: Mapping[Partition, Causes]) -> dict[tuple[Partition, Cause], int]:
    """Give the failing rows of the last judgement for each cause that a person released."""
    if not any(any(causes.values()) for causes in before.values()):
        return {}
    return {
        ((row["facility_id"], as_day(row["batch_date"])), (row["asset"], row["check_name"])): int(row["failed_rows"])
        for row in warehouse.query(
            "select verdict.asset, verdict.check_name, verdict.facility_id, verdict.batch_date, verdict.failed_rows "
            "from LAKE.control.verdict verdict join LAKE.control.held_partition held on held.facility_id = verdict.facility_id "
            "and held.batch_date = verdict.batch_date and held.asset = verdict.asset and held.reason = verdict.check_name "
            "where held.is_released = true"
        ).to_pylist()
    }
