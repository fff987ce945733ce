"""Reads the catalog store for the command line: never the warehouse, so that a run is never disturbed."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transforms.errors import ConfigurationError


def read_catalog(home: Path, sql: str, parameters: Sequence[object] = ()) -> list[dict[str, Any]]:
    """Run one query on the catalog store. Raises ConfigurationError where the root has none yet."""
    path = home / "catalog" / "audit.sqlite"
    if not path.exists():
        raise ConfigurationError(f"{path}: nothing was landed or run here yet. Remedy: lakehouse land, then lakehouse materialize.")
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
    try:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(sql, list(parameters))]
    finally:
        connection.close()
