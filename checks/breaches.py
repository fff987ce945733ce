"""Breaches of a table's promise, counted by partition.

What belongs here: running a Pandera schema over one frame and turning its errors into counts. Pandera's error text and failure
cases can show values: neither is read, kept or chained. Pandera asks a frame anew for each column, twice; so one query over all columns
asks first which of them have a broken row at all, by the same expressions, and Pandera counts those: mostly none.
Not here: reading tables (`reading`), judging counts (`table_verdicts`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from functools import reduce
from operator import or_
from typing import Any

import polars as pl
import polars.selectors as cs
import pyarrow as pa

from assets.stores.control import Partition
from checks.table_schema import EMPTY_WORDS, GRAIN_WORDS, Severity, TableSchema, column_in_order, row_schema, rules_over, shape_schema

Phrase = tuple[Severity, str]


@dataclass
class Breaches:
    """Counts of one table by partition: the rows of each phrase, those of each severity, and those that are broken (more than
    implausible) in any way.
    """

    by_phrase: dict[Partition, Counter[Phrase]] = field(default_factory=dict)
    rows: dict[Partition, Counter[Severity]] = field(default_factory=dict)
    broken: Counter[Partition] = field(default_factory=Counter)

    def add(self, other: Breaches) -> None:
        """Add the counts of another part of the table."""
        for partition, counted in other.by_phrase.items():
            self.by_phrase.setdefault(partition, Counter()).update(counted)
        for partition, rows in other.rows.items():
            self.rows.setdefault(partition, Counter()).update(rows)
        self.broken.update(other.broken)


def to_frame(table: pa.Table) -> pl.DataFrame:
    """Give an Arrow result one type for each kind, whatever widths the warehouse chose."""
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame.with_columns(
        cs.integer().cast(pl.Int64), cs.float().cast(pl.Float64), cs.decimal().cast(pl.Float64),
        cs.datetime(time_zone=None).cast(pl.Datetime("us")),
    )


def shape_breaches(table: TableSchema, empty: pl.DataFrame) -> dict[str, str]:
    """Give the promised columns that are missing or of another type, each with its words. Takes a frame without rows."""
    if all(empty.schema.get(column.name) == column.form.dtype for column in table.columns):
        return {}

    def phrase(error: Any) -> tuple[str, str]:
        if error.reason_code.name == "COLUMN_NOT_IN_DATAFRAME":
            return str(error.failure_cases), "is missing"
        return str(error.schema.name), "is of another type"

    return dict(phrase(error) for error in _errors(shape_schema(table), empty.head(0), "SCHEMA_ONLY"))


def row_breaches(table: TableSchema, frame: pl.DataFrame) -> Breaches:
    """Count the rows of `frame` that break the table's promise, by partition. Columns that the frame lacks are not looked at."""
    found = Breaches()
    broken_columns, broken_rules = _broken(table, frame)
    if not broken_columns and not broken_rules:
        return found
    keys = frame.select("facility_id", table.date_column)
    worst: dict[Severity, pl.Series] = {}
    severities = _severities(table)
    for error in _errors(row_schema(table, broken_columns, broken_rules), frame):
        column = None if error.schema.name == table.asset else str(error.schema.name)
        check = error.check if isinstance(error.check, str) else str(error.check.name)
        words = EMPTY_WORDS if check == "not_nullable" else check
        severity = severities[column, words]
        failing = ~error.check_output["check_output"].fill_null(True)
        worst[severity] = failing | worst[severity] if severity in worst else failing
        for partition, rows in _count(keys, failing).items():
            found.by_phrase.setdefault(partition, Counter())[severity, f"{column} {words}" if column else words] += rows
    for severity, failing in worst.items():
        for partition, rows in _count(keys, failing).items():
            found.rows.setdefault(partition, Counter())[severity] += rows
    broken = [failing for severity, failing in worst.items() if severity > Severity.PLAUSIBLE]
    if broken:
        found.broken.update(_count(keys, reduce(or_, broken)))
    return found


def _broken(table: TableSchema, frame: pl.DataFrame) -> tuple[frozenset[str], frozenset[str]]:
    """Name the columns and, by their words, the row rules that some row breaks: one query for all of them."""
    tests = {("column", column.name): column_in_order(column) for column in table.columns if column.name in frame.columns}
    tests |= {("rule", words): test() for words, test in rules_over(table, frozenset(frame.columns)).items()}
    named = {f"{number}": test.fill_null(True).all() for number, test in enumerate(tests.values())}
    answers = frame.select(**named).row(0) if named else ()
    broken = [key for key, is_in_order in zip(tests, answers, strict=True) if not is_in_order]
    return (frozenset(name for kind, name in broken if kind == "column"), frozenset(words for kind, words in broken if kind == "rule"))


def _severities(table: TableSchema) -> dict[tuple[str | None, str], Severity]:
    known: dict[tuple[str | None, str], Severity] = {}
    for column in table.columns:
        known[column.name, EMPTY_WORDS] = Severity.STRUCTURE
        known[column.name, column.form.words] = column.severity
    for rule in table.rules:
        known[None, rule.words] = rule.severity
    known[None, GRAIN_WORDS] = Severity.STRUCTURE
    return known


def _errors(schema: Any, frame: pl.DataFrame, depth: str = "SCHEMA_AND_DATA") -> list[Any]:
    from pandera.config import config_context
    from pandera.errors import SchemaErrors

    # Pandera can be switched off by the environment: a gate that an unset variable opens would be none.
    with config_context(validation_enabled=True, validation_depth=depth):
        try:
            schema.validate(frame, lazy=True)
        except SchemaErrors as errors:
            return list(errors.schema_errors)
    return []


def _count(keys: pl.DataFrame, failing: pl.Series) -> dict[Partition, int]:
    counted = keys.filter(failing).group_by(keys.columns).len()
    rows: list[tuple[str, date, int]] = counted.rows()
    return {(facility, day): count for facility, day, count in rows}
