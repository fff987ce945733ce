"""The column graph as rows of the catalog: models, which asset reads which, column edges, row-set edges.

Every code version is kept: an auditor asks about the lineage of the run that made a number, not of today's code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lineage.declared import DELIVERY, PAYLOAD
from lineage.edges import ModelLineage
from lineage.graph import ColumnKey, Graph
from transforms.governance.projection_rows import Projection

DECLARED_VERSION = "declared"
"""Code version of assets whose edges are declared beside the Python that writes them."""

_EXPRESSION_LIMIT = 2000
_RESTATED = "Version rows that vanished or changed, with the run that moved them; nothing that was said is lost."
_LANDING = {
    PAYLOAD: "Fields of the payloads, as their standards call them; the bytes are kept as received.",
    DELIVERY: "What is known of an arrival without opening it.",
}


@dataclass(frozen=True)
class AssetNotes:
    """What the graph does not know of an asset: words and who answers for it."""

    description: str = ""
    owner: str = ""


def asset_layer(asset: str) -> str:
    """The layer of an asset: its schema; control and reference tables stand beside the layers."""
    return asset.split(".", 1)[0]


def code_version(graph: Graph, asset: str) -> str:
    """Version of an asset's code: that of its SQL, or `declared`."""
    node = graph.nodes.get(asset)
    return node.code_version if node else DECLARED_VERSION


def lineage_projections(
    graph: Graph, levels: Mapping[ColumnKey, int], notes: Mapping[str, AssetNotes],
    known: Iterable[tuple[str, str]] = (),
) -> list[Projection]:
    """Everything that pages show of the graph, as projections of one transaction.

    `known` are the (asset, code version) pairs that the catalog holds already: their edges are not written again, and
    versions that are no longer in force stay. `levels` are PHI levels, `notes` the words about assets.
    """
    have = set(known)
    assets = [PAYLOAD, DELIVERY, *graph.models]
    fresh = [asset for asset in graph.models if (asset, code_version(graph, asset)) not in have or asset not in graph.nodes]
    edge_scopes = [{"model": asset, "code_version": code_version(graph, asset)} for asset in fresh]
    projections = [
        Projection("model", [_model_row(graph, asset, levels, notes.get(asset, AssetNotes())) for asset in assets],
                   [{"asset": asset, "code_version": code_version(graph, asset)} for asset in assets]),
        Projection("asset_edge", [
            {"asset": asset, "upstream": read} for asset in graph.models for read in sorted(graph.models[asset].reads)],
            {}),
    ]
    if edge_scopes:
        projections += [
            Projection("column_edge", [row for asset in fresh for row in _column_rows(graph, asset)], edge_scopes),
            Projection("rowset_edge", [row for asset in fresh for row in _rowset_rows(graph, asset)], edge_scopes),
        ]
    return projections


def _model_row(
    graph: Graph, asset: str, levels: Mapping[ColumnKey, int], notes: AssetNotes
) -> dict[str, object]:
    node, model = graph.nodes.get(asset), graph.models.get(asset, ModelLineage())
    described = node.described if node else {}
    types = graph.schemas.types(asset)
    columns = [
        {"name": name, "type": types.get(name, ""), "description": described.get(name, ""),
         "phi": levels.get((asset, name), 0)}
        for name in graph.columns(asset) or model.columns
    ]
    return {
        "asset": asset, "layer": asset_layer(asset),
        "description": notes.description or (node.description if node else _words(asset)),
        "owner": notes.owner or (node.owner if node else ""), "code_version": code_version(graph, asset),
        "current": True,
        "sql": node.sql if node else None, "columns": columns, "opaque": model.opaque,
    }


def _words(asset: str) -> str:
    """What a row is, for assets that no YAML describes."""
    return _RESTATED if asset.endswith("_restated") else _LANDING.get(asset, "")


def _column_rows(graph: Graph, asset: str) -> Iterable[dict[str, object]]:
    model, version = graph.models[asset], code_version(graph, asset)
    for column, edges in model.columns.items():
        expression = _expression(model, column)
        for edge in sorted(edges):
            yield {
                "model": asset, "code_version": version, "out_col": column, "src_asset": edge.asset,
                "src_col": edge.column, "path": edge.path, "type": edge.type, "subtype": edge.subtype,
                "masking": edge.masking, "expr_sql": expression}


def _rowset_rows(graph: Graph, asset: str) -> Iterable[dict[str, object]]:
    version = code_version(graph, asset)
    for key in sorted({(e.asset, e.column, e.path, e.subtype) for e in graph.models[asset].influence}):
        yield {"model": asset, "code_version": version, "src_asset": key[0], "src_col": key[1], "path": key[2],
               "subtype": key[3]}


def _expression(model: ModelLineage, column: str) -> str:
    text = model.expressions.get(column, "")
    return text if len(text) <= _EXPRESSION_LIMIT else text[: _EXPRESSION_LIMIT - 1] + "…"
