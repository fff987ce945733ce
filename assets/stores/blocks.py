"""Files read block by block."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from transforms.landing.payload import BLOCK_BYTES


def read_blocks(path: Path) -> Iterator[bytes]:
    """Give a file's bytes from its beginning. Raises OSError where it cannot be read."""
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            yield block
