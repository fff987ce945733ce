"""What column lineage says: edges between columns, and the columns that decide which rows there are.

DIRECT: the value of the source column goes into the value of the output column.
  IDENTITY  unchanged; CAST  another type; TRANSFORMATION  computed; AGGREGATION  computed over several rows.
INDIRECT: the source column decides which value is taken, or which rows there are.
  in the expression: CONDITIONAL (case), WINDOW (partition, order), FILTER, SORT (order inside an aggregate),
  SUBQUERY; of the row set: JOIN, FILTER, GROUP_BY, SORT (with a limit or distinct on), SUBQUERY.
OPAQUE: the shape is not understood; every column of every relation read counts as a source. Never "no source".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from lineage.json_path import joined, settled

DIRECT, INDIRECT = "DIRECT", "INDIRECT"
IDENTITY, CAST, TRANSFORMATION, AGGREGATION, OPAQUE = "IDENTITY", "CAST", "TRANSFORMATION", "AGGREGATION", "OPAQUE"
CONDITIONAL, WINDOW, FILTER, SORT = "CONDITIONAL", "WINDOW", "FILTER", "SORT"
JOIN, GROUP_BY, SUBQUERY = "JOIN", "GROUP_BY", "SUBQUERY"

ROWS = "*"
"""In place of a column: which rows a relation has. `count(*)` comes from the rows and from no column."""

RANK = {IDENTITY: 0, CAST: 1, TRANSFORMATION: 2, AGGREGATION: 3, OPAQUE: 4}
"""Along a path the strongest of the DIRECT subtypes counts."""


class Edge(NamedTuple):
    """One source column and how it reaches what the edge belongs to: an output column, or a row set."""

    asset: str
    column: str
    type: str = DIRECT
    subtype: str = IDENTITY
    masking: bool = False
    """Does a hash stand between? An unkeyed hash of an identifier is still an identifier."""
    keeps: bool = True
    """Can a value of the source come out as it went in? False behind count, sum, average and comparisons."""
    path: str = ""
    """Where in a JSON document, as `/name/0/family` (`*`: every element); empty: the whole column."""


class Step(NamedTuple):
    """One step of a path: what an expression does to a column it mentions."""

    type: str = DIRECT
    subtype: str = IDENTITY
    masking: bool = False
    keeps: bool = True
    path: str = ""


def compose(edge: Edge, step: Step) -> Edge:
    """The edge after one more step: leaf to middle, then middle to output."""
    masking, keeps, path = edge.masking or step.masking, edge.keeps and step.keeps, joined(edge.path, step.path)
    if step.type == INDIRECT:
        return Edge(edge.asset, edge.column, INDIRECT, step.subtype, masking, False, path)
    if edge.type == INDIRECT:
        return Edge(edge.asset, edge.column, INDIRECT, edge.subtype, masking, False, path)
    subtype = edge.subtype if RANK[edge.subtype] >= RANK[step.subtype] else step.subtype
    return Edge(edge.asset, edge.column, DIRECT, subtype, masking, keeps, path)


def indirect(edges: set[Edge], subtype: str) -> set[Edge]:
    """The same sources as influence of one kind."""
    return {Edge(edge.asset, edge.column, INDIRECT, subtype, edge.masking, False, edge.path) for edge in edges}


def merged(edges: Iterable[Edge]) -> set[Edge]:
    """One edge for each source, kind and path: masked where every way is masked, keeping where any way keeps."""
    ways: dict[tuple[str, str, str, str, str], list[Edge]] = {}
    for edge in edges:
        ways.setdefault((edge.asset, edge.column, edge.type, edge.subtype, settled(edge.path)), []).append(edge)
    return {
        Edge(asset, column, kind, subtype, all(e.masking for e in same), any(e.keeps for e in same), path)
        for (asset, column, kind, subtype, path), same in ways.items()
    }


@dataclass
class ModelLineage:
    """Where the columns of one model come from."""

    columns: dict[str, set[Edge]] = field(default_factory=dict)
    influence: set[Edge] = field(default_factory=set)
    """What decides which rows there are."""
    expressions: dict[str, str] = field(default_factory=dict)
    """SQL of each output column, in the terms of the model's last select."""
    reads: set[str] = field(default_factory=set)
    opaque: str | None = None
    """Why the shape is not understood; None where it is."""
