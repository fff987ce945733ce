"""DuckDB as the warehouse: one encrypted file, attached as LAKE.

DuckDB lets one process write a file and nobody else have it open. So each step opens it, works and closes it, and an open
that meets another process is tried again for a while. A step that works in several parts, one of them dbt's, holds it for all of them:
attaching and detaching an encrypted file costs 0.07 s of CPU.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb
import pyarrow as pa

from assets.stores.duckdb_engine import engine
from assets.stores.keys import Keys
from assets.stores.reading_limit import READ_SECONDS, detached_after
from assets.stores.warehouse import Parameters
from transforms.batches import in_batches
from transforms.errors import ConfigurationError, UnavailableError

# How DuckDB names the process that has the file.
HOLDER = re.compile(r"\(PID (\d+)\)")
# Warehouse files that this thread holds, each with what is to be undone at the end, and the connection once it is attached.
_held = threading.local()


class DuckDBWarehouse:
    """An open DuckDB warehouse."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Wrap a connection whose current database is LAKE."""
        self.connection = connection

    def query(self, sql: str, parameters: Parameters = ()) -> pa.Table:
        """Run one statement and give its rows."""
        return self.connection.execute(sql, list(parameters)).to_arrow_table()

    def execute(self, sql: str, parameters: Parameters = ()) -> None:
        """Run one statement."""
        self.connection.execute(sql, list(parameters))

    def load(self, table: str, rows: pa.Table) -> None:
        """Append rows to `schema.table` by column name."""
        self.connection.register("loading", in_batches(rows))
        try:
            self.connection.execute(f"insert into LAKE.{table} by name select * from loading")
        finally:
            self.connection.unregister("loading")

    def load_parquet(self, table: str, files: Sequence[Path]) -> None:
        """Append sealed Parquet files to `schema.table` by column name."""
        self.connection.execute(
            f"insert into LAKE.{table} by name select * from read_parquet(?, encryption_config = {{footer_key: 'lakehouse'}})",
            [[str(file) for file in files]],
        )

    def hash_number(self, column: str) -> str:
        """Give SQL of the whole number that the first 15 digits of an md5 hex text stand for."""
        return f"cast('0x' || substr({column}, 1, 15) as bigint)"

    def fingerprint(self, column: str) -> str:
        """Give SQL of an aggregate over md5 hex texts that does not depend on their order; hexadecimal, 16 digits."""
        return f"printf('%016x', bit_xor({self.hash_number(column)}))"

    def few(self, table: str, condition: str) -> str:
        """Give SQL of the condition that a row is one of the few for which `condition` holds: by row number, once that column was read. The
        filter of a join lets one row in some thousands by, and each of them would cost a piece of all other columns."""
        return f"rowid in (select rowid from {table} where {condition})"

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all statements inside, or none."""
        self.connection.execute("begin")
        try:
            yield
        except BaseException:
            self.connection.execute("rollback")
            raise
        self.connection.execute("commit")


@dataclass(frozen=True)
class DuckDBStore:
    """The warehouse file of a data root."""

    root: Path
    keys: Keys = field(repr=False)
    wait_seconds: float = 30.0
    memory: str = "1GB"
    target: str = "local"
    # How long a reader may keep the file; null: as long as it takes.
    read_seconds: float | None = None

    @property
    def path(self) -> Path:
        """The warehouse file."""
        return self.root / "warehouse" / "LAKE.duckdb"

    def environment(self) -> dict[str, str]:
        """Give the variables that the dbt profile's target `local` reads."""
        return {
            "LAKEHOUSE_DBT_TARGET": self.target,
            "LAKEHOUSE_WAREHOUSE": str(self.path),
            "LAKEHOUSE_WAREHOUSE_KEY": self.keys.derive("warehouse").hex(),
            "LAKEHOUSE_DUCKDB_MEMORY": self.memory,
            # dbt's own folder: two engines refuse to share one
            "LAKEHOUSE_SPILL": str(self.root / "spill-dbt"),
        }

    @contextmanager
    def open(self, read_only: bool = False) -> Iterator[DuckDBWarehouse]:
        """Open the warehouse file, waiting up to `wait_seconds` for another process to release it.

        Raises UnavailableError where it stays busy, ConfigurationError where the key does not open it.

        Where this thread holds the file, the opening shares what is attached: it stays so, and can be written, until the hold ends.
        """
        holding = _holds().get(self.path)
        if holding is None:
            with self._attached(read_only) as connection:
                yield DuckDBWarehouse(connection)
            return
        if holding.connection is None:
            holding.connection = holding.ends.enter_context(self._attached(read_only=False))
        shared = holding.connection.cursor()
        try:
            shared.execute("set TimeZone = 'UTC'")
            shared.execute("use LAKE")
            yield DuckDBWarehouse(shared)
        finally:
            shared.close()

    def for_questions(self, wait_seconds: float | None = None) -> DuckDBStore:
        """Give the same file as people's questions have it: a reader that keeps it too long loses it."""
        return replace(self, read_seconds=READ_SECONDS, wait_seconds=self.wait_seconds if wait_seconds is None else wait_seconds)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keep the file attached from the first opening inside to the end; a hold inside a hold adds nothing."""
        if self.path in _holds():
            yield
            return
        with ExitStack() as ends:
            ends.callback(_holds().pop, self.path)
            _holds()[self.path] = _Hold(ends)
            yield

    @contextmanager
    def _attached(self, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with engine(self.root, self.keys, self.memory) as connection:
            self._attach(connection, read_only)
            connection.execute("use LAKE")
            with detached_after(connection, self.read_seconds if read_only else None, str(self.path)):
                yield connection
            connection.execute("use memory")
            connection.execute("detach LAKE")

    def _attach(self, connection: duckdb.DuckDBPyConnection, read_only: bool) -> None:
        option = ", read_only" if read_only else ""
        key = self.keys.derive("warehouse").hex()
        deadline = time.monotonic() + self.wait_seconds
        while True:
            try:
                connection.execute(f"attach '{self.path}' as LAKE (encryption_key '{key}'{option})")
            except duckdb.IOException as error:
                if "lock" not in str(error).lower():
                    raise ConfigurationError(f"{self.path}: cannot be opened. Remedy: check that it exists and may be read.") from None
                if time.monotonic() >= deadline:
                    holder = HOLDER.search(str(error))
                    raise UnavailableError(f"{self.path}: in use by {f'process {holder[1]}' if holder else 'another process'}. "
                                           "Remedy: wait for its end, try again.") from None
                time.sleep(0.1)
            except duckdb.InvalidInputException:
                raise ConfigurationError(f"{self.path}: the key does not open this warehouse, or its first bytes were altered; nothing was "
                                         "changed. Remedy: use the root's own key; where it is in use, restore the file.") from None
            else:
                return


@dataclass
class _Hold:
    ends: ExitStack
    connection: duckdb.DuckDBPyConnection | None = None


def held_connection(path: str) -> duckdb.DuckDBPyConnection | None:
    """Give the connection to which this thread holds a warehouse file attached, None where it holds none."""
    holding = _holds().get(Path(path))
    return None if holding is None else holding.connection


def _holds() -> dict[Path, _Hold]:
    if not hasattr(_held, "by_path"):
        _held.by_path = {}
    by_path: dict[Path, _Hold] = _held.by_path
    return by_path
