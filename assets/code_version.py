"""The version of what Python writes: a digest of the code and data that decide it, as a model's version is that of its SQL."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path

SUFFIXES = frozenset({".py", ".json", ".yaml", ".csv"})


@cache
def code_version(package: str) -> str:
    """Give the short digest of a package's files (`transforms.identity`): names and bytes, in a fixed order."""
    folder = Path(str(files(package)))
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.suffix in SUFFIXES):
        digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
