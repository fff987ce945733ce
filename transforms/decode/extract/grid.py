"""A delimited text as records of cells (RFC 4180), piece by piece, all cells of a piece at a time.

Belongs here: who reads which part of a text. Does not belong here: how (`marks.py`, `rest.py`), what header, trailer or columns mean
(`file.py`).
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from transforms.decode.extract.marks import Records, read_block
from transforms.decode.extract.piece import Piece
from transforms.decode.extract.rest import read_rest
from transforms.decode.extract.text import Text

BLOCK_BYTES = 8 << 20  # large enough that hashing it pays, small enough for the processor's cache


def read_pieces(text: Text, delimiter: str, width: int, marks: tuple[str, ...] = ()) -> Iterator[Piece]:
    """Records of a text that ought to have `width` cells each: by their marks up to the first block that these do not tell."""
    begin = done = 0
    held = b""
    for part in _parts(text):
        block = held + part
        # A byte order mark is for the other reader, which drops it.
        is_plain = delimiter not in '\r\n"' and (begin > 0 or not block.startswith(codecs.BOM_UTF8))
        records = read_block(block, delimiter, width) if is_plain else None
        if records is None or (not records.size and len(block) > 2 * BLOCK_BYTES):
            break
        held = block[records.size :]
        begin += records.size
        if records.count:
            yield _piece(records, done, width, any(mark.encode() in block for mark in marks))
            done += records.count
    else:
        if not held:
            return
    yield from read_rest(text, begin, done, delimiter, width, marks)


def _piece(records: Records, done: int, width: int, has_marks: bool) -> Piece:
    numbers = np.arange(done, done + records.count)
    odd = {done + number: text for number, text in records.odd.items()}
    return Piece(pa.array(np.delete(numbers, list(records.odd))), records.cells, width, odd, None, has_marks)


def _parts(text: Text) -> Iterator[bytes]:
    """The text in parts, the last of which ends with a line end."""
    waiting, size = list[bytes](), 0
    for block in text.in_utf8():
        for start in range(0, len(block), BLOCK_BYTES):
            waiting.append(block[start : start + BLOCK_BYTES])
            size += len(waiting[-1])
            if size >= BLOCK_BYTES:
                yield b"".join(waiting)
                waiting, size = [], 0
    final = b"".join(waiting)
    yield final if final.endswith(b"\n") else final + b"\n"
