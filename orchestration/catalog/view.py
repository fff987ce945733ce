"""What a page consists of, as data: a question, its answer, and sections below. Templates only lay it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from markupsafe import Markup

Row: TypeAlias = Mapping[str, object]


@dataclass(frozen=True)
class Crumb:
    """One step of the way to a page; `layer` colours it as a stage of the data's life."""

    label: str
    href: str = ""
    layer: str = ""


@dataclass(frozen=True)
class Empty:
    """What an empty table says: what would be here, and the command that puts it there."""

    sentence: str
    command: str = ""


@dataclass(frozen=True)
class Column:
    """One column of a table. `href` is an address with `{names}` of the row's columns."""

    name: str
    label: str
    kind: str = "text"
    href: str = ""
    help: str = ""
    is_shown: bool = True
    """Columns that the page says already are in the twins only."""


@dataclass(frozen=True)
class Table:
    """A table with its twins; `rows` are those shown of `total`."""

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: Sequence[Row]
    total: int
    empty: Empty
    order: str = ""
    """Column that sorts, with a leading `-` where downwards."""

    @property
    def shown_columns(self) -> tuple[Column, ...]:
        """Columns that say something in the rows shown; an empty one would only take room. The twins have all."""
        return tuple(
            column for column in self.columns
            if column.is_shown and (column.kind == "count" or any(row[column.name] not in (None, "") for row in self.rows)))


@dataclass(frozen=True)
class HeatCell:
    """One facility and day."""

    day: str
    status: str
    title: str
    href: str


@dataclass(frozen=True)
class HeatRow:
    """One facility's strip of days."""

    label: str
    href: str
    cells: Sequence[HeatCell]


@dataclass(frozen=True)
class Heat:
    """Facility by day, worst first; `hidden` rows are left out and all alike."""

    caption: str
    days: Sequence[str]
    rows: Sequence[HeatRow]
    hidden: int = 0
    legend: str = "● accounted for, ▲ held back or warned, ■ failed or unbalanced, · nothing received."
    empty: Empty = field(default_factory=lambda: Empty("No partition has been written yet.", "lakehouse materialize"))


@dataclass(frozen=True)
class Figure:
    """One number that answers a question, and where it leads."""

    value: str
    label: str
    href: str = ""
    status: str = ""


@dataclass(frozen=True)
class Figures:
    """A row of figures."""

    items: Sequence[Figure]


@dataclass(frozen=True)
class Fact:
    """A name and a value, shown as its kind, and what is to be said of it."""

    label: str
    value: object
    kind: str = "text"
    href: str = ""
    note: str = ""


@dataclass(frozen=True)
class Facts:
    """A list of facts."""

    caption: str
    items: Sequence[Fact]


@dataclass(frozen=True)
class Picture:
    """A drawing made here, never from stored markup."""

    caption: str
    svg: Markup
    note: str = ""


@dataclass(frozen=True)
class Code:
    """Text in a fixed pitch."""

    caption: str
    text: str
    folded: bool = False


@dataclass(frozen=True)
class Prose:
    """A paragraph."""

    text: str


Section: TypeAlias = Table | Heat | Figures | Facts | Picture | Code | Prose


@dataclass(frozen=True)
class Page:
    """One page: the question, the answer as a sentence with its status, the way here, and the sections."""

    title: str
    answer: str
    status: str
    crumbs: Sequence[Crumb]
    sections: Sequence[Section]
    zone: str = "UTC"

    def table(self, name: str) -> Table | None:
        """The table of that name, or the first where the name is empty."""
        tables = [section for section in self.sections if isinstance(section, Table)]
        return next((table for table in tables if not name or table.name == name), None)
