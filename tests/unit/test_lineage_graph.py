"""The project's graph: order, walks, cache, declared edges, PHI levels; on a small project written here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lineage.cache import LineageCache
from lineage.declared import PAYLOAD, identity_lineage, payload_columns, raw_lineage
from lineage.edges import OPAQUE, Edge, ModelLineage
from lineage.field_names import field_name
from lineage.graph import Graph, downstream, extract_project, sourceless_columns, upstream
from lineage.manifest import Manifest, parse_manifest
from lineage.phi import phi_levels
from lineage.source_schemas import source_schemas
from transforms.decode.raw_schema import raw_table_columns, raw_table_names
from transforms.errors import ConfigurationError, ContractError
from transforms.identity.tables import TABLES as IDENTITY_TABLES

SQL = {
    "marts.mart_census": """select p.facility_id, count(*) as patients, min(p.birth_date) as eldest,
    md5(max(p.family)) as mark
                            from LAKE.canonical.patient p where p.gender = 'female' group by p.facility_id""",
    "canonical.patient": """select v.facility_id, v.birth_date, v.family, v.gender, 'current' as state
                            from LAKE.canonical.patient_version v
                            left join LAKE.canonical.patient_restated r on r.birth_date = v.birth_date""",
    "canonical.patient_version": "select s.facility_id, s.birth_date, s.family, s.gender from LAKE.staging.stg_patient s",
    "staging.stg_patient": """select p.facility_id, p.pid_7_1 as birth_date, upper(p.pid_5_1) as family,
                              case p.pid_8_1 when 'F' then 'female' end as gender from LAKE.raw.raw_hl7v2__pid p""",
}
READS = {
    "marts.mart_census": ["canonical.patient"], "canonical.patient": ["canonical.patient_version"],
    "canonical.patient_version": ["staging.stg_patient"], "staging.stg_patient": ["raw.raw_hl7v2__pid"],
}


def content(sql: dict[str, str] = SQL) -> dict[str, Any]:
    """A manifest as dbt writes it."""
    nodes = {
        f"model.{asset}": {
            "resource_type": "model", "schema": asset.split(".")[0], "name": asset.split(".")[1], "alias": None,
            "compiled_code": text, "config": {"meta": {"owner": "analytics@example.org"}}, "columns": {},
            "depends_on": {"nodes": [f"model.{read}" if read in sql else f"source.{read}" for read in READS[asset]]},
            "description": "grain: one row a test",
        } for asset, text in sql.items()
    }
    source = {"schema": "raw", "name": "raw_hl7v2__pid", "identifier": "raw_hl7v2__pid"}
    return {"nodes": nodes, "sources": {"source.raw.raw_hl7v2__pid": source}}


def graph(sql: dict[str, str] = SQL, cache: LineageCache | None = None, strict: bool = True) -> Graph:
    """The graph of the small project."""
    manifest = parse_manifest(content(sql))
    return extract_project(manifest, source_schemas(manifest.sources, {}), declared=raw_lineage(), cache=cache,
        strict=strict)


def test_models_come_after_what_they_read() -> None:
    """Dependency order, though the manifest names them the other way round."""
    order = [node.asset for node in parse_manifest(content()).models]
    assert order == ["staging.stg_patient", "canonical.patient_version", "canonical.patient", "marts.mart_census"]


def test_upstream_reaches_the_payload_field() -> None:
    """A mart's column leads back, by DIRECT edges, to PID-7 of the payload and to nothing else there."""
    direct = {r.link for r in upstream(graph(), "marts.mart_census", "eldest") if r.link.type == "DIRECT"}
    assert {link.src_column for link in direct if link.src_asset == PAYLOAD} == {"PID-7.1"}


def test_distance_and_hops() -> None:
    """Distance counts assets on the way; hops stop the walk."""
    reached = upstream(graph(), "marts.mart_census", "eldest")
    assert {r.link.src_asset: r.distance for r in reached} == {
        "canonical.patient": 1, "canonical.patient_version": 2, "staging.stg_patient": 3, "raw.raw_hl7v2__pid": 4,
        PAYLOAD: 5}
    assert {r.distance for r in upstream(graph(), "marts.mart_census", "eldest", hops=2)} == {1, 2}


def test_row_influence_is_asked_for() -> None:
    """The filter on gender decides rows: it shows with `rows`, and only then."""
    plain = {r.link.src_column for r in upstream(graph(), "marts.mart_census", "eldest")}
    rows = {r.link.src_column for r in upstream(graph(), "marts.mart_census", "eldest", rows=True)}
    assert "PID-8.1" not in plain
    assert "PID-8.1" in rows


def test_downstream() -> None:
    """PID-5 reaches the mart's hash of it; PID-8 reaches the mart only through its rows."""
    reached = {(r.link.asset, r.link.column) for r in downstream(graph(), PAYLOAD, "PID-5.1")}
    assert ("marts.mart_census", "mark") in reached
    assert ("marts.mart_census", "*") not in {(r.link.asset, r.link.column) for r in downstream(graph(), PAYLOAD,
        "PID-8.1")}
    assert ("marts.mart_census", "*") in {(r.link.asset, r.link.column) for r in downstream(graph(), PAYLOAD,
        "PID-8.1", rows=True)}


