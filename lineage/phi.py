"""PHI levels along the edges: which columns hold protected health information because of where they come from.

3 PHI: a value that a payload said of a person; 2 derived: computed from such values, no single one can be read off;
1 influenced: only which value or which rows; 0 none. A column's level is the highest over its edges of what the edge
lets through. An unkeyed hash of an identifier lets everything through: it is still an identifier.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from lineage.declared import DELIVERY, PAYLOAD
from lineage.edges import CONDITIONAL, DIRECT, IDENTITY, OPAQUE, ROWS, WINDOW, Edge
from lineage.graph import ColumnKey, Graph

PHI, DERIVED, INFLUENCED, NONE = 3, 2, 1, 0

_STRUCTURAL = ("MSH-", "EVN-1", "EVN-4", "OBX-2", "OBX-11", "ORC-1", "OBR-25", "ISA", "GS0", "ST0", "BHT")
"""Fields that speak of the message and not of the person."""
_NO_VALUE = frozenset({"bytes", "header", "segment/id", "element/tag", "element/vr", "row/op", "row/sequence", "resource/resourceType",
    "resource/meta/versionId",
                       "entry/request/method"})


def source_levels(graph: Graph) -> dict[ColumnKey, int]:
    """Levels of the columns that no edge leads to: payload fields are PHI unless they speak of the message alone."""
    return {
        (PAYLOAD, field): NONE if field in _NO_VALUE or field.startswith(_STRUCTURAL) else PHI
        for field in graph.columns(PAYLOAD)
    } | {(DELIVERY, column): NONE for column in graph.columns(DELIVERY)}


def phi_levels(graph: Graph, sources: Mapping[ColumnKey, int] | None = None) -> dict[ColumnKey, int]:
    """The level of every column of every asset, and of every asset's row set (`*`)."""
    levels: dict[ColumnKey, int] = dict(sources if sources is not None else source_levels(graph))
    risen = True
    while risen:  # a model may read what Python made of another model; levels only rise, so this ends
        risen = False
        for key, edges in _edges_into(graph):
            level = max((_through(edge, levels) for edge in edges), default=NONE)
            if level > levels.setdefault(key, NONE):
                levels[key] = level
                risen = True
    return levels


def _edges_into(graph: Graph) -> Iterator[tuple[ColumnKey, Iterable[Edge]]]:
    for asset, model in graph.models.items():
        yield (asset, ROWS), model.influence
        for column, edges in model.columns.items():
            yield (asset, column), edges


def _through(edge: Edge, levels: Mapping[ColumnKey, int]) -> int:
    return min(levels.get((edge.asset, edge.column), NONE), _cap(edge))


def _cap(edge: Edge) -> int:
    if edge.type == DIRECT:
        return PHI if edge.keeps or edge.subtype in (IDENTITY, OPAQUE) else DERIVED
    return DERIVED if edge.subtype in (CONDITIONAL, WINDOW) else INFLUENCED
