"""How long a person's question may keep the warehouse file from a run that waits for it.

DuckDB lets nobody write a file that a reader has open. A question that hangs, or whose asker was stopped in the middle of it, would hold up
the nightly run for as long; so its file is taken away again, and the question fails with what helps.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from transforms.errors import UnavailableError

# Less than what a run waits for the file (30 s).
READ_SECONDS = 20.0


@contextmanager
def detached_after(connection: duckdb.DuckDBPyConnection, seconds: float | None, name: str) -> Iterator[None]:
    """Detach LAKE when the block has lasted so long (null: never), whatever it is doing then, which raises UnavailableError in it."""
    if seconds is None:
        yield
        return
    other, over = connection.cursor(), threading.Event()
    limit = threading.Timer(seconds, _detach, (connection, other, over))
    limit.daemon = True
    limit.start()
    try:
        yield
    except duckdb.Error:
        if not over.is_set():
            raise
    finally:
        limit.cancel()
        limit.join()
        other.close()
    if over.is_set():
        raise UnavailableError(f"{name}: this question took longer than {seconds:g} s, and runs need the file. "
                               "Remedy: ask for less, or ask a copy (`lakehouse dev-copy`).")


def _detach(connection: duckdb.DuckDBPyConnection, other: duckdb.DuckDBPyConnection, over: threading.Event) -> None:
    over.set()
    connection.interrupt()
    other.execute("detach LAKE")
