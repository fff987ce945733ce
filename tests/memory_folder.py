"""Where tests keep their data roots: in memory where there is room.

Tests make thousands of small files and each is synced, as the product promises; half of a test's time would be waiting for the disk. What a
SIGKILL leaves behind is the same in memory as on a disk; only a power cut would tell them apart, and no test makes one.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder closed to others is made in it
LIMIT = Path("/sys/fs/cgroup/memory.max")
# Generous: 1.2 GiB of files and 4.4 GiB of memory in use were seen while the whole suite ran.
NEEDED_BYTES = 8 << 30
NEEDED_MEMORY_BYTES = 16 << 30


def has_room() -> bool:
    """Say whether this machine can hold the tests' files in memory: a large enough `/dev/shm`, memory enough, and no tighter limit on it."""
    if not SHARED_MEMORY.is_dir() or shutil.disk_usage(SHARED_MEMORY).free < NEEDED_BYTES:
        return False
    limit = LIMIT.read_text().strip() if LIMIT.is_file() else "max"
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min(pages, pages if limit == "max" else int(limit)) >= NEEDED_MEMORY_BYTES


def use_memory() -> None:
    """Let this process and its children make temporary files in memory; a `TMPDIR` that was set stays."""
    if "TMPDIR" in os.environ or not has_room():
        return
    folder = SHARED_MEMORY / f"lakehouse-tests-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    os.environ["TMPDIR"] = str(folder)
    tempfile.tempdir = None
