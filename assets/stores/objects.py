"""Named bytes behind one small interface: what landing and raw need of a disk or of an object store.

`FolderObjects` keeps them as files; `s3_objects` keeps them in a bucket. Names are relative paths with `/`. What belongs here: keeping
bytes. Not here: what they mean, and their encryption (`envelope`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from assets.stores.blocks import read_blocks
from assets.stores.durable import sync_folder, write_durable, write_temporary


class ObjectStore(Protocol):
    """A place that keeps named bytes, durably."""

    def add(self, name: str, content: bytes) -> bool:
        """Keep bytes under a new name; durable when this returns. Gives False, and changes nothing, where the name is taken."""

    def add_blocks(self, name: str, blocks: Iterable[bytes]) -> bool:
        """Do as `add` with bytes that come in blocks. Where making them raises, the name is not taken."""

    def replace(self, name: str, content: bytes) -> None:
        """Keep bytes under a name, in place of those that it had."""

    def get(self, name: str) -> bytes | None:
        """Give the bytes of a name, None where nothing has it."""

    def blocks(self, name: str) -> Iterator[bytes] | None:
        """Give the bytes of a name in blocks, None where nothing has it."""

    def names(self, folder: str = "") -> list[str]:
        """Give all names below a folder (`a/b/`), in their order."""


@dataclass(frozen=True)
class FolderObjects:
    """Files below a folder."""

    root: Path

    def add(self, name: str, content: bytes) -> bool:
        """Keep bytes under a new name, all at once: two writers of one name do not both succeed."""
        return self.add_blocks(name, (content,))

    def add_blocks(self, name: str, blocks: Iterable[bytes]) -> bool:
        """Keep bytes that come in blocks under a new name, which appears when all of them are on the disk."""
        path = self.root / name
        if path.exists():
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        with write_temporary(self.root, blocks) as temporary:
            try:
                os.link(temporary, path)
            except FileExistsError:
                return False
        sync_folder(path.parent)
        return True

    def replace(self, name: str, content: bytes) -> None:
        """Keep bytes under a name, in place of those that it had."""
        write_durable(self.root, name, content)

    def get(self, name: str) -> bytes | None:
        """Give the bytes of a name, None where nothing has it."""
        path = self.root / name
        return path.read_bytes() if path.is_file() else None

    def blocks(self, name: str) -> Iterator[bytes] | None:
        """Give the bytes of a name in blocks, None where nothing has it."""
        path = self.root / name
        return read_blocks(path) if path.is_file() else None

    def names(self, folder: str = "") -> list[str]:
        """Give all names below a folder, in their order; unfinished files have none."""
        base = self.root / folder
        if not base.is_dir():
            return []
        names = (path.relative_to(self.root).as_posix() for path in base.rglob("*") if path.is_file())
        return sorted(name for name in names if "/." not in f"/{name}")
