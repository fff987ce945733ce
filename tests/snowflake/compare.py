"""Whether two warehouses hold the same: every table by its columns, their kinds, its number of rows and every row's content.

Type rules. A column has a *kind* on each side, and kinds must be equal:

    text       VARCHAR                                    compared as it is
    whole      any integer width; NUMBER(p, 0)            as a whole number
    decimal s  DECIMAL(p, s); NUMBER(p, s)                by value; the scale s is part of the kind, the precision is not
    double     DOUBLE; FLOAT                              bit by bit: both sides store what one computation gave
    boolean, date                                         as they are
    timestamp  without zone, in microseconds              as they are; Snowflake's nanoseconds must be zero below them
    texts      VARCHAR[]; ARRAY                           element by element, nulls among them

Null equals null only. Rows have no order; a row that occurs twice must occur twice on the other side. A difference is told in
counts and column names, never in values.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from assets.stores.warehouse import Warehouse


@dataclass(frozen=True)
class Difference:
    """What tells two tables of one name apart. `columns` are those whose values differ when looked at alone."""

    table: str
    what: str
    only_left: int = 0
    only_right: int = 0
    columns: tuple[str, ...] = ()

    def __str__(self) -> str:
        """One line for a failing test."""
        counted = f" ({self.only_left} rows only left, {self.only_right} only right)" if self.only_left or self.only_right else ""
        return f"{self.table}: {self.what}{counted}{': ' + ', '.join(self.columns) if self.columns else ''}"


def table_columns(warehouse: Warehouse, schemas: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Give each table and view of the schemas as `schema.table` with its column names, in lower case and order."""
    wanted = frozenset(schemas)
    found: dict[str, list[str]] = {}
    for row in warehouse.query(
        "select table_schema, table_name, column_name from information_schema.columns where table_catalog = 'LAKE' "
        "order by table_schema, table_name, ordinal_position"
    ).to_pylist():
        if row["table_schema"].lower() in wanted:
            found.setdefault(f"{row['table_schema']}.{row['table_name']}".lower(), []).append(row["column_name"].lower())
    return {name: tuple(columns) for name, columns in found.items()}


def compare(left: Warehouse, right: Warehouse, schemas: Iterable[str], left_out: Mapping[str, frozenset[str]] | None = None) -> list[Difference]:
    """Compare all tables of the schemas. `left_out` names columns that may differ, by table; `*` stands for every table."""
    skipped = left_out or {}
    columns_left, columns_right = table_columns(left, schemas), table_columns(right, schemas)
    differences = [Difference(table, "is on one side only") for table in sorted(set(columns_left) ^ set(columns_right))]
    for table in sorted(set(columns_left) & set(columns_right)):
        unlike = set(columns_left[table]) ^ set(columns_right[table])
        if unlike:
            differences.append(Difference(table, "has columns on one side only", columns=tuple(sorted(unlike))))
            continue
        names = [name for name in columns_left[table] if name not in skipped.get(table, frozenset()) | skipped.get("*", frozenset())]
        sql = f"select {', '.join(names)} from LAKE.{table}"
        differences += compare_rows(table, left.query(sql), right.query(sql))
    return differences


def compare_rows(table: str, left: pa.Table, right: pa.Table) -> list[Difference]:
    """Compare two results that have the same columns in the same order."""
    names = tuple(name.lower() for name in left.column_names)
    unlike = tuple(name for name, one, other in zip(names, left.schema, right.schema, strict=True) if kind(one.type) != kind(other.type))
    if unlike:
        return [Difference(table, "has columns of different kinds", columns=unlike)]
    columns_left, columns_right = plain_columns(left), plain_columns(right)
    rows_left, rows_right = rows_of(columns_left, left.num_rows), rows_of(columns_right, right.num_rows)
    if rows_left == rows_right:
        return []
    differing = tuple(
        name for name, one, other in zip(names, columns_left, columns_right, strict=True) if Counter(one) != Counter(other)
    )
    only_left, only_right = (rows_left - rows_right).total(), (rows_right - rows_left).total()
    return [Difference(table, "differs", only_left, only_right, differing or ("no column alone, but their combination",))]


def kind(type_: pa.DataType) -> str:
    """Give the kind of an Arrow type. Raises TypeError for one that no rule speaks of."""
    if pa.types.is_decimal(type_):
        return f"decimal {type_.scale}" if type_.scale else "whole"
    rules = (
        ("text", pa.types.is_string), ("text", pa.types.is_large_string), ("whole", pa.types.is_integer), ("boolean", pa.types.is_boolean),
        ("double", pa.types.is_floating), ("date", pa.types.is_date32), ("texts", pa.types.is_list),
    )
    for name, holds in rules:
        if holds(type_):
            return name
    if pa.types.is_timestamp(type_) and type_.tz is None:
        return "timestamp"
    raise TypeError(f"no rule compares {type_}")


def plain_columns(table: pa.Table) -> list[list[Any]]:
    """Give each column's values in the form that is compared."""
    return [[plain(value) for value in _exact(column).to_pylist()] for column in table.columns]


def rows_of(columns: list[list[Any]], count: int) -> Counter[tuple[Any, ...]]:
    """Give how often each row occurs."""
    return Counter(zip(*columns, strict=True)) if columns else Counter({(): count})


def plain(value: Any) -> Any:
    """Give a value that can be counted; decimals and integers of equal value are equal."""
    return tuple(value) if isinstance(value, list) else value


def _exact(column: pa.ChunkedArray) -> pa.ChunkedArray:
    # A safe cast: raises where microseconds do not hold the whole value.
    return column.cast(pa.timestamp("us")) if pa.types.is_timestamp(column.type) else column
