"""The gate on the real dbt project: every column has a known source, and the extractor's columns are the engine's."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlglot

from assets.stores.control import CONTROL_TABLES
from lineage.declared import PAYLOAD, identity_lineage, raw_lineage
from lineage.fold import Fold
from lineage.graph import Graph, extract_project, upstream
from lineage.manifest import read_manifest
from lineage.phi import PHI, phi_levels
from lineage.source_schemas import source_schemas
from orchestration.opening import dbt_runner


@pytest.fixture(scope="module")
def compiled(open_test_root: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Manifest of the compiled project; the compiled text is shared with the tests that run it."""
    _, settings = open_test_root(tmp_path_factory.mktemp("root"))
    return dbt_runner(settings, "local").compiled_manifest_path


@pytest.fixture(scope="module")
def graph(compiled: Path) -> Graph:
    """The graph of the compiled project."""
    manifest = read_manifest(compiled)
    control = {f"control.{name}": columns for name, columns in CONTROL_TABLES.items()}
    declared = {**raw_lineage(), **identity_lineage()}
    return extract_project(manifest, source_schemas(manifest.sources, control), declared=declared)


def test_no_model_is_opaque(graph: Graph) -> None:
    """Every model's shape is understood."""
    assert {asset: model.opaque for asset, model in graph.models.items() if model.opaque} == {}


def test_every_current_resource_can_be_traced(compiled: Path) -> None:
    """The fold of each current model is found in its compiled SQL, its versions are put in the order of their own columns, and none is left out
    because it is alone."""
    nodes = json.loads(compiled.read_text(encoding="utf-8"))["nodes"].values()
    folds = {node["name"]: node["compiled_code"] for node in nodes if node["config"].get("strategy") == "merge_current"}
    assert {"encounter", "observation", "patient"} <= set(folds)
    for name, sql in folds.items():
        fold = sqlglot.parse_one(Fold(sql).versions_sql, read="duckdb")
        assert {column.table for column in fold.args["order"].find_all(sqlglot.exp.Column)} == {"version"}, name
        parts = {cte.alias: cte.this for cte in fold.find_all(sqlglot.exp.CTE)}
        assert {table.name for table in parts.get("history", parts["changed"]).find_all(sqlglot.exp.Table)} <= {"changed"}, name


def test_every_edge_begins_at_a_known_column(graph: Graph) -> None:
    """No edge names a column that its asset does not have."""
    strangers = {
        (link.src_asset, link.src_column) for link in graph.links()
        if link.src_column != "*" and link.src_column not in graph.columns(link.src_asset)
    }
    assert strangers == set()


def test_marts_reach_payload_fields(graph: Graph) -> None:
    """Every column of a mart that is protected leads back to fields of payloads."""
    levels = phi_levels(graph)
    for asset in (asset for asset in graph.nodes if asset.startswith("marts.mart_")):
        for column in graph.columns(asset):
            if levels[asset, column] == PHI:
                reached = {r.link.src_asset for r in upstream(graph, asset, column, rows=True)}
                assert PAYLOAD in reached, (asset, column)


def test_birth_date_comes_from_the_standards_fields(graph: Graph) -> None:
    """The current patient's birth date leads back to PID-7 and to Patient.birthDate of a FHIR resource."""
    direct = {r.link for r in upstream(graph, "canonical.patient", "birth_date") if r.link.type == "DIRECT"}
    assert "PID-7.1" in {link.src_column for link in direct if link.src_asset == PAYLOAD}
    assert "/birthDate" in {link.path for link in direct if link.src_column == "resource"}
