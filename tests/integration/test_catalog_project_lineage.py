"""The gate on the real dbt project: every column has a known source, and the extractor's columns are the engine's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from assets.stores.control import CONTROL_TABLES
from lineage.declared import PAYLOAD, identity_lineage, raw_lineage
from lineage.graph import Graph, extract_project, upstream
from lineage.manifest import read_manifest
from lineage.phi import PHI, phi_levels
from lineage.source_schemas import source_schemas

PROJECT = Path(__file__).parents[2] / "transforms" / "dbt"


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Graph:
    """The graph of the compiled project."""
    scratch = tmp_path_factory.mktemp("dbt")
    environment = {
        **os.environ, "LAKEHOUSE_WAREHOUSE": str(scratch / "LAKE.duckdb"), "LAKEHOUSE_WAREHOUSE_KEY": "0" * 64,
        "LAKEHOUSE_RUN_ID": "none", "LAKEHOUSE_RUN_SEQ": "0",
    }
    command = [
        str(Path(sys.executable).with_name("dbt")), "--quiet", "--log-path", str(scratch / "logs"), "compile",
        "--no-populate-cache", "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--target", "local",
        "--target-path", str(scratch / "target"),
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-2000:]
    manifest = read_manifest(scratch / "target" / "manifest.json")
    control = {f"control.{name}": columns for name, columns in CONTROL_TABLES.items()}
    declared = {**raw_lineage(), **identity_lineage()}
    return extract_project(manifest, source_schemas(manifest.sources, control), declared=declared)


def test_no_model_is_opaque(graph: Graph) -> None:
    """Every model's shape is understood."""
    assert {asset: model.opaque for asset, model in graph.models.items() if model.opaque} == {}


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
