"""Verdicts `schema` and `plausibility`: the rows of each table against its promise, one reading of a table for all partitions.

What belongs here: from counts to verdicts. Not here: which tables are judged when (`gate`, `marts`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date

from assets.stores.control import Partition
from assets.stores.warehouse import Warehouse
from checks.breaches import Breaches, Phrase, row_breaches, shape_breaches
from checks.reading import Scope, empty_frame, filled_columns, frames
from checks.table_schema import TOLERATED_SHARE, Severity, TableSchema
from checks.verdict import PLAUSIBILITY, SCHEMA, Verdict, words

# A description names the most frequent breaches; the counts of the rest are in the total.
NAMED_BREACHES = 5
# From so many rows on, reading columns that are only asked to be there costs more than a statement that counts their empty values.
COUNTED_FROM = 20_000


def judge_table(warehouse: Warehouse, table: TableSchema, totals: Mapping[Partition, int], scope: Scope,
                may_block: bool) -> Iterator[Verdict]:
    """Judge one table's rows in scope, for the partitions of `totals` (rows of each; 0 where the table has none)."""
    wrong = shape_breaches(table, empty_frame(warehouse, table.asset))
    found = Breaches()
    columns = [column for column in table.read_columns if column not in wrong]
    if sum(totals.values()) > COUNTED_FROM:
        filled = filled_columns(warehouse, table, [column for column in table.only_required if column not in wrong], scope)
        columns = [column for column in columns if column not in filled]
    if {"facility_id", table.date_column} <= set(columns):
        for frame in frames(warehouse, table, columns, {partition: rows for partition, rows in totals.items() if rows}, scope):
            found.add(row_breaches(table, frame))
    for partition, total in totals.items():
        yield from _verdicts(table, partition, total, wrong, found, may_block)


def _verdicts(table: TableSchema, partition: Partition, total: int, wrong: Mapping[str, str], found: Breaches,
              may_block: bool) -> Iterator[Verdict]:
    rows: Mapping[Severity, int] = found.rows.get(partition, {})
    phrases: Mapping[Phrase, int] = found.by_phrase.get(partition, {})
    failed = total if wrong else found.broken.get(partition, 0)
    reasons = [f"{column} {how}" for column, how in sorted(wrong.items())]
    reasons += _named(phrases, (Severity.STRUCTURE, Severity.VALUE))
    holds = bool(wrong) or rows.get(Severity.STRUCTURE, 0) > 0 or rows.get(Severity.VALUE, 0) > TOLERATED_SHARE * total
    yield _verdict(table.asset, SCHEMA, partition, may_block and (holds or not failed), failed, total, reasons)
    if any(rule.severity is Severity.PLAUSIBLE for rule in table.rules):
        unlikely = rows.get(Severity.PLAUSIBLE, 0)
        yield _verdict(table.asset, PLAUSIBILITY, partition, False, unlikely, total, _named(phrases, (Severity.PLAUSIBLE,)))


def _named(phrases: Mapping[Phrase, int], severities: Collection[Severity]) -> list[str]:
    counted = sorted(((-rows, words) for (severity, words), rows in phrases.items() if severity in severities))
    named = [f"{words} ({-rows:,})" for rows, words in counted[:NAMED_BREACHES]]
    return [*named, f"and {len(counted) - NAMED_BREACHES} more kinds"] if len(counted) > NAMED_BREACHES else named


def _verdict(asset: str, check: str, partition: Partition, is_blocking: bool, failed: int, total: int, reasons: list[str]) -> Verdict:
    facility_id, day = partition
    assert isinstance(day, date)
    return Verdict(asset, check, facility_id, day, is_blocking, not failed, failed, total, words(check, failed, total, reasons))
