"""Tables out of the catalog: sorted by header, cut to what fits a page, whole in their CSV and JSON twins."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestration.catalog.view import Column, Empty, Row, Table

SHOWN = 100
TWIN_LIMIT = 200_000
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Asked:
    """What a request asks of its tables: the order of each, and whether all rows are wanted (a twin)."""

    orders: Mapping[str, str]
    everything: bool = False

    @property
    def limit(self) -> int:
        """How many rows to give."""
        return TWIN_LIMIT if self.everything else SHOWN


def asked(query: Mapping[str, str], everything: bool) -> Asked:
    """Read `sort.<table>=<column>` or `=-<column>` from a query string."""
    orders = {key.removeprefix("sort."): value for key, value in query.items() if key.startswith("sort.")}
    return Asked(orders, everything)


def query_table(
    connection: sqlite3.Connection, asked: Asked, name: str, caption: str, columns: Sequence[Column], sql: str,
    values: Sequence[object], order: str, empty: Empty,
) -> Table:
    """A table from a query; `order` is the SQL order where the request names none. Columns that the query gives."""
    wanted = asked.orders.get(name, "")
    chosen = wanted.lstrip("-")
    known = chosen in {column.name for column in columns}
    ordering = f'"{chosen}" {"desc" if wanted.startswith("-") else "asc"}, {order}' if known else order
    rows = connection.execute(f"select * from ({sql}) order by {ordering} limit ?", (*values, asked.limit)).fetchall()
    total = len(rows)
    if total == asked.limit:
        total = int(connection.execute(f"select count(*) from ({sql})", tuple(values)).fetchone()[0])
    return Table(name, caption, tuple(columns), [dict(row) for row in rows], total, empty, wanted if known else "")


def rows_table(
    asked: Asked, name: str, caption: str, columns: Sequence[Column], rows: Sequence[Row], empty: Empty
) -> Table:
    """A table from rows at hand, in their order unless the request names another."""
    wanted = asked.orders.get(name, "")
    chosen = wanted.lstrip("-")
    known = chosen in {column.name for column in columns}
    ordered = list(rows)
    if known:
        ordered.sort(key=lambda row: _sort_key(row.get(chosen)), reverse=wanted.startswith("-"))
    shown = ordered[: asked.limit]
    return Table(name, caption, tuple(columns), shown, len(rows), empty, wanted if known else "")


def _sort_key(value: object) -> tuple[bool, bool, float, str]:
    number = isinstance(value, (int, float))
    return value is None, not number, float(str(value)) if number else 0.0, "" if number else str(value)


def as_csv(table: Table) -> str:
    """The table as CSV (RFC 4180) with stored values; what a spreadsheet would take for a formula gets an
    apostrophe.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([column.name for column in table.columns])
    for row in table.rows:
        writer.writerow([_plain(row.get(column.name)) for column in table.columns])
    return out.getvalue()


def _plain(value: object) -> object:
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return "'" + value
    return "" if value is None else value


def as_json(table: Table) -> str:
    """The table as JSON: its name, what it holds, how many rows there are, and the rows with stored values."""
    return json.dumps({
        "table": table.name, "caption": table.caption, "total": table.total,
        "columns": [{"name": column.name, "label": column.label} for column in table.columns],
        "rows": [{column.name: row.get(column.name) for column in table.columns} for row in table.rows],
    }, ensure_ascii=False)
