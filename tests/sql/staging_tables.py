"""Staging tables of one dialect in a scratch warehouse, each read once."""

from __future__ import annotations

from typing import Any


class StagingTables:
    """The tables `staging.stg_<dialect>__<name>` of a scratch warehouse that was built."""

    def __init__(self, scratch: Any, dialect: str) -> None:
        self._scratch, self._dialect = scratch, dialect
        self._tables: dict[str, list[dict[str, Any]]] = {}

    def table(self, name: str) -> list[dict[str, Any]]:
        """All rows of one table."""
        if name not in self._tables:
            self._tables[name] = self._scratch.rows(f"select * from staging.stg_{self._dialect}__{name}")
        return self._tables[name]
