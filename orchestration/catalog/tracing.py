"""Traces over a data root: the warehouse opened read-only for one question and closed again, the look recorded in the log."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from assets.root import Root
from assets.stores.warehouse import Warehouse
from lineage.audit_log import open_catalog
from lineage.extract import Schemas
from lineage.links import links_into
from lineage.trace import trace_row
from lineage.trace_mart import trace_mart, trace_view
from lineage.trace_result import Question, Trace
from lineage.trace_sources import Sources
from orchestration.asking import PAGE_SECONDS, ask_warehouse
from orchestration.catalog.trace_page import Tracer
from transforms.errors import ContractError
from transforms.governance.events import Event

PHI_LEVEL = 3


def warehouse_tracer(root: Root) -> Tracer:
    """Traces in the root's warehouse; each is recorded as `access.trace` before it is shown."""
    return Tracer(lambda question: _trace(root, question), lambda question, found: _record(root, question, found))


def _trace(root: Root, question: Question) -> Trace:
    schema, _, table = question.asset.partition(".")
    if schema not in ("canonical", "marts") or not table:
        raise ContractError("Rows of canonical tables and of marts can be traced.")
    with open_catalog(root.home / "catalog" / "audit.sqlite") as catalog, ask_warehouse(root, PAGE_SECONDS) as warehouse:
        sources = _sources(root, catalog, warehouse)
        if schema == "marts":
            return trace_mart(sources, _schemas(sources), question.asset, question.key, question.column)
        resource, schemas = table.removesuffix("_version"), _schemas(sources)
        if schemas.columns(f"canonical.{resource}") and not schemas.columns(f"canonical.{resource}_version"):
            return trace_view(sources, schemas, f"canonical.{resource}", question.key, question.column)
        return trace_row(sources, resource, question.key, question.column)


def _sources(root: Root, catalog: sqlite3.Connection, warehouse: Warehouse) -> Sources:
    def query(sql: str, values: Sequence[object]) -> list[dict[str, Any]]:
        return list(warehouse.query(sql, list(values)).to_pylist())

    def model_sql(asset: str) -> str | None:
        row = catalog.execute("select sql from model where asset = ? and current = 1", (asset,)).fetchone()
        return str(row[0]) if row and row[0] else None

    return Sources(query, root.landing.read, lambda asset, column: links_into(catalog, asset, column), model_sql)


def _schemas(sources: Sources) -> Schemas:
    """Columns of everything in the warehouse, for qualifying a mart's SQL."""
    tables: dict[str, dict[str, str]] = {}
    for row in sources.query(
        "select lower(table_schema) as table_schema, lower(table_name) as table_name, lower(column_name) as column_name, data_type "
        "from information_schema.columns where upper(table_catalog) = 'LAKE' order by table_schema, table_name, ordinal_position", []
    ):
        tables.setdefault(f"{row['table_schema']}.{row['table_name']}", {})[row["column_name"]] = row["data_type"]
    return Schemas(tables, "duckdb")


def _record(root: Root, question: Question, found: Trace) -> None:
    """Write who looked at what; a key may be a patient's, so the log has its mark only."""
    text = "|".join(f"{name}={question.key[name]}" for name in sorted(question.key))
    mark = root.keys.mark(question.asset, text)
    body: dict[str, object] = {
        "role": "investigator", "purpose": question.purpose, "product": question.asset, "granted": True, "phi_level": PHI_LEVEL,
        "rows": len(found.steps), "patient": mark, **({"columns": [question.column]} if question.column else {}),
    }
    try:
        with root.catalog() as catalog:
            catalog.append([Event("access.trace", question.asset, body, actor=f"user:{question.reader}")])
    except ValueError as refused:
        raise ContractError("Your account is written without spaces, as amy or amy@example.org.") from refused
