"""Named bytes behind one small interface: what landing and raw need of a disk or of an object store.

`FolderObjects` keeps them as files; `s3_objects` keeps them in a bucket. Names are relative paths with `/`. What belongs here: keeping
bytes. Not here: what they mean, and their encryption (`envelope`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from assets.stores.durable import sync_folder, write_durable, write_temporary


class ObjectStore(Protocol):
    """A place that keeps named bytes, durably."""

    def add(self, name: str, content: bytes) -> bool:
        """Keep bytes under a new name; durable when this returns. Gives False, and changes nothing, where the name is taken."""

    def replace(self, name: str, content: bytes) -> None:
        """Keep bytes under a name, in place of those that it had."""

    def get(self, name: str) -> bytes | None:
        """Give the bytes of a name, None where nothing has it."""

    def names(self, folder: str = "") -> list[str]:
        """Give all names below a folder (`a/b/`), in their order."""


@dataclass(frozen=True)
class FolderObjects:
    """Files below a folder."""

    root: Path

    def add(self, name: str, content: bytes) -> bool:
        """Keep bytes under a new name, all at once: two writers of one name do not both succeed."""
        path = self.root / name
        if path.exists():
            return False
        with write_temporary(path, content) as temporary:
            try:
                os.link(temporary, path)
            except FileExistsError:
                return False
        sync_folder(path.parent)
        return True

    def replace(self, name: str, content: bytes) -> None:
        """Keep bytes under a name, in place of those that it had."""
        write_durable(self.root / name, content)

    def get(self, name: str) -> bytes | None:
        """Give the bytes of a name, None where nothing has it."""
        path = self.root / name
        return path.read_bytes() if path.is_file() else None

    def names(self, folder: str = "") -> list[str]:
        """Give all names below a folder, in their order; files that were never completed are none."""
        base = self.root / folder
        if not base.is_dir():
            return []
        files = (path for path in base.rglob("*") if path.is_file() and not path.name.startswith("."))
        return sorted(path.relative_to(self.root).as_posix() for path in files)
