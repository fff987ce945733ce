"""What pages know of the code: the column graph and the facilities, written to the catalog when code or registry
changed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from assets.stores.catalog import CatalogStore
from lineage.audit_log import open_catalog
from lineage.cache import LineageCache
from lineage.declared import identity_lineage, raw_lineage
from lineage.graph import Graph, extract_project
from lineage.manifest import read_manifest
from lineage.phi import phi_levels
from lineage.projecting import AssetNotes, lineage_projections
from lineage.source_schemas import source_schemas
from transforms.facilities.registry import Registry
from transforms.governance.projection_rows import Projection


def project_graph(
    manifest_path: Path, control_schemas: Mapping[str, Mapping[str, str]], dialect: str = "duckdb",
    cache_path: Path | None = None, strict: bool = True,
) -> Graph:
    """The column graph of the compiled dbt project at `manifest_path`.

    `control_schemas`: columns of the control tables, `control.<name>` each. Raises ConfigurationError where the
    project is not compiled, ContractError where lineage cannot be found (`strict`).
    """
    manifest = read_manifest(manifest_path)
    cache = LineageCache(cache_path)
    graph = extract_project(
        manifest, source_schemas(manifest.sources, control_schemas), dialect,
        {**raw_lineage(), **identity_lineage()}, cache, strict)
    if cache.misses:
        cache.save()
    return graph


def project_code(
    catalog: CatalogStore, catalog_path: Path, graph: Graph, notes: Mapping[str, AssetNotes]
) -> None:
    """Write the graph to the catalog: edges of new code versions, and which version of each asset is in force."""
    with open_catalog(catalog_path) as connection:
        known = [(row["asset"],
            row["code_version"]) for row in connection.execute("select asset, code_version from model")]
        replaced = [dict(row) for row in connection.execute("select * from model where current = 1")]
    projections = lineage_projections(graph, phi_levels(graph), notes, known)
    current = {(row["asset"], row["code_version"]) for row in projections[0].rows}
    retired = [
        {**row, "current": False} for row in replaced if (row["asset"], row["code_version"]) not in current]
    if retired:
        scopes = [{"asset": row["asset"], "code_version": row["code_version"]} for row in retired]
        projections.append(Projection("model", retired, scopes))
    catalog.record((), projections)


def project_facilities(catalog: CatalogStore, registry: Registry) -> None:
    """Write the registry's facilities to the catalog, each under its newest entry."""
    rows = {
        entry.facility_id: {
            "facility_id": entry.facility_id, "name": entry.name, "region": entry.region, "owner": entry.owner,
            "timezone": entry.timezone, "source_system": entry.source_system,
        }
        for entry in sorted(registry.entries, key=lambda entry: entry.valid_from)
    }
    catalog.project("facility", list(rows.values()), {})


def asset_notes(manifest_text: str) -> dict[str, AssetNotes]:
    """Read descriptions and owners of models from dbt's manifest."""
    notes = {}
    for node in json.loads(manifest_text)["nodes"].values():
        meta = node["config"].get("meta") or {}
        asset = f"{node['schema']}.{node.get('alias') or node['name']}"
        notes[asset] = AssetNotes(node.get("description") or "", str(meta.get("owner", "")))
    return notes
