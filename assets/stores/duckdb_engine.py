"""DuckDB engines: in-memory instances with the product's safety settings, kept by the process from one use to the next.

An engine costs 0.13 s of CPU before its first statement, most of it for loading `httpfs`, whose signature is checked each time; a run
needs one some twenty times. What is kept is the empty engine: the warehouse is detached after each use, so that another process may
open its file in between. Not here: what is attached to an engine.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from duckdb_extensions import import_extension

from assets.stores.keys import Keys

# Two are in use at once while raw files are written: one seals them, one holds the warehouse.
MOST_IDLE = 2
_Made = tuple[Path, str, str]
_idle: list[tuple[_Made, duckdb.DuckDBPyConnection]] = []
_lock = threading.Lock()


def connect_engine(root: Path, keys: Keys, memory: str) -> duckdb.DuckDBPyConnection:
    """Open an in-memory DuckDB with the product's safety settings and the root's Parquet key (named `lakehouse`)."""
    import_extension("httpfs")
    spill = root / "spill"
    spill.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(":memory:", config={
        "python_enable_replacements": "false",
        "temp_file_encryption": "true",
        "temp_directory": str(spill),
        "memory_limit": memory,
        "preserve_insertion_order": "false",
        "autoinstall_known_extensions": "false",
        # A kept engine reads what a file holds now.
        "enable_external_file_cache": "false",
    })
    connection.execute("load httpfs")
    connection.execute(f"pragma add_parquet_key('lakehouse', '{_parquet_key(keys)}')")
    return connection


@contextmanager
def engine(root: Path, keys: Keys, memory: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a connection of its own to an engine that nobody else uses meanwhile; temporary tables and settings end with it.

    What is attached must be detached again. An engine in whose use something failed is not used again."""
    made = (root, _parquet_key(keys), memory)
    instance = _take(made) or connect_engine(root, keys, memory)
    connection = instance.cursor()
    try:
        connection.execute("set TimeZone = 'UTC'")
        yield connection
    except BaseException:
        connection.close()
        instance.close()
        raise
    connection.close()
    _keep(made, instance)


def close_idle_engines() -> None:
    """Close the engines that are kept. A forked child has none of an engine's threads: it must not inherit one."""
    with _lock:
        for _, instance in _idle:
            instance.close()
        _idle.clear()


def _take(made: _Made) -> duckdb.DuckDBPyConnection | None:
    with _lock:
        place = next((place for place, (kept, _) in enumerate(_idle) if kept == made), None)
        return None if place is None else _idle.pop(place)[1]


def _keep(made: _Made, instance: duckdb.DuckDBPyConnection) -> None:
    with _lock:
        _idle.append((made, instance))
        while len(_idle) > MOST_IDLE:
            _idle.pop(0)[1].close()


def _parquet_key(keys: Keys) -> str:
    return keys.derive("parquet").hex()[:32]


os.register_at_fork(before=close_idle_engines)
