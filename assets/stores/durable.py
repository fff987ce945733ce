"""Durable files: a name appears only when its whole content is on the disk."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from assets.stores.crash_points import reach


def write_durable(path: Path, content: bytes) -> None:
    """Write a file so that after a crash it is either absent or whole: temporary name, fsync, rename, fsync of the folder."""
    with write_temporary(path, (content,)) as temporary:
        temporary.replace(path)
    sync_folder(path.parent)


@contextmanager
def write_temporary(path: Path, blocks: Iterable[bytes]) -> Iterator[Path]:
    """Write blocks durably beside `path` under a hidden name, which is gone at the end of the block."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with temporary.open("wb") as file:
            file.writelines(blocks)
            file.flush()
            os.fsync(file.fileno())
        reach("landing.part")
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
