"""Verdict `drift`: how far a partition's empty columns and codes lie from the facility's own last four weeks.

Never blocking: the past grows with every run, so a blocking verdict would depend on the order in which partitions are processed.
Whole sets in SQL give counts by partition and code; codes stay inside, descriptions name columns and counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from assets.stores.control import Partition
from assets.stores.warehouse import Warehouse
from checks.reading import as_day
from checks.shares import ENOUGH_ROWS, NULL_LIMITS
from checks.verdict import DRIFT, Verdict, words

HISTORY_DAYS = 28
# Half the sum of the absolute differences of shares: 0 same, 1 nothing in common.
FAR = 0.35
# Coded columns whose mix tells a broken mapping; empty counts as a code of its own.
CODED: Mapping[str, tuple[str, ...]] = {
    "patient": ("gender", "marital_status_code"), "encounter": ("class_code", "status", "status_event"),
    "condition": ("code_system", "verification_status"), "procedure": ("code_system", "status"),
    "observation": ("code_system", "status", "value_quantity_unit"), "diagnostic_report": ("code_system", "status"),
    "service_request": ("code_system", "status", "priority"),
}
Mix = Counter[str | None]


def judge_drift(warehouse: Warehouse, run_id: str, resource: str, totals: Mapping[Partition, int]) -> Iterator[Verdict]:
    """Judge the version rows of one resource; a verdict for each partition of `totals` (its rows) with enough rows and enough past."""
    partitions = [partition for partition, rows in totals.items() if rows >= ENOUGH_ROWS]
    coded = CODED.get(resource, ())
    filled = (limit.columns[0] for limit in NULL_LIMITS.get(resource, ()) if len(limit.columns) == 1)
    columns = tuple(dict.fromkeys([*coded, *filled]))
    if not columns or not partitions:
        return
    # Of columns without a code set only empty against filled is counted: their values are no codes.
    shown = {
        column: f"said.{column}" if column in coded else f"case when said.{column} is not null then 'filled' end" for column in columns
    }
    mixes = _mixes(warehouse, run_id, resource, shown, [day for _, day in partitions])
    for partition in sorted(partitions):
        yield from _verdict(f"canonical.{resource}_version", partition, mixes)


def _mixes(warehouse: Warehouse, run_id: str, resource: str, shown: Mapping[str, str],
           days: Sequence[date]) -> dict[str, dict[Partition, Mix]]:
    """Count the codes of each column (column -> SQL) by partition, from the earliest past to the newest day, by one statement."""
    query = " union all ".join(
        f"select '{column}' as name, said.facility_id, said.batch_date, {code} as code, count(*) as n from said "
        f"group by said.facility_id, said.batch_date, {code}" for column, code in shown.items()
    )
    read = ", ".join(f"said.{column}" for column in shown)
    rows = warehouse.query(
        f"with said as (select said.facility_id, said.batch_date, {read} from LAKE.canonical.{resource}_version said "
        "where said.batch_date >= ? and said.batch_date <= ? and said.is_deleted = false and coalesce(said.maintains, 1) = 1 "
        f"and said.facility_id in (select run_scope.facility_id from LAKE.control.run_scope run_scope where run_scope.run_id = ?)) {query}",
        [min(days) - timedelta(days=HISTORY_DAYS), max(days), run_id],
    )
    mixes: dict[str, dict[Partition, Mix]] = {column: {} for column in shown}
    for row in rows.to_pylist():
        mixes[row["name"]].setdefault((row["facility_id"], as_day(row["batch_date"])), Counter())[row["code"]] += int(row["n"])
    return mixes


def _verdict(asset: str, partition: Partition, mixes: Mapping[str, Mapping[Partition, Mix]]) -> Iterator[Verdict]:
    far: list[tuple[float, str]] = []
    total = judged = 0
    for column, by_partition in mixes.items():
        here, past = by_partition.get(partition, Counter()), _past(partition, by_partition)
        total = max(total, here.total())
        if here.total() < ENOUGH_ROWS or past.total() < ENOUGH_ROWS:
            continue
        judged += 1
        distance = distance_of(here, past)
        if distance > FAR:
            far.append((distance, column))
    if not judged:
        return
    reasons = [f"{column} differs in {distance:.0%} of rows" for distance, column in sorted(far, reverse=True)]
    failed = round(max((distance for distance, _ in far), default=0.0) * total)
    yield Verdict(asset, DRIFT, *partition, False, not far, failed, total, words(DRIFT, failed, total, reasons))


def _past(partition: Partition, by_partition: Mapping[Partition, Mix]) -> Mix:
    facility_id, day = partition
    past: Mix = Counter()
    for earlier in _days_before(day):
        past.update(by_partition.get((facility_id, earlier), {}))
    return past


def _days_before(day: date) -> Sequence[date]:
    return [day - timedelta(days=back) for back in range(1, HISTORY_DAYS + 1)]


def distance_of(here: Mapping[Any, int], past: Mapping[Any, int]) -> float:
    """Total variation distance of two mixes: the share of rows that would have to change for the mixes to be equal."""
    n_here, n_past = sum(here.values()), sum(past.values())
    return sum(abs(here.get(code, 0) / n_here - past.get(code, 0) / n_past) for code in {*here, *past}) / 2
