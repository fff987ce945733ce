"""Column edges out of the catalog, of the code in force: one asset's neighbours, one column's whole way."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from lineage.edges import DIRECT

CURRENT_EDGES = """
select e.src_asset, e.src_col, e.model, e.out_col, e.type, e.subtype, e.path, e.masking, e.expr_sql
from column_edge e join model m on m.asset = e.model and m.code_version = e.code_version and m.current = 1
"""


class ColumnLink(NamedTuple):
    """One edge, from a source column to an output column."""

    src_asset: str
    src_col: str
    asset: str
    column: str
    type: str
    subtype: str
    path: str
    masking: bool
    expression: str


Reached = tuple[int, ColumnLink]
"""An edge, and how many assets it lies away from the column asked about."""


@dataclass(frozen=True)
class Way:
    """The edges that a value takes, and the edges that decide along it; the latter are named and not followed."""

    values: list[Reached]
    deciding: list[Reached]

    @property
    def assets(self) -> list[str]:
        """Assets that the value passes, nearest first."""
        order: dict[str, int] = {}
        for distance, link in self.values:
            for asset in (link.src_asset, link.asset):
                order[asset] = min(order.get(asset, distance), distance)
        return sorted(order, key=lambda asset: (order[asset], asset))


def neighbours(connection: sqlite3.Connection, asset: str) -> list[ColumnLink]:
    """Edges into and out of an asset, one hop each way."""
    return _select(connection, "where e.model = ?", asset) + _select(connection,
        "where e.src_asset = ? and e.model <> ?", asset, asset)


def links_into(connection: sqlite3.Connection, asset: str, column: str) -> list[ColumnLink]:
    """Edges that end in a column."""
    return _select(connection, "where e.model = ? and e.out_col = ?", asset, column)


def upstream_way(connection: sqlite3.Connection, asset: str, column: str, hops: int = 12) -> Way:
    """What a column's value comes from."""
    return _walk(
        (asset, column), hops, lambda key: links_into(connection, *key),
        lambda link: (link.src_asset, link.src_col))


def downstream_way(connection: sqlite3.Connection, asset: str, column: str, hops: int = 12) -> Way:
    """What a column's value goes into."""
    return _walk(
        (asset, column), hops, lambda key: _select(connection, "where e.src_asset = ? and e.src_col = ?", *key),
        lambda link: (link.asset, link.column))


def _select(connection: sqlite3.Connection, where: str, *values: str) -> list[ColumnLink]:
    rows = connection.execute(f"{CURRENT_EDGES} {where} order by 1, 2, 3, 4, 5, 6, 7", values)
    return [ColumnLink(*row) for row in rows]


def _walk(
    start: tuple[str, str], hops: int, links_of: Callable[[tuple[str, str]], list[ColumnLink]],
    far_end: Callable[[ColumnLink], tuple[str, str]],
) -> Way:
    values: dict[ColumnLink, int] = {}
    deciding: dict[ColumnLink, int] = {}
    front, seen = [start], {start}
    for distance in range(1, hops + 1):
        beyond = []
        for link in (link for key in front for link in links_of(key)):
            if link.type != DIRECT:
                deciding.setdefault(link, distance)
                continue
            values.setdefault(link, distance)
            end = far_end(link)
            if end not in seen:
                seen.add(end)
                beyond.append(end)
        front = beyond
    return Way([(distance, link) for link, distance in values.items()], [(distance, link) for link, distance in deciding.items()])
