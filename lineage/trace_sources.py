"""What a trace reads from: a warehouse, payloads, column edges and models, all handed in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lineage.links import ColumnLink

Query = Callable[[str, Sequence[object]], list[dict[str, Any]]]
Record = Mapping[str, Any]


@dataclass(frozen=True)
class Sources:
    """What a trace reads from."""

    query: Query
    read_payload: Callable[[str], bytes]
    links_into: Callable[[str, str], Sequence[ColumnLink]]
    model_sql: Callable[[str], str | None]


def lowered(rows: Iterable[Mapping[str, Any]]) -> list[Record]:
    """Rows with column names in lower case, as both engines' answers are compared."""
    return [{name.lower(): value for name, value in row.items()} for row in rows]
