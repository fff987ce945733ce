"""Values of many lines of one shape, told by the places of their marks: colons, commas and closing braces outside strings.

Belongs here: where values are, and that all else is the shape. Does not belong here: whether they are values (`shape.fits`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from transforms.decode.cells import FlagArray, NumberArray

_QUOTE, _NULL, _BACKSLASH = b'"n\\'
_FIRST_PRINTED = 0x20
_STRING = re.compile(r'"[^"\\]*"')
_MARK = re.compile(r"[:,}]")


@dataclass(frozen=True)
class Marks:
    """Marks of lines: their places in `content`, and for each line the first of them and how many it has. `lines`: where each line begins,
    and the last one ends. `quotes`: how many each line has. `escapes`: places of what JSON escapes in a text (RFC 8259 s7), and of
    backslashes."""

    content: NumberArray
    buffer: pa.Buffer
    lines: NumberArray
    places: NumberArray
    first: NumberArray
    counts: NumberArray
    quotes: NumberArray
    escapes: NumberArray


@dataclass(frozen=True)
class Slot:
    """Where a line has a value: behind which of its marks, and how much white space stands before and behind it."""

    mark: int
    before: int
    after: int


@dataclass(frozen=True)
class Values:
    """Values of those `lines` that are a shape in all else. A row of `starts` and `stops` tells where the values of one slot are in the
    content, quotes included; `are_texts`, `are_null`: which of them stand between quotes, which are null."""

    marks: Marks
    lines: NumberArray
    starts: NumberArray
    stops: NumberArray
    are_texts: FlagArray
    are_null: FlagArray

    def where(self, chosen: FlagArray) -> Values:
        """Those of some of the lines."""
        if chosen.all():
            return self
        return Values(self.marks, self.lines[chosen], self.starts[:, chosen], self.stops[:, chosen], self.are_texts[:, chosen],
                      self.are_null[:, chosen])

    def texts(self, slots: Sequence[int]) -> list[pa.StringArray]:
        """Texts of the values of some slots in order, without quotes; null where null is written."""
        bounds = np.empty((len(self.lines), 2 * len(slots)), np.int32)
        for place, slot in enumerate(slots):
            bounds[:, 2 * place] = self.starts[slot] + self.are_texts[slot]
            bounds[:, 2 * place + 1] = self.stops[slot] - self.are_texts[slot]
        texts = _between(bounds, self.marks.buffer)
        rows = np.arange(0, bounds.size, 2 * max(len(slots), 1))
        masks = (self.are_null[slot] if self.are_null[slot].any() else None for slot in slots)
        return [texts.take(pa.array(rows + 2 * place, mask=mask)) for place, mask in enumerate(masks)]


def marks_of(lines: pa.StringArray) -> Marks:
    """Find the marks of lines. Where a line has a backslash its marks may be wrong."""
    whole = lines if lines.offset == 0 else pa.concat_arrays([lines])
    offsets = np.frombuffer(whole.buffers()[1], np.int32, len(whole) + 1)
    content = np.frombuffer(whole.buffers()[2], np.uint8)[: offsets[-1]]
    places = np.flatnonzero((content == _QUOTE) | (content == ord(":")) | (content == ord(",")) | (content == ord("}")))
    is_quote = content[places] == _QUOTE
    bounds = np.searchsorted(places, offsets)
    quotes = np.zeros(len(places) + 1, np.int32)
    np.cumsum(is_quote, out=quotes[1:])
    behind, is_inside = quotes[bounds], quotes[1:] & 1
    if (behind & 1).any():  # each line begins outside a string, whatever stands before it
        is_inside = is_inside ^ np.repeat(behind[:-1] & 1, np.diff(bounds))
    marks = np.flatnonzero((is_inside == 0) & ~is_quote)
    before = np.searchsorted(marks, bounds)
    escapes = np.flatnonzero((content < _FIRST_PRINTED) | (content == _BACKSLASH))
    return Marks(content, whole.buffers()[2], offsets, places[marks], before[:-1], np.diff(before), np.diff(behind), escapes)


def slots_of(parts: Sequence[str | tuple[str, ...]]) -> tuple[list[Slot], int]:
    """Slots of a shape's values in order, and how many marks a line of it has."""
    slots, count = list[Slot](), 0
    texts = [_STRING.sub(lambda found: "_" * len(found[0]), part) if isinstance(part, str) else None for part in parts]
    for place, text in enumerate(texts):
        if text is None:
            before, after = texts[place - 1] or "", texts[place + 1] or ""
            slots.append(Slot(count - 1, len(_MARK.split(before)[-1].encode()), len(_MARK.split(after)[0].encode())))
        else:
            count += len(_MARK.findall(text))
    return slots, count


def cut(marks: Marks, slots: Sequence[Slot], around: Sequence[bytes], likely: NumberArray) -> Values:
    """Values of those lines, among some that have as many marks as a shape, that have what is `around` the slots byte by byte."""
    first = marks.first[likely]
    bounds = np.empty((len(likely), 2 * len(slots) + 2), np.int32)
    bounds[:, 0], bounds[:, -1] = marks.lines[likely], marks.lines[likely + 1]
    for place, slot in enumerate(slots):
        bounds[:, 2 * place + 1] = marks.places[first + slot.mark] + 1 + slot.before
        bounds[:, 2 * place + 2] = marks.places[first + slot.mark + 1] - slot.after
    lengths = np.diff(bounds, axis=1)
    fits = (lengths[:, ::2] == [len(one) for one in around]).all(axis=1) & (lengths[:, 1::2] > 0).all(axis=1)
    lines, bounds = likely[fits], bounds[fits]
    rows = np.arange(0, bounds.size, bounds.shape[1])[:, None]
    found = _between(bounds, marks.buffer).take(pa.array((rows + np.arange(0, bounds.shape[1], 2)).ravel()))
    whole = np.frombuffer(b"".join(around), np.uint8)
    said = np.frombuffer(found.buffers()[2], np.uint8, len(lines) * len(whole)).reshape(len(lines), len(whole))
    fits = (said == whole).all(axis=1)
    starts, stops = bounds[fits, 1:-1:2].T, bounds[fits, 2:-1:2].T
    begins = marks.content[starts]
    are_texts = (begins == _QUOTE) & (marks.content[stops - 1] == _QUOTE) & (stops - starts > 1)
    are_null = (begins == _NULL) & (stops - starts == len("null"))
    for place, byte in enumerate(b"null"):
        are_null[are_null] = marks.content[starts[are_null] + place] == byte
    return Values(marks, lines[fits], starts, stops, are_texts, are_null)


def _between(bounds: NumberArray, buffer: pa.Buffer) -> pa.StringArray:
    """Texts between neighbouring bounds, row after row."""
    offsets = np.append(bounds.ravel(), bounds[-1:, -1:]).astype(np.int32)
    return pa.StringArray.from_buffers(max(len(offsets) - 1, 0), pa.py_buffer(offsets), buffer)
