"""Durable files: a name appears only when its whole content is on the disk.

Until then the content lies in a store's folder `.unfinished`, in a file that its writer holds a lock on. What nobody holds there was
left by a writer that died, and the next one removes it.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from io import BufferedWriter
from pathlib import Path

from assets.stores.crash_points import reach

UNFINISHED = ".unfinished"
_EARLIER_PART = re.compile(r"\..+\.[0-9a-f]{8}\.part")
_DAY_SECONDS = 86_400


def write_durable(root: Path, name: str, content: bytes) -> None:
    """Write a file of a store so that after a crash it is either absent or whole: unfinished file, fsync, rename, fsync of the folder."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with write_temporary(root, (content,)) as temporary:
        temporary.replace(path)
    sync_folder(path.parent)


@contextmanager
def write_temporary(root: Path, blocks: Iterable[bytes]) -> Iterator[Path]:
    """Write blocks durably into a file of the store's unfinished ones, which is gone at the end of the block."""
    folder = root / UNFINISHED
    folder.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(folder)
    with _created(folder) as file:
        temporary = Path(file.name)
        try:
            file.writelines(blocks)
            file.flush()
            os.fsync(file.fileno())
            reach("landing.part")
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)


def _created(folder: Path) -> BufferedWriter:
    """A new file that is locked until it is closed or its process ends."""
    while True:
        file = (folder / secrets.token_hex(8)).open("xb")
        fcntl.flock(file, fcntl.LOCK_EX)
        # Before it was locked another writer may have taken it for abandoned.
        if os.fstat(file.fileno()).st_nlink:
            return file
        file.close()


def _remove_abandoned(folder: Path) -> None:
    for path in folder.iterdir():
        # Its writer lives, has just ended, or is of another account, which clears up after itself.
        with suppress(BlockingIOError, FileNotFoundError, PermissionError), path.open("r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


def remove_earlier_parts(root: Path, now: float) -> None:
    """Remove what killed writers of earlier versions left: they wrote beside the target, as `.name.1f2e3d4c.part`.

    Only parts that nobody has written to for a day (`now`: seconds since 1970): one of an earlier version may be at work beside it."""
    for path in root.rglob(".*.part"):
        with suppress(FileNotFoundError):
            if _EARLIER_PART.fullmatch(path.name) and path.is_file() and now - path.stat().st_mtime > _DAY_SECONDS:
                path.unlink()


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
