"""An engine for work on many texts at once, started only by what is worth it.

Belongs here: its life and its limits. Does not belong here: queries.
"""

from __future__ import annotations

from functools import cached_property
from types import TracebackType

import duckdb


class Engine:
    """DuckDB in memory, on one thread, closed with its context."""

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.is_started:
            self.connection.close()

    @property
    def is_started(self) -> bool:
        """Has anything asked for it yet? Starting it takes as long as hashing thousands of texts."""
        return "connection" in vars(self)

    @cached_property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The engine, started the first time."""
        # No temporary directory: values must never reach the disk in the clear.
        return duckdb.connect(":memory:", config={"temp_directory": "", "threads": 1})