def test_unknown_column_is_an_error() -> None:
    """Asking for a column that is not there is refused with a remedy, never answered with an empty list."""
    with pytest.raises(ContractError, match=r"marts\.mart_census has no column age"):
        upstream(graph(), "marts.mart_census", "age")


def test_a_broken_model_is_named() -> None:
    """A model that reads a column which is not there fails by name; without strict it stands among the faults."""
    broken = {**SQL, "marts.mart_census": "select p.age from LAKE.canonical.patient p"}
    with pytest.raises(ContractError, match=r"marts\.mart_census: .*age"):
        graph(broken)
    assert set(graph(broken, strict=False).faults) == {"marts.mart_census"}


def test_only_constants_have_no_source() -> None:
    """Of all columns only the literal has no source."""
    assert [key for key in sourceless_columns(graph()) if not key[1].startswith("restated_")] == [("canonical.patient", "state")]


def test_cache_is_keyed_by_sql_and_columns(tmp_path: Path) -> None:
    """A second extraction finds all but the models whose reads dbt does not know; a changed model only is done
    again.
    """
    path = tmp_path / "lineage.json"
    first = LineageCache(path)
    cold = graph(cache=first)
    first.save()
    warm_cache = LineageCache(path)
    warm = graph(cache=warm_cache)
    assert (first.misses, warm_cache.misses) == (4, 1)  # patient reads the side table
    assert list(warm.links()) == list(cold.links())
    changed = LineageCache(path)
    graph({**SQL, "staging.stg_patient": SQL["staging.stg_patient"].replace("upper", "lower")}, cache=changed)
    assert changed.misses == 2


def test_code_version_follows_the_sql() -> None:
    """The version changes with the compiled SQL, and only then."""
    versions = {node.asset: node.code_version for node in parse_manifest(content()).models}
    changed = {**SQL, "canonical.patient": SQL["canonical.patient"].replace("current", "now")}
    again = {node.asset: node.code_version for node in parse_manifest(content(changed)).models}
    assert {asset for asset in versions if versions[asset] != again[asset]} == {"canonical.patient"}


def test_manifest_without_compiled_sql() -> None:
    """A manifest that was parsed and not compiled is refused with the remedy."""
    bare = content()
    bare["nodes"]["model.canonical.patient"]["compiled_code"] = None
    with pytest.raises(ConfigurationError, match=r"canonical\.patient.*compile"):
        parse_manifest(bare)


def test_phi_levels() -> None:
    """A minimum still shows a value, an unkeyed hash is no protection, a count is derived by its rows alone."""
    levels = phi_levels(graph())
    asked = {column: levels["marts.mart_census", column] for column in ("eldest", "mark", "patients", "facility_id")}
    assert asked == {"eldest": 3, "mark": 3, "patients": 1, "facility_id": 0}
    assert levels["marts.mart_census", "*"] == 1
    assert levels["canonical.patient", "gender"] == 2


def test_opaque_lets_everything_through() -> None:
    """A column of an opaque model is as protected as the most protected column it may come from."""
    known = graph()
    known.models["marts.mart_census"] = ModelLineage(
        {"x": {Edge("canonical.patient", c, subtype=OPAQUE) for c in ("facility_id", "family")}})
    assert phi_levels(known)["marts.mart_census", "x"] == 3


def test_declared_edges_hold_against_the_schemas() -> None:
    """Every column of every raw and identity table is declared, from columns that exist."""
    payload = payload_columns()
    for table in raw_table_names():
        model = raw_lineage()[f"raw.{table}"]
        assert set(model.columns) == set(raw_table_columns(table))
        for edges in model.columns.values():
            assert edges
            assert all(edge.column in payload[edge.asset] for edge in edges)
    for asset, model in identity_lineage().items():
        assert set(model.columns) == {column for column, _ in IDENTITY_TABLES[asset]}


@pytest.mark.parametrize(("table", "column", "expected"), [
    ("raw_hl7v2__pid", "pid_3_1", "PID-3.1"),
    ("raw_hl7v2__pid", "pid_3_4_2", "PID-3.4.2"),
    ("raw_hl7v2__obx", "obx_5_1", "OBX-5.1"),
    ("raw_hl7v2__in1", "in1_36_1", "IN1-36.1"),
    ("raw_hl7v2__repetition", "c4_1", "repetition.4.1"),
    ("raw_hl7v2__pid", "segment_ordinal", None),
    ("raw_fhir__resource", "resource", "resource"),
    ("raw_extract__row", "cells", "row"),
    ("raw_unit", "unit_id", None),
])
def test_field_names(table: str, column: str, expected: str | None) -> None:
    """Raw columns bear the standard's own address."""
    assert field_name(table, column) == expected


def test_manifest_is_empty_without_models() -> None:
    """A project of sources alone has no models."""
    assert parse_manifest({"nodes": {}, "sources": {}}) == Manifest((), {}, ())
