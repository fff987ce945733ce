"""Blocks of a text as the file that Arrow's reader of delimited text reads from.

Belongs here: how much is handed over at once, and how far the reader may be ahead. Does not belong here: records.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Iterable

_PATIENCE = 2.0  # seconds; a reader that finds nothing to give in what it has read must be let on


class Feed(io.RawIOBase):
    """A file of blocks, read once; it ends after `limit` reads where that is given. `reads`: how often it was read; `has_marks`: one of
    the given characters was among what has been read.

    Arrow reads 32 blocks ahead by a thread of its own, which would be 32 times the memory; here it waits where it is `ahead` of what was
    taken of it (`take`)."""

    def __init__(self, blocks: Iterable[bytes], marks: tuple[str, ...], ahead: int, limit: int | None = None) -> None:
        super().__init__()
        self._blocks = iter(blocks)
        self._held = bytearray()
        self._marks = [mark.encode() for mark in marks]
        self._ahead = ahead
        self._limit = limit
        self._taken = threading.Condition()
        self._takes = 0
        self._is_left = False
        self.reads = 0
        self.has_marks = False

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def take(self) -> None:
        """Say that what came of one block was taken."""
        with self._taken:
            self._takes += 1
            self._taken.notify_all()

    def leave(self) -> None:
        """Say that no more is taken."""
        with self._taken:
            self._is_left = True
            self._taken.notify_all()

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes, none at the end. They do not end with a carriage return: Arrow drops the line feed of a CRLF inside quotes
        where one block ends between the two."""
        with self._taken:
            self._taken.wait_for(lambda: self._is_left or self.reads - self._takes < self._ahead, _PATIENCE)
        if self._is_left or self.reads == self._limit:
            return b""
        self.reads += 1
        for block in self._blocks:
            self.has_marks = self.has_marks or any(mark in block for mark in self._marks)
            self._held += block
            if len(self._held) >= size:
                break
        taken = bytes(self._held[:size])
        kept = taken.rstrip(b"\r") or taken
        del self._held[: len(kept)]
        return kept
