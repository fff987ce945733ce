"""Values of many lines of one shape, told by the places of their marks: colons, commas and closing braces outside strings.

Belongs here: where values ought to be. Does not belong here: whether they are that (`shape.fits` puts them back and compares).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from transforms.decode.cells import FlagArray, NumberArray

_QUOTE, _NULL = b'"n'
_STRING = re.compile(r'"[^"\\]*"')
_MARK = re.compile(r"[:,}]")


@dataclass(frozen=True)
class Marks:
    """Marks of lines: their places in `content`, and for each line the first of them and how many it has."""

    content: NumberArray
    buffer: pa.Buffer
    places: NumberArray
    first: NumberArray
    counts: NumberArray


@dataclass(frozen=True)
class Slot:
    """Where a line has a value: behind which of its marks, and what stands between marks and value."""

    mark: int
    before: bytes
    after: bytes


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
    # Each line begins outside a string, whatever stands before it.
    is_inside = (quotes[1:] ^ np.repeat(quotes[bounds[:-1]], np.diff(bounds))) & 1
    marks = np.flatnonzero((is_inside == 0) & ~is_quote)
    before = np.searchsorted(marks, bounds)
    return Marks(content, whole.buffers()[2], places[marks], before[:-1], np.diff(before))


def slots_of(parts: Sequence[str | tuple[str, ...]]) -> tuple[list[Slot], int]:
    """Slots of a shape's values in order, and how many marks a line of it has."""
    slots, count = list[Slot](), 0
    texts = [_STRING.sub(lambda found: "_" * len(found[0]), part) if isinstance(part, str) else None for part in parts]
    for place, text in enumerate(texts):
        if text is None:
            before, after = texts[place - 1] or "", texts[place + 1] or ""
            slots.append(Slot(count - 1, _MARK.split(before)[-1].encode(), _MARK.split(after)[0].encode()))
        else:
            count += len(_MARK.findall(text))
    return slots, count


def cut(marks: Marks, slots: Sequence[Slot], likely: NumberArray) -> tuple[list[pa.StringArray], FlagArray]:
    """Texts at the slots of lines that have as many marks as the shape: strings without their quotes, null where null is written; and which
    lines have the white space around them that the shape has."""
    content, end = marks.content, len(marks.content) - 1
    fits = np.ones(len(likely), np.bool_)
    bounds = np.empty((len(likely), 2 * len(slots)), np.int32)
    nulls = []
    for place, slot in enumerate(slots):
        start = marks.places[marks.first[likely] + slot.mark] + 1
        stop = marks.places[marks.first[likely] + slot.mark + 1] - len(slot.after)
        for number, byte in enumerate(slot.before):
            fits &= content[np.minimum(start + number, end)] == byte
        for number, byte in enumerate(slot.after):
            fits &= content[np.minimum(stop + number, end)] == byte
        start = start + len(slot.before)
        first = content[np.minimum(start, end)]
        is_text = (first == _QUOTE) & (content[stop - 1] == _QUOTE) & (stop - start > 1)
        nulls.append((first == _NULL) & (stop - start == len("null")))
        bounds[:, 2 * place] = start + is_text
        bounds[:, 2 * place + 1] = stop - is_text
    fits &= (np.diff(bounds, axis=1) >= 0).all(axis=1) if len(slots) else True
    offsets = np.maximum.accumulate(np.append(bounds.ravel(), bounds[-1:, -1:]))
    texts = pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), marks.buffer)
    rows = np.arange(0, bounds.size, bounds.shape[1])
    return [texts.take(pa.array(rows + 2 * place, mask=is_null)) for place, is_null in enumerate(nulls)], fits
