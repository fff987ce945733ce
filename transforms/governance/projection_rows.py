"""Rows of the catalog's tables: checked against the shapes of `projections` and turned into what SQLite stores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TypeAlias

from transforms.governance.canonical_json import canonical_text
from transforms.governance.projections import TABLES, Column, Table

SqlValue: TypeAlias = str | int | None


@dataclass(frozen=True)
class Projection:
    """Rows that replace what a table held in a scope.

    `scope` is a mapping of columns to values, or several of them: rows that match any are removed, then `rows` are
    written. Every row lies in the scope; an empty mapping is the whole table.
    """

    table: str
    rows: Sequence[Mapping[str, object]]
    scope: Mapping[str, object] | Sequence[Mapping[str, object]]

    @property
    def scopes(self) -> tuple[Mapping[str, object], ...]:
        """The scope as a list."""
        return (self.scope,) if isinstance(self.scope, Mapping) else tuple(self.scope)


@dataclass(frozen=True)
class Replacement:
    """A projection in stored form: what to delete (columns and their values) and what to insert, in column order."""

    table: Table
    scopes: tuple[tuple[tuple[str, ...], tuple[SqlValue, ...]], ...]
    rows: tuple[tuple[SqlValue, ...], ...]


def replacement(projection: Projection) -> Replacement:
    """Check a projection against its table's shape and put it in stored form.

    Raises ValueError naming table and column where a row has other columns, a value of another form, or lies outside
    the scope.
    """
    if projection.table not in TABLES:
        raise ValueError(f"the catalog has no table {projection.table}")
    table = TABLES[projection.table]
    columns = {column.name: column for column in table.columns}
    scopes = tuple(_stored_scope(table, columns, scope) for scope in projection.scopes)
    wanted: dict[tuple[str, ...], set[tuple[SqlValue, ...]]] = {}
    for names, values in scopes:
        wanted.setdefault(names, set()).add(values)
    rows = []
    for row in projection.rows:
        if set(row) != set(columns):
            raise ValueError(f"{table.name}: columns differ at {min(set(row) ^ set(columns))}")
        stored = {name: sql_value(table.name, column, row[name]) for name, column in columns.items()}
        if not any(tuple(stored[name] for name in names) in values for names, values in wanted.items()):
            raise ValueError(f"{table.name}: a row lies outside the scope that it replaces")
        rows.append(tuple(stored.values()))
    return Replacement(table, scopes, tuple(rows))


def _stored_scope(
    table: Table, columns: Mapping[str, Column], scope: Mapping[str, object]
) -> tuple[tuple[str, ...], tuple[SqlValue, ...]]:
    unknown = set(scope) - set(columns)
    if unknown:
        raise ValueError(f"{table.name}: the scope names no column {min(unknown)}")
    names = tuple(sorted(scope))
    return names, tuple(sql_value(table.name, columns[name], scope[name]) for name in names)


def sql_value(table: str, column: Column, value: object) -> SqlValue:
    """One value in its stored form. Dates and instants may be given as `date` and `datetime` (aware, or UTC if
    naive).
    """
    if value is None and column.nullable:
        return None
    stored = _FORMS[column.form](value)
    if stored is None:
        raise ValueError(f"{table}.{column.name}: not of the form {column.form}")
    return stored


def _text(value: object) -> SqlValue:
    return value if isinstance(value, str) else None


def _integer(value: object) -> SqlValue:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _boolean(value: object) -> SqlValue:
    return int(value) if isinstance(value, bool) or value in (0, 1) and isinstance(value, int) else None


def _date(value: object) -> SqlValue:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    try:
        return date.fromisoformat(value).isoformat() if isinstance(value, str) else None
    except ValueError:
        return None


def _instant(value: object) -> SqlValue:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    return aware.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _json(value: object) -> SqlValue:
    return canonical_text(value) if isinstance(value, (list, tuple, dict)) else _text(value)


_FORMS = {"text": _text, "integer": _integer, "boolean": _boolean, "date": _date, "instant": _instant, "json": _json}
_STORED = {"text": "text", "integer": "integer", "boolean": "integer", "date": "text", "instant": "text",
    "json": "text"}


def table_ddl(table: Table) -> str:
    """The `create table` statement of a projection, for SQLite."""
    lines = [
        f"{column.name} {_STORED[column.form]}{'' if column.nullable else ' not null'}" for column in table.columns
    ]
    lines.append(f"primary key ({', '.join(table.key)})")
    # SQLite keeps the text as written but for these two words, and the text is compared when the store is opened.
    return f"CREATE TABLE {table.name} (\n  " + ",\n  ".join(lines) + "\n) strict"
