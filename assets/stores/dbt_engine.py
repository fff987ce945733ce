"""The DuckDB engine of dbt's own adapter, kept from one invocation to the next without the warehouse.

The adapter keeps one environment, an in-memory engine to which the profile attaches the warehouse. Making it costs 0.15 s of CPU
and a run invokes dbt three times, so only the warehouse is detached after an invocation and attached again before the next one of
the same root. Any other environment (the analyst's copy, which is a file of its own) is dropped, as is one that fails.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import duckdb

# What the profile's target `local` reads of the environment: an engine of other values is another engine.
READ = ("LAKEHOUSE_DBT_TARGET", "LAKEHOUSE_WAREHOUSE", "LAKEHOUSE_WAREHOUSE_KEY", "LAKEHOUSE_SPILL", "LAKEHOUSE_DUCKDB_MEMORY")
_kept_for: tuple[str | None, ...] | None = None


def recall_warehouse(environment: Mapping[str, str]) -> None:
    """Attach the warehouse to the kept engine where it is that of the environment's root, else drop the engine."""
    made = _made()
    if made is None or _kept_for != _values(environment):
        drop_engine()
        return
    try:
        for attachment in made.creds.attach:
            made.conn.execute(attachment.to_sql())
    except duckdb.Error:
        # The adapter makes a new one, and says in dbt's words what is wrong.
        drop_engine()


def forget_warehouse(environment: Mapping[str, str]) -> None:
    """Release the warehouse's file after an invocation."""
    global _kept_for
    made = _made()
    if made is None or made.conn is None or made.creds.path != ":memory:":
        drop_engine()
        return
    try:
        for attachment in made.creds.attach:
            made.conn.execute(f"detach {attachment.alias}")
    except duckdb.Error:
        drop_engine()
    else:
        _kept_for = _values(environment)


def drop_engine() -> None:
    """Close the adapter's engine, if it has one."""
    global _kept_for
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    made = _made()
    if made is not None:
        made.close()
    DuckDBConnectionManager.close_all_connections()
    _kept_for = None


def _made() -> Any:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    return DuckDBConnectionManager._ENV


def _values(environment: Mapping[str, str]) -> tuple[str | None, ...]:
    return tuple(environment.get(name) for name in READ)


def _drop_before_fork() -> None:
    if _kept_for is not None:
        drop_engine()


os.register_at_fork(before=_drop_before_fork)
