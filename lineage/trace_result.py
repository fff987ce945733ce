"""What a trace found, as data: the steps from the asked value to the bytes, each with what it is and by which rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

REPLAYED, SUPERSET, OUTDATED = "replayed equal", "superset", "derived differently now"
"""Badges: the model run again on these rows alone gives the same; they hold all that feed the value and more; the model gives another
value now, since the table has not been derived since code or rows changed."""


@dataclass(frozen=True)
class Question:
    """What is traced: a row of an asset by its key, and one of its columns (empty: the whole row)."""

    asset: str
    key: Mapping[str, str]
    column: str
    reader: str
    purpose: str


@dataclass(frozen=True)
class Value:
    """One value of a row. `behind` names the record that says it, where rows are folded from several."""

    name: str
    value: str | None
    is_asked: bool = False
    behind: str = ""


@dataclass(frozen=True)
class Excerpt:
    """Bytes of a payload around what was asked, as text; `offset` and `length` are of the marked bytes."""

    payload_id: str
    locator: str
    offset: int
    length: int
    before: str
    marked: str
    after: str


@dataclass(frozen=True)
class Candidate:
    """A row that was looked at: whether it counts, and the reason."""

    values: tuple[Value, ...]
    counts: bool
    reason: str
    asset: str = ""
    """Asset to trace the row in, by its `fact_key`; empty where it is no further question."""


@dataclass(frozen=True)
class Step:
    """One card of a trace."""

    layer: str
    title: str
    asset: str
    key: tuple[tuple[str, str], ...]
    values: tuple[Value, ...] = ()
    rule: str = ""
    sql: str = ""
    time: str = ""
    candidates: tuple[Candidate, ...] = ()
    excerpt: Excerpt | None = None


@dataclass(frozen=True)
class Trace:
    """A whole trace, from the asked value down."""

    answer: str
    steps: tuple[Step, ...]
    badge: str = ""
    """What deriving the value again said."""
    influence: tuple[tuple[str, str], ...] = field(default=())
    """Columns (asset, column) that decided which rows counted and are not followed."""
