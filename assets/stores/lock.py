"""The writer lock: one run at a time changes a data root, and it says who.

An advisory lock of the operating system on `writer.lock`: it goes with its process, so a killed run leaves nothing to clean
up. The file's text names the holder for the one who waits.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from transforms.errors import UnavailableError


@contextmanager
def writer_lock(root: Path, run_id: str, command: str, wait_seconds: float = 600.0,
                on_wait: Callable[[str], None] | None = None) -> Iterator[None]:
    """Hold the root's writer lock for a run; a second writer waits, naming the holder.

    Raises UnavailableError after `wait_seconds`.
    """
    root.mkdir(parents=True, exist_ok=True)
    with (root / "writer.lock").open("a+") as file:
        _acquire(file.fileno(), root, wait_seconds, on_wait)
        file.seek(0)
        file.truncate()
        json.dump({"pid": os.getpid(), "run_id": run_id, "command": command}, file)
        file.flush()
        try:
            yield
        finally:
            file.seek(0)
            file.truncate()
            file.flush()
            fcntl.flock(file.fileno(), fcntl.LOCK_UN)


def lock_holder(root: Path) -> str | None:
    """Who holds the lock now, in words, or None where it is free."""
    path = root / "writer.lock"
    if not path.exists():
        return None
    with path.open("r") as file:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            text = file.read()
            return _holder_words(text)
        fcntl.flock(file.fileno(), fcntl.LOCK_UN)
        return None


def _acquire(descriptor: int, root: Path, wait_seconds: float, on_wait: Callable[[str], None] | None) -> None:
    deadline = time.monotonic() + wait_seconds
    told = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder_words((root / "writer.lock").read_text())
            if on_wait is not None and not told:
                on_wait(f"Waiting: {holder} is writing.")
                told = True
            if time.monotonic() >= deadline:
                raise UnavailableError(f"{root}: {holder} holds the warehouse. Remedy: wait for it to end, or stop it.") from None
            time.sleep(0.2)
        else:
            return


def _holder_words(text: str) -> str:
    try:
        holder = json.loads(text)
    except ValueError:
        return "another process"
    return f"run {holder['run_id']} ({holder['command']}, process {holder['pid']})"
