"""Some records of a delimited text, as they are handed on.

Belongs here: what a piece holds and how it is cut. Does not belong here: how records are found (`grid.py`).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.landing.payload import FIELD_LIMIT

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_ROWS_AT_ONCE = 1 << 16


@dataclass(frozen=True)
class Piece:
    """Some records, counted from 0 in the text. `cells` holds those of the given `width` row after row, `numbers` says which they are;
    `odd` holds the texts of all others; `open_record` is the record whose quote is never closed (always the last of all).
    `has_marks`: some text up to here holds one of the characters that the reader was asked to tell of."""

    numbers: pa.Array
    cells: pa.StringArray
    width: int
    odd: dict[int, str]
    open_record: int | None = None
    has_marks: bool = False

    def __len__(self) -> int:
        return len(self.numbers) + len(self.odd)

    @property
    def last(self) -> int:
        """Number of its last record."""
        return max(self.numbers[-1].as_py() if len(self.numbers) else -1, max(self.odd, default=-1))

    def record(self, number: int, delimiter: str) -> list[str]:
        """Cells of one record."""
        if number in self.odd:
            return first_record((self.odd[number],), delimiter)
        place = pc.index(self.numbers, number).as_py()
        return list(self.rows(place, place + 1).cells.to_pylist())

    def rows(self, start: int, stop: int | None) -> Piece:
        """Those of the given width, by their place among them, and none of the others."""
        end = None if stop is None else stop * self.width
        return Piece(self.numbers[start:stop], self.cells[start * self.width : end], self.width, {}, None, self.has_marks)

    def column(self, place: int) -> pa.StringArray:
        """The cells of one column."""
        return self.in_order([place])

    def in_order(self, places: list[int]) -> pa.StringArray:
        """The cells of some columns row after row, in an order of their own."""
        rows = np.arange(0, len(self.cells), self.width, dtype=np.int32)
        return self.cells.take(pa.array((rows[:, None] + np.array(places, np.int32)).ravel()))

    def between(self, first: int, end: int | None) -> Piece:
        """The records from `first` to before `end` (null: all that follow)."""
        start = pc.sum(pc.less(self.numbers, first)).as_py() or 0
        stop = len(self.numbers) if end is None else pc.sum(pc.less(self.numbers, end)).as_py() or 0
        if start == 0 and stop == len(self.numbers) and not self.odd:
            return self
        odd = {number: text for number, text in self.odd.items() if first <= number and (end is None or number < end)}
        return replace(self.rows(start, stop), odd=odd, open_record=self.open_record)

    def slices(self) -> Iterator[Piece]:
        """Those of the given width, a bounded number of records at a time; one empty slice where there are none."""
        for start in range(0, max(len(self.numbers), 1), _ROWS_AT_ONCE):
            yield self.rows(start, start + _ROWS_AT_ONCE)


def first_record(parts: Iterable[str], delimiter: str) -> list[str]:
    """Cells of the first record of a text; none where the text holds no record, or one that is too large."""
    csv.field_size_limit(FIELD_LIMIT)
    try:
        return next((record for record in csv.reader(_lines(parts), delimiter=delimiter) if record), [])
    except csv.Error:
        return []


def _lines(parts: Iterable[str]) -> Iterator[str]:
    begun = ""
    for part in parts:
        begun += part
        # A carriage return at the end may be half of a line end.
        end = max(begun.rfind("\n"), begun.rfind("\r", 0, -1)) + 1
        yield from (line[0] for line in _LINE.finditer(begun, 0, end))
        begun = begun[end:]
        if len(begun) > FIELD_LIMIT:
            raise csv.Error("a line is larger than a field may be")
    yield from (line[0] for line in _LINE.finditer(begun))
