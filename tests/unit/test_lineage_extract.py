"""Kinds of edges, refusals, JSON paths: single facts about the extractor, each known from SQL's own meaning."""

from __future__ import annotations

import pytest

from lineage.edges import Edge
from lineage.extract import Schemas, extract
from transforms.errors import ContractError

TABLES = {
    "raw.doc": {"id": "varchar", "body": "json", "facility_id": "varchar"},
    "raw.stay": {"id": "varchar", "site": "varchar", "days": "integer", "cost": "double", "name": "varchar"},
    "control.run_scope": {"run_id": "varchar", "facility_id": "varchar"},
}


def kinds(sql: str, column: str) -> set[tuple[str, str, str]]:
    """(source column, type, subtype) of one output column."""
    edges = extract(sql, Schemas(TABLES, "duckdb")).columns[column]
    return {(edge.column, edge.type, edge.subtype) for edge in edges}


@pytest.mark.parametrize(("expression", "expected"), [
    ("s.name", {("name", "DIRECT", "IDENTITY")}),
    ("cast(s.days as varchar)", {("days", "DIRECT", "CAST")}),
    ("upper(s.name)", {("name", "DIRECT", "TRANSFORMATION")}),
    ("sum(s.days)", {("days", "DIRECT", "AGGREGATION")}),
    ("count(*)", {("*", "DIRECT", "AGGREGATION")}),
    ("row_number() over (order by s.days)", {("days", "INDIRECT", "WINDOW")}),
    ("row_number() over ()", {("*", "DIRECT", "AGGREGATION")}),
    ("sum(s.cost) over (partition by s.site)", {("cost", "DIRECT", "AGGREGATION"), ("site", "INDIRECT", "WINDOW")}),
    ("first_value(s.name) over (order by s.days)", {("name", "DIRECT", "TRANSFORMATION"), ("days", "INDIRECT",
    "WINDOW")}),
    ("case when s.days > 2 then s.name end", {("days", "INDIRECT", "CONDITIONAL"), ("name", "DIRECT",
    "TRANSFORMATION")}),
    ("sum(s.cost) filter (where s.days > 2)", {("cost", "DIRECT", "AGGREGATION"), ("days", "INDIRECT", "FILTER")}),
    ("string_agg(s.name, ',' order by s.days)", {("name", "DIRECT", "AGGREGATION"), ("days", "INDIRECT", "SORT")}),
    ("'final'", set()),
])
def test_kinds(expression: str, expected: set[tuple[str, str, str]]) -> None:
    """Each way of using a column gives its kind; a constant has no source."""
    assert kinds(f"select {expression} as x from LAKE.raw.stay s", "x") == expected


def test_strongest_kind_along_the_path() -> None:
    """Through two CTEs the strongest step counts."""
    sql = """with a as (select cast(days as varchar) as d from LAKE.raw.stay),
                  b as (select upper(d) as e from a) select max(e) as x from b"""
    assert kinds(sql, "x") == {("days", "DIRECT", "AGGREGATION")}


@pytest.mark.parametrize(("expression", "path"), [
    ("json_extract_string(d.body, '$.\"name\"[0].\"family\"')", "/name/0/family"),
    ("json_extract_string(d.body, ['$.\"id\"', '$.\"birthDate\"'])[2]", "/birthDate"),
    ("json_extract_string(try_cast(json_extract(d.body, '$.code') as json), '$.text')", "/code/text"),
    ("json_extract_string(d.body, '$.given[*]')", "/given/*"),
    ("d.body", ""),
])
def test_json_paths(expression: str, path: str) -> None:
    """The place in the document is known wherever the SQL fixes it."""
    edges = extract(f"select {expression} as x from LAKE.raw.doc d", Schemas(TABLES, "duckdb")).columns["x"]
    assert {edge.path for edge in edges} == {path}


def test_json_path_through_an_unnest() -> None:
    """An element of an unnested array keeps the array's place."""
    sql = """select json_extract_string(part.value, '$.value') as x
             from LAKE.raw.doc d, unnest(json_extract(d.body, '$.telecom[*]')) as part(value)"""
    model = extract(sql, Schemas(TABLES, "duckdb"))
    assert {edge.path for edge in model.columns["x"]} == {"/telecom/*/value"}
    assert ("body", "JOIN") in {(edge.column, edge.subtype) for edge in model.influence}


def test_scope_filter_is_influence() -> None:
    """The partition filter of every model decides the rows and no value."""
    sql = """select d.id from LAKE.raw.doc d where exists (select 1 from LAKE.control.run_scope run_scope
             where run_scope.run_id = 'none' and run_scope.facility_id = d.facility_id)"""
    model = extract(sql, Schemas(TABLES, "duckdb"))
    assert {(e.asset, e.column, e.subtype) for e in model.influence} == {
        ("control.run_scope", "run_id", "FILTER"), ("control.run_scope", "facility_id", "FILTER"),
        ("raw.doc", "facility_id", "FILTER")}
    assert model.columns["id"] == {Edge("raw.doc", "id")}


@pytest.mark.parametrize(("sql", "named"), [
    ("select missing from LAKE.raw.stay", "missing"),
    ("select s.missing from LAKE.raw.stay s", "missing"),
    ("select id from LAKE.raw.nowhere", "raw.nowhere"),
    ("select from where", "parse"),
    ("with a as (select id from LAKE.raw.stay) select a.cost from a", "cost"),
])
def test_no_silent_gap(sql: str, named: str) -> None:
    """A column or relation that is not there is an error that names it, never an empty list."""
    with pytest.raises(ContractError, match=named):
        extract(sql, Schemas(TABLES, "duckdb"))


def test_opaque_names_everything_it_may_come_from() -> None:
    """A shape that is not understood gives all columns of all relations read, and says so."""
    model = extract("select * from (select site, days from LAKE.raw.stay) pivot (sum(days) for site in ('a'))",
                    Schemas(TABLES, "duckdb"))
    assert model.opaque == "Pivot"
    assert {edge.column for edge in model.columns["*"]} == set(TABLES["raw.stay"])
    assert {edge.subtype for edge in model.columns["*"]} == {"OPAQUE"}


def test_hash_is_marked() -> None:
    """A hash on the way is marked; an expression that uses both the hash and the value is not masked."""
    edges = extract("select md5(s.name) as h, md5(s.name) || s.name as both from LAKE.raw.stay s", Schemas(TABLES,
        "duckdb"))
    assert {edge.masking for edge in edges.columns["h"]} == {True}
    assert {edge.masking for edge in edges.columns["both"]} == {False}


@pytest.mark.parametrize("sql", [
    "select s.id, s.name as patient from LAKE.raw.stay s where s.days > 2",
    "select s.site, count(*) as n, sum(s.cost) as c from LAKE.raw.stay s group by s.site",
    "select s.id, row_number() over (partition by s.site order by s.days) as place from LAKE.raw.stay s",
    "with a as (select s.id, s.site from LAKE.raw.stay s) select a.id from a union all select d.id from LAKE.raw.doc d",
])
def test_both_dialects_agree(sql: str) -> None:
    """The same text read as DuckDB and as Snowflake gives the same edges."""
    tables = {asset: {c: "varchar" for c in columns} for asset, columns in TABLES.items()}
    here, there = (extract(sql, Schemas(tables, dialect)) for dialect in ("duckdb", "snowflake"))
    assert there.columns == here.columns
    assert there.influence == here.influence
