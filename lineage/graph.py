"""The column graph of the whole project, and the two questions it answers: where from, and where to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from lineage.cache import LineageCache
from lineage.declared import RESTATED_COLUMNS, restated_asset, restated_lineage
from lineage.edges import INDIRECT, ROWS, Edge, ModelLineage
from lineage.extract import Schemas, extract
from lineage.manifest import Manifest, ModelNode
from transforms.errors import ContractError

ColumnKey = tuple[str, str]


class Link(NamedTuple):
    """One edge of the graph, from a source column to an output column (or to the rows, `*`)."""

    src_asset: str
    src_column: str
    asset: str
    column: str
    type: str
    subtype: str
    masking: bool
    keeps: bool
    path: str


class Reached(NamedTuple):
    """A link that a walk came over, and how many assets it lies away from the start."""

    distance: int
    link: Link


@dataclass
class Graph:
    """Lineage of every asset."""

    models: dict[str, ModelLineage]
    nodes: dict[str, ModelNode]
    schemas: Schemas
    faults: dict[str, str] = field(default_factory=dict)
    """Asset -> why its lineage could not be extracted."""
    _into: dict[ColumnKey, list[Link]] = field(default_factory=lambda: defaultdict(list))
    _out_of: dict[ColumnKey, list[Link]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        """Index the links both ways."""
        for link in self.links():
            self._into[link.asset, link.column].append(link)
            self._out_of[link.src_asset, link.src_column].append(link)

    def links(self) -> Iterable[Link]:
        """All edges, sorted."""
        for asset in sorted(self.models):
            model = self.models[asset]
            for column, edges in model.columns.items():
                yield from (_link(edge, asset, column) for edge in sorted(edges))
            yield from (_link(edge, asset, ROWS) for edge in sorted(model.influence))

    def into(self, asset: str, column: str) -> list[Link]:
        """Links that end in a column (or in the rows, `*`)."""
        return self._into.get((asset, column), [])

    def out_of(self, asset: str, column: str) -> list[Link]:
        """Links that begin in a column."""
        return self._out_of.get((asset, column), [])

    def columns(self, asset: str) -> tuple[str, ...]:
        """Columns of an asset in order."""
        return self.schemas.columns(asset)


def _link(edge: Edge, asset: str, column: str) -> Link:
    return Link(edge.asset, edge.column, asset, column, edge.type, edge.subtype, edge.masking, edge.keeps, edge.path)


def extract_project(
    manifest: Manifest, schemas: Mapping[str, Mapping[str, str]], dialect: str = "duckdb",
    declared: Mapping[str, ModelLineage] | None = None, cache: LineageCache | None = None, strict: bool = True,
) -> Graph:
    """The column graph of a dbt project.

    `schemas` declares the columns of everything that is not a model (sources, tables written by Python); `declared`
    the lineage of what Python writes. With `strict`, a model whose lineage cannot be found raises ContractError
    naming it; without, it stands in `Graph.faults`.
    """
    known = Schemas({**schemas, **manifest.seeds}, dialect)
    models: dict[str, ModelLineage] = dict(declared or {})
    faults: dict[str, str] = {}
    cache = cache if cache is not None else LineageCache()
    for node in manifest.models:
        try:
            found = cache.get(node, known, extract)
        except ContractError as fault:
            if strict:
                raise ContractError(f"{node.asset}: {fault}. Remedy: declare the column, or correct the model.") from fault
            faults[node.asset] = str(fault)
            continue
        _admit(node.asset, found, models, known)
    return Graph(models, {node.asset: node for node in manifest.models}, known, faults)


def _admit(asset: str, found: ModelLineage, models: dict[str, ModelLineage], known: Schemas) -> None:
    """A model's lineage, its columns for those that read it, and the side table that its materialization keeps."""
    columns = {column: "unknown" for column in found.columns if column != ROWS}
    models[asset] = found
    known.add(asset, columns)
    side = restated_asset(asset)
    if side is not None:
        models[side] = restated_lineage(asset, columns)
        known.add(side, {**columns, **RESTATED_COLUMNS})


def upstream(graph: Graph, asset: str, column: str, hops: int | None = None, rows: bool = False) -> list[Reached]:
    """Links that lead to a column, nearest first. With `rows`, also what decides which rows the assets on the way
    have.

    Raises ContractError where the asset has no such column.
    """
    _require(graph, asset, column)

    def before(key: ColumnKey) -> list[Link]:
        links = graph.into(*key)
        return links + graph.into(key[0], ROWS) if rows else links

    return _walk((asset, column), hops, before, lambda link: (link.src_asset, link.src_column))


def downstream(graph: Graph, asset: str, column: str, hops: int | None = None, rows: bool = False) -> list[Reached]:
    """Links that lead from a column, nearest first. With `rows`, a column that decides an asset's rows reaches all of
    that asset's columns.

    Raises ContractError where the asset has no such column.
    """
    _require(graph, asset, column)

    def after(key: ColumnKey) -> list[Link]:
        if key[1] != ROWS:
            return [link for link in graph.out_of(*key) if rows or link.column != ROWS]
        return [link for name in graph.columns(key[0]) for link in graph.out_of(key[0], name)]

    return _walk((asset, column), hops, after, lambda link: (link.asset, link.column))


def _require(graph: Graph, asset: str, column: str) -> None:
    if column not in graph.columns(asset):
        raise ContractError(f"{asset} has no column {column}. Remedy: `lakehouse lineage {asset}` lists its columns.")


def _walk(
    start: ColumnKey, hops: int | None, links_of: Callable[[ColumnKey], list[Link]], far_end: Callable[[Link],
    ColumnKey]
) -> list[Reached]:
    found: dict[Link, int] = {}
    front, seen, distance = [start], {start}, 0
    while front and (hops is None or distance < hops):
        distance += 1
        beyond: list[ColumnKey] = []
        for key in front:
            for link in links_of(key):
                found.setdefault(link, distance)
                end = far_end(link)
                if end not in seen:
                    seen.add(end)
                    beyond.append(end)
        front = beyond
    return [Reached(distance, link) for link, distance in found.items()]


def sourceless_columns(graph: Graph) -> list[ColumnKey]:
    """Columns of models that have no source at all: constants, and nothing else may be among them."""
    return [
        (asset, column) for asset in sorted(graph.nodes) if asset in graph.models
        for column, edges in graph.models[asset].columns.items() if not edges
    ]


def influence_only(link: Link) -> bool:
    """Does the link decide rather than contribute?"""
    return link.type == INDIRECT
