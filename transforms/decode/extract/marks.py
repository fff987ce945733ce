"""Records of a block of delimited text, told by the places of its marks: delimiters, line ends, quotes.

Belongs here: blocks whose quotes stand as RFC 4180 has them, all records at once. Does not belong here: blocks that hold anything else
(`grid.py` gives them to a reader that goes byte by byte).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from transforms.decode.cells import NumberArray, texts_of

_LINE_FEED, _RETURN, _QUOTE = b'\n\r"'


@dataclass(frozen=True)
class Records:
    """The records that are whole in a block: `cells` of those of the given width, row after row; texts of all others by their number,
    counted from 0 over both; `size` is how many bytes of the block they are."""

    cells: pa.StringArray
    odd: dict[int, str]
    count: int
    size: int


def read_block(block: bytes, delimiter: str, width: int) -> Records | None:
    """Records of a block that begins with one; null where its marks do not tell them."""
    found = _marks(block, ord(delimiter))
    if found is None:
        return None
    marks, dropped = found
    content = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(content[marks] == _LINE_FEED)
    if not len(ends):
        return Records(pa.array([], pa.string()), {}, 0, 0)
    size = int(marks[ends[-1]]) + 1
    marks, dropped = marks[: ends[-1] + 1], dropped[: np.searchsorted(dropped, size)]
    starts = np.concatenate([[0], marks[ends[:-1]] + 1])
    lengths = marks[ends] - starts
    if len(dropped):  # a carriage return before a line feed is no part of the line
        lengths -= (lengths > 0) & (content[marks[ends] - 1] == _RETURN)
    widths, is_line = np.diff(ends, prepend=-1), lengths > 0
    is_even = (widths == width) & is_line
    texts = np.diff(marks, prepend=-1) - 1
    if len(dropped):
        texts -= np.bincount(np.searchsorted(marks, dropped), minlength=len(marks))
    numbers = np.cumsum(is_line) - 1  # an empty line is no record
    odd = {int(numbers[place]): block[starts[place] : starts[place] + lengths[place]].decode()
           for place in np.flatnonzero(~is_even & is_line).tolist()}
    if not is_even.all():
        texts = texts[np.repeat(is_even, widths)]
    lines = np.diff(is_even, prepend=False, append=False).nonzero()[0]  # where runs of such lines begin and end
    runs = np.concatenate([starts, [size]])[lines].reshape(-1, 2).tolist()
    inside = _without(block, runs, np.concatenate([marks, dropped])) if len(dropped) else _without_marks(block, runs, delimiter)
    return Records(texts_of(inside, texts), odd, int(numbers[-1]) + 1, size)


def _without_marks(block: bytes, runs: list[list[int]], delimiter: str) -> bytes:
    """Bytes of some runs of lines without their marks, where no value holds one."""
    return b"".join(block[start:stop] for start, stop in runs).translate(None, f"{delimiter}\n".encode())


def _without(block: bytes, runs: list[list[int]], places: NumberArray) -> bytes:
    """Bytes of some runs of lines but for those at the places."""
    content = np.frombuffer(block, np.uint8)
    kept = np.ones(len(block), np.bool_)
    kept[places] = False
    return b"".join(content[start:stop][kept[start:stop]].tobytes() for start, stop in runs)


def _marks(block: bytes, delimiter: int) -> tuple[NumberArray, NumberArray] | None:
    """Places of what ends a cell, and of quotes and carriage returns that are no part of one; null where they stand otherwise."""
    content = np.frombuffer(block, np.uint8)
    is_mark = (content == delimiter) | (content == _LINE_FEED)
    if b'"' not in block and b"\r" not in block:
        return np.flatnonzero(is_mark), np.array([], np.int64)
    places = np.flatnonzero(is_mark | (content == _QUOTE) | (content == _RETURN))
    marks = content[places]
    is_quote = marks == _QUOTE
    is_inside = np.cumsum(is_quote) % 2 == 1  # of quotes: this one opens
    before = content[places - 1]
    before[places == 0] = _LINE_FEED
    after = content[np.minimum(places + 1, len(content) - 1)]
    opens, closes = is_quote & is_inside, is_quote & ~is_inside
    returns = (marks == _RETURN) & ~is_inside
    begins = (before == delimiter) | (before == _LINE_FEED)
    is_last = places == len(content) - 1
    ends = (after == delimiter) | (after == _LINE_FEED) | (after == _RETURN) | is_last
    if not ((begins | (before == _QUOTE))[opens].all() and (ends | (after == _QUOTE))[closes].all()
            and ((after == _LINE_FEED) | is_last)[returns].all()):
        return None
    is_doubled = opens & ~begins
    return places[~is_quote & ~is_inside & ~returns], places[(is_quote & ~is_doubled) | returns]
