"""Reading tables for checks: only the columns that are needed, in parts that fit in memory.

What belongs here: which rows of a table a check reads. Not here: what it asks of them. A part holds whole partitions, so that a
grain can be judged within it; a partition too large for one part is cut by a hash of its key, which keeps equal keys together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl

from assets.stores.control import Partition
from assets.stores.warehouse import Warehouse
from checks.breaches import to_frame
from checks.table_schema import TableSchema

PART_ROWS = 1_000_000
PART_PARTITIONS = 400
_DIGITS = "0123456789abcdef"


@dataclass(frozen=True)
class Scope:
    """Which rows `said` are judged, as a condition with what it binds."""

    condition: str
    bound: tuple[Any, ...]


@dataclass(frozen=True)
class Part:
    """Rows of some partitions; with a bucket, those whose hashed key begins with one of its digits."""

    partitions: tuple[Partition, ...]
    bucket: str | None = None


def as_day(value: Any) -> date:
    """Give a date column's value as a date, also where the warehouse returns a timestamp."""
    day: date = value.date() if isinstance(value, datetime) else value
    return day


def in_run(alias: str) -> str:
    """Condition that a row's partition is in the scope of the run whose id is bound."""
    return (f"({alias}.facility_id, {alias}.batch_date) in "
            "(select run_scope.facility_id, run_scope.batch_date from LAKE.control.run_scope run_scope where run_scope.run_id = ?)")


def rows_by_partition(warehouse: Warehouse, assets: Sequence[str], run_id: str) -> dict[str, dict[Partition, int]]:
    """Count each table's rows in the partitions of the run, by one statement; partitions without rows are left out."""
    counted: dict[str, dict[Partition, int]] = {asset: {} for asset in assets}
    if not assets:
        return counted
    query = " union all ".join(
        f"select '{asset}' as asset, said.facility_id, said.batch_date, count(*) as n from LAKE.{asset} said "
        f"where {in_run('said')} group by said.facility_id, said.batch_date" for asset in assets
    )
    for row in warehouse.query(query, [run_id] * len(assets)).to_pylist():
        counted[row["asset"]][row["facility_id"], as_day(row["batch_date"])] = int(row["n"])
    return counted


def empty_frame(warehouse: Warehouse, asset: str) -> pl.DataFrame:
    """Give all columns of a table with their types, without rows."""
    table = warehouse.query(f"select * from LAKE.{asset} where 1 = 0")
    return to_frame(table.rename_columns([name.lower() for name in table.column_names]))


def run_scope(run_id: str) -> Scope:
    """Give the rows of a run's partitions."""
    return Scope(in_run("said"), (run_id,))


def frames(warehouse: Warehouse, table: TableSchema, columns: Sequence[str], totals: Mapping[Partition, int],
           scope: Scope) -> Iterator[pl.DataFrame]:
    """Read `columns` of the rows in scope, whose number by partition `totals` tells: at once, or part by part where they are many."""
    listed = ", ".join(f"said.{column}" for column in columns)
    # A condition that names every partition costs more to bind than a small table to read.
    cuts = [scope] if sum(totals.values()) <= PART_ROWS else (_scope_of(table, part) for part in parts(totals))
    for cut in cuts:
        rows = warehouse.query(f"select {listed} from LAKE.{table.asset} said where {cut.condition}", cut.bound)
        yield to_frame(rows.rename_columns(list(columns)))


def filled_columns(warehouse: Warehouse, table: TableSchema, columns: Sequence[str], scope: Scope) -> frozenset[str]:
    """Name those of `columns` that no row in scope leaves empty: counted by one statement, without reading a value."""
    if not columns:
        return frozenset()
    counts = ", ".join(f"count(*) - count(said.{column})" for column in columns)
    answer = warehouse.query(f"select {counts} from LAKE.{table.asset} said where {scope.condition}", scope.bound)
    return frozenset(column for column, empty in zip(columns, answer.columns, strict=True) if not empty[0].as_py())


def parts(totals: Mapping[Partition, int]) -> Iterator[Part]:
    """Cut partitions, given their rows, into parts of about `PART_ROWS` rows; a sixteenth of a very large partition may be larger.

    A large partition is read once for each of its parts, so it has no more of them than it needs.
    """
    group: list[Partition] = []
    size = 0
    for partition in sorted(totals, key=lambda one: (one[1], one[0])):
        rows = totals[partition]
        if rows > PART_ROWS:
            digits = max(1, len(_DIGITS) // -(-rows // PART_ROWS))
            yield from (Part((partition,), _DIGITS[first:first + digits]) for first in range(0, len(_DIGITS), digits))
            continue
        if group and (size + rows > PART_ROWS or len(group) == PART_PARTITIONS):
            yield Part(tuple(group))
            group, size = [], 0
        group.append(partition)
        size += rows
    if group:
        yield Part(tuple(group))


def _scope_of(table: TableSchema, part: Part) -> Scope:
    by_day: dict[date, list[str]] = {}
    for facility_id, day in part.partitions:
        by_day.setdefault(day, []).append(facility_id)
    bound: list[Any] = []
    terms = []
    for day, facilities in by_day.items():
        terms.append(f"(said.{table.date_column} = ? and said.facility_id in ({', '.join('?' * len(facilities))}))")
        bound += [day, *facilities]
    condition = "(" + " or ".join(terms) + ")"
    if part.bucket is not None:
        condition += (f" and substr(md5(coalesce(cast(said.{table.grain[0]} as varchar), '')), 1, 1) "
                      f"in ({', '.join('?' * len(part.bucket))})")
        bound += part.bucket
    return Scope(condition, tuple(bound))
