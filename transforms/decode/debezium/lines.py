"""A payload's lines, some megabytes at a time.

Belongs here: where lines begin and end, and which white space is around them. Does not belong here: what they say (`batch.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from transforms.decode.cells import NumberArray
from transforms.landing.payload import Payload

_BATCH_BYTES = 4 << 20  # lines that are read together: small enough for the processor's cache
_BOM = b"\xef\xbb\xbf"
_LINE_FEED, _RETURN, _BLANK, _TAB = b"\n\r \t"
_SPACE = b" \t\r"


@dataclass(frozen=True)
class Lines:
    """Lines that are not blank, without the white space around them, and their numbers, counted from 1 in the payload."""

    numbers: NumberArray
    texts: pa.BinaryArray


def lines_of(payload: Payload) -> Iterator[Lines]:
    """Lines of a payload, a bounded number of bytes at a time; one line is never divided."""
    behind = 0
    for block in _blocks(payload):
        ends = np.flatnonzero(np.frombuffer(block, np.uint8) == _LINE_FEED)
        found = _cut(block, ends, behind)
        behind += len(ends)
        if len(found.numbers):
            yield found


def _blocks(payload: Payload) -> Iterator[bytes]:
    """Whole lines, each with its line feed, without byte order mark."""
    waiting, size, ahead = list[bytes](), 0, len(_BOM) if payload.head(len(_BOM)) == _BOM else 0
    for block in payload.blocks():
        for start in range(0, len(block), _BATCH_BYTES):
            part = block[start : start + _BATCH_BYTES]
            waiting.append(part)
            size += len(part)
            end = part.rfind(b"\n") + 1 if size >= _BATCH_BYTES else 0
            if end:
                yield b"".join([*waiting[:-1], part[:end]])[ahead:]
                waiting, size, ahead = [part[end:]], len(part) - end, 0
    yield (b"".join(waiting) + b"\n")[ahead:]


def _cut(block: bytes, ends: NumberArray, behind: int) -> Lines:
    content = np.frombuffer(block, np.uint8)
    starts = np.concatenate([[0], ends[:-1] + 1])
    stops = ends - ((ends > starts) & (content[ends - 1] == _RETURN))
    is_line = stops > starts
    places = np.flatnonzero(is_line)
    starts, stops = starts[places], stops[places]
    around = content[np.concatenate([starts, stops - 1])]
    if ((around == _BLANK) | (around == _TAB) | (around == _RETURN)).any():
        stripped = [line.strip(_SPACE) for line in block.split(b"\n")[:-1]]
        numbers = [number for number, line in enumerate(stripped) if line]
        return Lines(np.array(numbers, np.int64) + behind + 1, pa.array([stripped[number] for number in numbers], pa.binary()))
    bounds = np.append(np.stack([starts, stops], axis=1).ravel(), stops[-1:]).astype(np.int32)
    texts = pa.BinaryArray.from_buffers(pa.binary(), max(len(bounds) - 1, 0), [None, pa.py_buffer(bounds), pa.py_buffer(block)])
    return Lines(places + behind + 1, texts.take(pa.array(np.arange(0, 2 * len(places), 2))))
