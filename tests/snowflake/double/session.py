"""How the double answers: errors, session settings, temporary tables, results with nulls."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from fakesnow import arrow, cursor, info_schema
from snowflake.connector import errors
from sqlglot import exp

# fakesnow.server is also the name of a function
server: Any = importlib.import_module("fakesnow.server")


def answer_failures_as_sql_errors() -> None:
    """Service: a statement that fails is answered by an SQL error. Double: HTTP 500, which the connector repeats for minutes."""
    execute = cursor.FakeSnowflakeCursor.execute

    def corrected(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return execute(self, *args, **kwargs)
        except errors.Error:
            raise
        except Exception as error:
            message = f"test double: {type(error).__name__}: {error}"
            raise errors.ProgrammingError(msg=message, errno=9999, sqlstate="99999") from error

    cursor.FakeSnowflakeCursor.execute = corrected


def keep_temporary_tables_plain() -> None:
    """Service: a temporary table may be named with database and schema. Double: refused. Here it is a plain table of that name.

    The loosest correction: such a table is not private to its session and lives until it is dropped.
    """
    transform = cursor.FakeSnowflakeCursor._transform

    def corrected(self: Any, expression: exp.Expr, params: Any) -> exp.Expr:
        table = expression.find(exp.Table) if isinstance(expression, exp.Create) else None
        properties = expression.args.get("properties")
        if table is not None and table.db and properties:
            properties.set("expressions", [one for one in properties.expressions if not isinstance(one, exp.TemporaryProperty)])
        return transform(self, expression, params)

    cursor.FakeSnowflakeCursor._transform = corrected


def accept_query_tags() -> None:
    """Service: a query tag is a note in the query history. Double: not implemented. Here it is accepted and means nothing."""
    server.shared_fs.nop_regexes = [r"\s*alter\s+session\s+(un)?set\s+query_tag\b"]


def send_null_timestamps() -> None:
    """Service: a null timestamp of a result arrives as null. Double: as the epoch or as garbage."""
    to_struct = arrow.timestamp_to_sf_struct

    def corrected(column: pa.Array | pa.ChunkedArray) -> pa.Array:
        whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        sent = to_struct(whole)
        if not whole.null_count:
            return sent
        fields = [pc.fill_null(sent.field(place), 0) for place in range(sent.type.num_fields)]
        return pa.StructArray.from_arrays(fields, fields=list(sent.type), mask=whole.is_null())

    arrow.timestamp_to_sf_struct = corrected


def describe_arrays() -> None:
    """Service: a column declared ARRAY is described as one. Double: as VARIANT, since both are JSON there.

    Known again by name: no two columns of the product share a name and differ in this.
    """
    named: set[str] = set()
    transform, describe = cursor.FakeSnowflakeCursor._transform, server.describe_as_rowtype

    def noting(self: Any, expression: exp.Expr, params: Any) -> exp.Expr:
        if isinstance(expression, exp.Create):
            for column in expression.find_all(exp.ColumnDef):
                if column.kind is not None and column.kind.this == exp.DataType.Type.ARRAY:
                    named.add(column.name.upper())
        return transform(self, expression, params)

    def corrected(described: list[Any]) -> list[Any]:
        columns: list[Any] = describe(described)
        return [{**one, "type": "array"} if one["type"] == "variant" and one["name"] in named else one for one in columns]

    cursor.FakeSnowflakeCursor._transform = noting
    server.describe_as_rowtype = corrected


def list_views_among_tables() -> None:
    """Service: `information_schema.tables` lists views too. Double: tables only."""
    creation_sql = info_schema.per_db_creation_sql
    both = (
        "from (select database_name, schema_name, table_name, estimated_size, 'BASE TABLE' as kind from duckdb_tables "
        "union all select database_name, schema_name, view_name, null, 'VIEW' from duckdb_views) tables"
    )

    def corrected(catalog: str) -> str:
        return creation_sql(catalog).replace("from duckdb_tables tables", both).replace("'BASE TABLE' AS \"TABLE_TYPE\"", "tables.kind AS \"TABLE_TYPE\"")

    info_schema.per_db_creation_sql = corrected


def note_statements(file: Path) -> None:
    """Note every statement that is sent, so that a test can look at what the product says. No correction."""
    execute = cursor.FakeSnowflakeCursor.execute

    def noting(self: Any, command: str, *args: Any, **kwargs: Any) -> Any:
        with file.open("a", encoding="utf-8") as notes:
            notes.write(command + "\0")
        return execute(self, command, *args, **kwargs)

    cursor.FakeSnowflakeCursor.execute = noting


CORRECTIONS = (
    answer_failures_as_sql_errors, keep_temporary_tables_plain, accept_query_tags, send_null_timestamps, describe_arrays, list_views_among_tables,
)
