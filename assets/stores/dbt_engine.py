"""The DuckDB engine that dbt's own adapter works on: that of the caller's hold, else one of its own.

Where the caller holds the warehouse (`DuckDBStore.hold`), dbt gets connections of the same engine, so that a step attaches the file
once. Elsewhere the adapter makes an in-memory engine to which the profile attaches the warehouse: 0.15 s of CPU, so it is kept without
the file, which is attached again before the next invocation of the same root. Any other environment (the analyst's copy, which is a
file of its own) is dropped, as is one that fails.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import duckdb

from assets.stores.duckdb_warehouse import held_connection

# What the profile's target `local` reads of the environment: an engine of other values is another engine.
READ = ("LAKEHOUSE_DBT_TARGET", "LAKEHOUSE_WAREHOUSE", "LAKEHOUSE_WAREHOUSE_KEY", "LAKEHOUSE_SPILL", "LAKEHOUSE_DUCKDB_MEMORY")
_kept_for: tuple[str | None, ...] | None = None


@contextmanager
def dbt_engine(environment: Mapping[str, str], credentials: Any) -> Iterator[None]:
    """Give dbt an engine for one invocation; no file stays open by it afterwards, but for one that the caller holds."""
    held = held_connection(environment["LAKEHOUSE_WAREHOUSE"]) if "LAKEHOUSE_WAREHOUSE" in environment else None
    if held is not None:
        _lend(held, credentials)
        try:
            yield
        finally:
            _take_back()
        return
    _recall_warehouse(environment)
    try:
        yield
    finally:
        _forget_warehouse(environment)


def drop_engine() -> None:
    """Close the adapter's engine, if it has one."""
    global _kept_for
    manager = _manager()
    if manager._ENV is not None:
        manager._ENV.close()
    manager.close_all_connections()
    _kept_for = None


def _lend(connection: duckdb.DuckDBPyConnection, credentials: Any) -> None:
    from dbt.adapters.duckdb.environments.local import LocalEnvironment

    drop_engine()
    lent = LocalEnvironment(credentials)
    lent.conn = connection
    _manager()._ENV = lent


def _take_back() -> None:
    made = _manager()._ENV
    if made is not None:
        # closing it is the holder's
        made.conn = None
    drop_engine()


def _recall_warehouse(environment: Mapping[str, str]) -> None:
    """Attach the warehouse to the kept engine where it is that of the environment's root, else drop the engine."""
    made = _manager()._ENV
    if made is None or _kept_for != _values(environment):
        drop_engine()
        return
    try:
        for attachment in made.creds.attach:
            made.conn.execute(attachment.to_sql())
    except duckdb.Error:
        # The adapter makes a new one, and says in dbt's words what is wrong.
        drop_engine()


def _forget_warehouse(environment: Mapping[str, str]) -> None:
    """Release the warehouse's file after an invocation."""
    global _kept_for
    made = _manager()._ENV
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


def _manager() -> Any:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    return DuckDBConnectionManager


def _values(environment: Mapping[str, str]) -> tuple[str | None, ...]:
    return tuple(environment.get(name) for name in READ)


def _drop_before_fork() -> None:
    if _kept_for is not None:
        drop_engine()


os.register_at_fork(before=_drop_before_fork)
