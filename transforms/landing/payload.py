"""A payload: bytes as received, named by what they are, read from their beginning as often as asked.

Belongs here: the name of bytes, reading them block by block and line by line, and the limits of what is held in memory at once. Does
not belong here: where they are kept, who sent them (`delivery.py`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

BLOCK_BYTES = 1 << 20
# A payload that must be read as a whole (X12, C-CDA, DICOM, Parquet, a JSON text over several lines) may be as large as this.
WHOLE_LIMIT = 512 << 20
# One field of a delimited file; a quote that is never closed takes no more than this into memory.
FIELD_LIMIT = 64 << 20


def payload_id(content: bytes) -> str:
    """SHA-256 of the bytes, lower-case hex: the payload's name."""
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True)
class Payload:
    """Bytes as received; they are never changed. `opened` gives them from the beginning, in blocks of any length."""

    size: int
    opened: Callable[[], Iterable[bytes]] = field(repr=False)

    @classmethod
    def of(cls, content: bytes) -> Payload:
        """Payload of bytes in memory."""
        return cls(len(content), lambda: (content,))

    @property
    def payload_id(self) -> str:
        """Name of the payload; reads it once."""
        return self.digest("sha256")

    def digest(self, algorithm: str) -> str:
        """Hash of the bytes, lower-case hex; reads them once."""
        found = hashlib.new(algorithm, usedforsecurity=algorithm != "md5")
        for block in self.blocks():
            found.update(block)
        return found.hexdigest()

    def blocks(self) -> Iterator[bytes]:
        """The bytes in order; no block is empty."""
        return filter(None, iter(self.opened()))

    def head(self, length: int) -> bytes:
        """The first bytes."""
        found = b""
        for block in self.blocks():
            found += block[:length]
            if len(found) >= length:
                break
        return found[:length]

    def content(self) -> bytes:
        """All bytes at once."""
        return b"".join(self.opened())

    def lines(self) -> Iterator[bytes]:
        """The bytes between line feeds, as `bytes.split` gives them: a payload that ends with one has an empty last line."""
        begun: list[bytes] = []
        for block in self.blocks():
            first, *rest = block.split(b"\n")
            begun.append(first)
            if rest:
                yield b"".join(begun)
                yield from rest[:-1]
                begun = rest[-1:]
        yield b"".join(begun)
