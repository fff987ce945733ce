"""The warehouse behind one small interface, so that every step outside dbt is written once for DuckDB and Snowflake.

What belongs here: opening, querying, loading and transactions. Not here: what any statement means.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

Parameters = Sequence[Any]


class Warehouse(Protocol):
    """An open warehouse connection; database `LAKE` on both targets."""

    def query(self, sql: str, parameters: Parameters = ()) -> pa.Table:
        """Run one statement and give its rows."""

    def execute(self, sql: str, parameters: Parameters = ()) -> None:
        """Run one statement."""

    def load(self, table: str, rows: pa.Table) -> None:
        """Append rows to `schema.table` by column name."""

    def load_parquet(self, table: str, files: Sequence[Path]) -> None:
        """Append sealed Parquet files to `schema.table` by column name."""

    def hash_number(self, column: str) -> str:
        """Give SQL of the whole number that the first 15 digits of an md5 hex text stand for."""

    def fingerprint(self, column: str) -> str:
        """Give SQL of an aggregate over md5 hex texts that does not depend on their order; hexadecimal."""

    def few(self, table: str, condition: str) -> str:
        """Give SQL of the condition that a row of `schema.table` is one of the few for which `condition`, on one of its columns, holds; the
        other columns are read for these alone."""

    def transaction(self) -> AbstractContextManager[None]:
        """Commit all statements inside, or none."""


class WarehouseStore(Protocol):
    """Where a warehouse lives and how it is opened."""

    @property
    def target(self) -> str:
        """Name of the dbt target."""

    @property
    def memory(self) -> str:
        """How much memory a DuckDB engine of this process may take, as DuckDB writes it."""

    def open(self, read_only: bool = False) -> AbstractContextManager[Warehouse]:
        """Open the warehouse; the file or session is released at the end of the block."""

    def for_questions(self, wait_seconds: float | None = None) -> WarehouseStore:
        """Give the same warehouse as people's questions have it: never for so long that a run would wait for them in vain.

        `wait_seconds` bounds how long opening it waits; null: as before."""

    def hold(self) -> AbstractContextManager[None]:
        """Keep what is opened for the block, where opening is dear and one process may have it at a time."""

    def environment(self) -> dict[str, str]:
        """Give the variables that the dbt profile of this target reads."""


def existing_tables(warehouse: Warehouse, kind: str = "%") -> frozenset[str]:
    """Give the tables and views of the warehouse as `schema.table`; `kind` narrows to `BASE TABLE` or `VIEW`."""
    rows = warehouse.query(
        "select table_schema, table_name from information_schema.tables where table_catalog = 'LAKE' and table_type like ?", [kind]
    ).to_pylist()
    return frozenset(f"{row['table_schema']}.{row['table_name']}".lower() for row in rows)


def filled_tables(warehouse: Warehouse, tables: Iterable[str], condition: str = "true", parameters: Sequence[Any] = ()) -> frozenset[str]:
    """Give those of the tables (`schema.table`) that hold a row of which `condition` is true, by one statement; it calls the row `held`."""
    named = list(tables)
    if not named:
        return frozenset()
    asked = " union all ".join(f"select '{name}' as name where exists (select 1 from LAKE.{name} held where {condition})" for name in named)
    return frozenset(row["name"] for row in warehouse.query(asked, list(parameters) * len(named)).to_pylist())
