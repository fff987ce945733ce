"""A batch of lines -> its events: most of them by their shapes, the others one by one.

Belongs here: which way each line is read, and what shapes a file has shown so far. Does not belong here: the ways themselves (`shape.py`,
`event.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from transforms.decode.debezium.cutting import cut, marks_of
from transforms.decode.debezium.event import EventReader, Layout, Path, Said, said
from transforms.decode.debezium.rows import Events, Places
from transforms.decode.debezium.shape import Shape, events_of, fits, shape_of
from transforms.decode.json_text import JsonReader, is_too_deep
from transforms.facilities.entry import Source

_FEW = 400  # below this, reading lines one by one costs less than asking for their shapes
_SAMPLE = 40  # lines of those left that shapes are learnt from
_ROUNDS = 4  # of learning in one batch, and shapes of one file: bounds what a file whose lines all differ can cost
_SHAPES = 24


@dataclass
class BatchReader:
    """Reads the lines of one file, batch by batch."""

    source: Source
    _shapes: dict[tuple[Layout, tuple[str | Path, ...]], Shape] = field(default_factory=dict)
    _kinds: dict[Path, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._json = JsonReader()
        self._events = EventReader(self.source)

    def read(self, places: Places) -> tuple[list[Events], Places]:
        """Events of the lines by layout, and the lines that are none."""
        found: list[Events] = []
        left = places
        for _ in range(_ROUNDS if len(places) >= _FEW else 0):
            if self._shapes:
                matched, left = self._matched(left)
                found += matched
            if len(left) < _FEW or not self._learnt(left):
                break
        told, unread = self._one_by_one(left)
        return found + told, unread

    def _parsed(self, line: str) -> tuple[Any, Layout] | None:
        if is_too_deep(line.encode()):
            return None
        try:
            value, repeats = self._json.parse(line)
        except ValueError:
            return None
        layout = None if repeats else self._events.layout(value)
        return None if layout is None else (value, layout)

    def _learnt(self, lines: Places) -> bool:
        """Learn from some lines; tells whether there was anything to learn."""
        before = len(self._shapes), len(self._kinds)
        for line in lines.texts[:: max(len(lines) // _SAMPLE, 1)]:
            parsed = self._parsed(line.as_py())
            shape = None if parsed is None else shape_of(line.as_py(), *parsed)
            name = None if shape is None else (shape[0].layout, shape[0].parts)
            if shape is not None and name is not None and (name in self._shapes or len(self._shapes) < _SHAPES):
                self._shapes.setdefault(name, shape[0])
                self._kinds |= {path: kind for path, kind in shape[1].items() if path not in self._kinds}
        return (len(self._shapes), len(self._kinds)) != before

    def _matched(self, lines: Places) -> tuple[list[Events], Places]:
        """Events of the lines that have a known shape, and the lines that have none."""
        marks = marks_of(lines.texts)
        events, is_left = [], np.ones(len(lines), np.bool_)
        for shape in self._shapes.values():
            slots, count = shape.slots
            likely = np.flatnonzero(is_left & (marks.counts == count))
            if not len(likely):
                continue
            values = cut(marks, slots, shape.around, likely)
            if len(values.lines):
                values = values.where(fits(shape, self._kinds, values))
            if len(values.lines):
                told = {path: place for place, path in enumerate(shape.paths) if path in self._kinds and shape.tells(path)}
                columns = dict(zip(told, values.texts(list(told.values())), strict=True))
                events.append(events_of(shape, self._kinds, columns, lines.take(pa.array(values.lines))))
                is_left[values.lines] = False
        return events, lines.where(pa.array(is_left))

    def _one_by_one(self, lines: Places) -> tuple[list[Events], Places]:
        found: dict[tuple[Layout, tuple[str, ...]], list[tuple[int, Said]]] = {}
        unread = []
        for place, line in enumerate(lines.texts.to_pylist()):
            try:
                parsed = self._parsed(line)
                one = None if parsed is None else said(*parsed)
            except UnicodeEncodeError:
                parsed = one = None
            if parsed is None or one is None:
                unread.append(place)
            else:
                found.setdefault((parsed[1], tuple(one.image)), []).append((place, one))
        events = [
            Events.of(layout, lines.take(_indices([place for place, _ in rows])), [one for _, one in rows])
            for (layout, _), rows in found.items()]
        return events, lines.take(_indices(unread))


def _indices(places: Sequence[int]) -> pa.Array:
    return pa.array(places, pa.int32())
