"""The log's verification as pages show it: done again when the store or the anchors changed, at most once a minute."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

from lineage.audit_log import read_anchors
from lineage.audit_verify import Verification, verify

REST_SECONDS = 60.0


class Watch:
    """Keeps the newest verification of one store."""

    def __init__(self, catalog_path: Path, anchors_path: Path | None, public_keys: Sequence[bytes]) -> None:
        """Nothing is verified yet."""
        self._catalog, self._anchors, self._keys = catalog_path, anchors_path, tuple(public_keys)
        self._lock = Lock()
        self._seen: tuple[object, ...] = ()
        self._at = 0.0
        self._newest: Verification | None = None

    def verification(self) -> Verification:
        """The newest verification. Raises UnavailableError where there is no store."""
        with self._lock:
            marks = tuple(map(_mark, (self._catalog, self._catalog.with_name(self._catalog.name + "-wal"), self._anchors)))
            rested = time.monotonic() - self._at > REST_SECONDS
            if self._newest is None or (marks != self._seen and rested):
                anchors = read_anchors(self._anchors) if self._anchors and self._anchors.exists() else ()
                self._newest = verify(self._catalog, anchors, self._keys)
                self._seen, self._at = marks, time.monotonic()
            return self._newest


def _mark(path: Path | None) -> tuple[int, int] | None:
    if path is None or not path.exists():
        return None
    found = path.stat()
    return found.st_size, found.st_mtime_ns
