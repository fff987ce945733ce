"""What a table promises, as data, and the Pandera schema built from it.

What belongs here: the shape of a promise. Not here: the promises (`raw_tables`, `resources`, `mart_tables`) and how breaches are
counted (`breaches`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cache
from typing import Any

import polars as pl

from checks.forms import Form


class Severity(IntEnum):
    """What a breach means for the partition; the higher is the worse."""

    PLAUSIBLE = 1
    """Possible but unlikely: shown, never holds."""
    VALUE = 2
    """A wrong value: harms its own row. Holds the partition where it is more than `TOLERATED_SHARE` of the rows."""
    STRUCTURE = 3
    """Corrupts what is built on it: one row holds the partition."""


TOLERATED_SHARE = 0.01


@dataclass(frozen=True)
class Column:
    """One column: its form, whether it may be empty."""

    name: str
    form: Form
    required: bool = False

    @property
    def severity(self) -> Severity:
        """How bad a value of another form is."""
        return Severity.STRUCTURE if self.form.is_structural else Severity.VALUE

    @property
    def has_row_check(self) -> bool:
        """Whether its values need to be read at all; type and presence are seen without them."""
        return self.required or self.form.test is not None


@dataclass(frozen=True)
class RowRule:
    """A rule over several columns of one row. `words` say the breach; `test` is null or true where the row is in order."""

    words: str
    columns: tuple[str, ...]
    test: Callable[[], pl.Expr]
    severity: Severity


@dataclass(frozen=True, eq=False)
class TableSchema:
    """A table, named `schema.table`: columns, grain (columns that identify a row), rules. `date_column` dates its partitions."""

    asset: str
    columns: tuple[Column, ...]
    grain: tuple[str, ...]
    rules: tuple[RowRule, ...] = ()
    date_column: str = "batch_date"
    names: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        """Refuse a rule or grain over a column that the table does not promise: it could never fail."""
        object.__setattr__(self, "names", frozenset(column.name for column in self.columns))
        unknown = {name for rule in self.rules for name in rule.columns} | set(self.grain) | {self.date_column, "facility_id"}
        if unknown - self.names:
            raise ValueError(f"{self.asset}: rules speak of columns that are not promised: {sorted(unknown - self.names)}")

    @property
    def read_columns(self) -> tuple[str, ...]:
        """Columns whose values the checks need, in table order."""
        return tuple(column.name for column in self.columns if column.has_row_check or column.name in self._compared)

    @property
    def only_required(self) -> tuple[str, ...]:
        """Columns of `read_columns` of which nothing is asked but that they are not empty: lists and long texts are among them."""
        presence = (column for column in self.columns if column.required and column.form.test is None and not column.form.dtype.is_float())
        return tuple(column.name for column in presence if column.name not in self._compared)

    @property
    def _compared(self) -> frozenset[str]:
        """Columns whose values are compared with others: partition, grain and what rules speak of."""
        return frozenset({"facility_id", self.date_column, *self.grain, *(name for rule in self.rules for name in rule.columns)})


GRAIN_WORDS = "rows share their key"
EMPTY_WORDS = "is empty"


@cache
def shape_schema(table: TableSchema) -> Any:
    """Build the `pandera.polars.DataFrameSchema` of presence and types of all columns, for a frame without rows."""
    import pandera.polars as pa  # takes a second; only who validates pays for it

    return pa.DataFrameSchema({column.name: pa.Column(column.form.dtype, nullable=True) for column in table.columns}, name=table.asset)


def column_in_order(column: Column) -> pl.Expr:
    """Give the test of one column's values: null or true where a value is in order. Not a number is no value, as to Pandera."""
    value = pl.col(column.name)
    tests = [column.form.test(value).fill_null(True)] if column.form.test is not None else []
    if column.required:
        tests.append(value.is_not_null())
        if column.form.dtype.is_float():
            tests.append(value.is_not_nan().fill_null(True))
    return pl.all_horizontal(tests) if tests else pl.lit(True)


def rules_over(table: TableSchema, present: frozenset[str]) -> dict[str, Callable[[], pl.Expr]]:
    """Give the tests of whole rows that need no other columns than `present`, by their words: the rules, and the grain."""
    tests: dict[str, Callable[[], pl.Expr]] = {rule.words: rule.test for rule in table.rules if set(rule.columns) <= present}
    if set(table.grain) <= present:
        tests[GRAIN_WORDS] = lambda: pl.struct(list(table.grain)).is_unique()
    return tests


@cache
def row_schema(table: TableSchema, columns: frozenset[str], rules: frozenset[str]) -> Any:
    """Build the `pandera.polars.DataFrameSchema` of the values of those columns and of those tests of whole rows.

    No check hands out failing values (`n_failure_cases=0`), so that not even Pandera's own error text can hold one.
    """
    import pandera.polars as pa

    def column_check(column: Column) -> list[Any]:
        test = column.form.test
        if test is None:
            return []
        return [pa.Check(lambda data: data.lazyframe.select(test(pl.col(data.key))), name=column.form.words, n_failure_cases=0)]

    def row_check(words: str, test: Callable[[], pl.Expr]) -> Any:
        return pa.Check(lambda data: data.lazyframe.select(test()), name=words, n_failure_cases=0)

    checks = [row_check(words, test) for words, test in rules_over(table, table.names).items() if words in rules]
    promised = {
        column.name: pa.Column(column.form.dtype, column_check(column), nullable=not column.required)
        for column in table.columns if column.name in columns
    }
    return pa.DataFrameSchema(promised, checks=checks, name=table.asset)
