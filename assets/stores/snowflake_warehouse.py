"""Snowflake as the warehouse: the same interface as DuckDB's, rows loaded by COPY from a stage.

Files go to an internal stage by PUT from memory, so that no clear copy of a sealed file touches the disk; the stage itself is
encrypted by the service, and `PURGE` empties it. Each load has a file name of its own: load history would skip a name that it knows.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from assets.stores.duckdb_engine import engine
from assets.stores.keys import Keys
from assets.stores.snowflake_rows import arrow_table
from assets.stores.warehouse import Parameters
from transforms.errors import ConfigurationError, UnavailableError

STAGE = "LAKE.raw.landing"
HASH_DIGITS = "X" * 15  # hexadecimal format of the service


class SnowflakeWarehouse:
    """An open Snowflake session in database LAKE."""

    def __init__(self, connection: Any, root: Path, keys: Keys, memory: str) -> None:
        """Wrap a session; `root`, `keys` and `memory` are those of the engine that opens the sealed Parquet files to load."""
        self.connection = connection
        self._engine = (root, keys, memory)

    def query(self, sql: str, parameters: Parameters = ()) -> pa.Table:
        """Run one statement and give its rows, typed by the service's description; column names in lower case."""
        cursor = self._run(sql, parameters)
        return arrow_table(cursor.description, cursor.fetchall())

    def execute(self, sql: str, parameters: Parameters = ()) -> None:
        """Run one statement."""
        self._run(sql, parameters)

    def load(self, table: str, rows: pa.Table) -> None:
        """Append rows to `schema.table` by column name."""
        content = io.BytesIO()
        pq.write_table(rows, content)
        self._copy(table, content)

    def load_parquet(self, table: str, files: Sequence[Path]) -> None:
        """Append sealed Parquet files to `schema.table` by column name."""
        with engine(*self._engine) as connection:
            for file in files:
                rows = connection.execute(
                    "select * from read_parquet(?, encryption_config = {footer_key: 'lakehouse'})", [str(file)]
                ).to_arrow_table()
                content = io.BytesIO()
                pq.write_table(rows, content)
                self._copy(table, content)

    def hash_number(self, column: str) -> str:
        """Give SQL of the whole number that the first 15 digits of an md5 hex text stand for."""
        return f"to_number(substr({column}, 1, 15), '{HASH_DIGITS}')"

    def fingerprint(self, column: str) -> str:
        """Give SQL of an aggregate over md5 hex texts that does not depend on their order; the 16 digits that DuckDB gives."""
        return f"lower(lpad(trim(to_char(bitxor_agg({self.hash_number(column)}), '{HASH_DIGITS}')), 16, '0'))"

    def few(self, table: str, condition: str) -> str:
        """Give the condition itself: the service reads what it needs."""
        return condition

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all statements inside, or none. No DDL inside: it would commit."""
        self.execute("begin")
        try:
            yield
        except BaseException:
            self.execute("rollback")
            raise
        self.execute("commit")

    def _copy(self, table: str, content: io.BytesIO) -> None:
        """Load one Parquet file; whether that works or not, nothing of it stays on the stage."""
        folder, name = f"{STAGE}/{table.replace('.', '/')}", f"{uuid4().hex}.parquet"
        content.seek(0)
        self.connection.cursor().execute(f"put file://{name} @{folder} auto_compress = false", file_stream=content)
        try:
            self.execute(
                f"copy into LAKE.{table} from @{folder}/ files = ('{name}') file_format = (type = parquet use_logical_type = true) "
                "match_by_column_name = case_insensitive on_error = abort_statement purge = true"
            )
        except BaseException:
            with suppress(Exception):  # the first failure is the one to tell
                self.execute(f"remove @{folder}/{name}")
            raise

    def _run(self, sql: str, parameters: Parameters) -> Any:
        cursor = self.connection.cursor()
        text = sql.replace("varchar[]", "array")
        if parameters:
            # The connector's placeholder style is a global of its module, and dbt needs its default: `%s`.
            cursor.execute(text.replace("%", "%%").replace("?", "%s"), tuple(parameters))
        else:
            cursor.execute(text)
        return cursor


@dataclass(frozen=True)
class SnowflakeStore:
    """A Snowflake account as the settings name it."""

    root: Path
    keys: Keys = field(repr=False)
    account: str
    user: str
    password: str = field(repr=False)
    warehouse: str = "LAKEHOUSE"
    host: str = ""
    port: int = 443
    protocol: str = "https"
    memory: str = "1GB"
    target: str = "cloud"

    def environment(self) -> dict[str, str]:
        """Give the variables that the dbt profile's target `cloud` reads."""
        return {
            "LAKEHOUSE_DBT_TARGET": self.target, "LAKEHOUSE_SNOWFLAKE_ACCOUNT": self.account, "LAKEHOUSE_SNOWFLAKE_USER": self.user,
            "LAKEHOUSE_SNOWFLAKE_PASSWORD": self.password, "LAKEHOUSE_SNOWFLAKE_WAREHOUSE": self.warehouse,
            "LAKEHOUSE_SNOWFLAKE_HOST": self.host, "LAKEHOUSE_SNOWFLAKE_PORT": str(self.port),
            "LAKEHOUSE_SNOWFLAKE_PROTOCOL": self.protocol,
        }

    def for_questions(self, wait_seconds: float | None = None) -> SnowflakeStore:
        """Give the store itself: no session waits for another."""
        return self

    def hold(self) -> AbstractContextManager[None]:
        """Hold nothing: sessions stand beside one another."""
        return nullcontext()

    @contextmanager
    def open(self, read_only: bool = False) -> Iterator[SnowflakeWarehouse]:
        """Open a session. Raises ConfigurationError on a refused login, UnavailableError where the service does not answer."""
        import snowflake.connector as connector

        try:
            connection = connector.connect(
                account=self.account, user=self.user, password=self.password, warehouse=self.warehouse, port=self.port,
                protocol=self.protocol, **({"host": self.host} if self.host else {}), login_timeout=20, network_timeout=60,
                session_parameters={"CLIENT_OUT_OF_BAND_TELEMETRY_ENABLED": False, "TIMEZONE": "UTC"},
            )
        except connector.errors.DatabaseError as error:
            if error.errno == 250001:
                raise UnavailableError(f"Snowflake account {self.account} does not answer. Remedy: try again.") from None
            raise ConfigurationError(f"Snowflake account {self.account} refused the login. Remedy: check LAKEHOUSE_SNOWFLAKE_*.") from None
        try:
            session = SnowflakeWarehouse(connection, self.root, self.keys, self.memory)
            self._prepare(session, read_only)
            yield session
        finally:
            connection.close()

    def _prepare(self, session: SnowflakeWarehouse, read_only: bool) -> None:
        """Make database, schema and stage where the account has none yet; who only reads makes nothing."""
        import snowflake.connector as connector

        try:
            session.execute("use schema LAKE.raw")
        except connector.errors.ProgrammingError:
            if read_only:
                raise ConfigurationError(f"Snowflake account {self.account} has no database LAKE that this user may read. "
                                         "Remedy: run the pipeline once, or grant the user its schemas.") from None
            for statement in ("create database if not exists LAKE", "create schema if not exists LAKE.raw", "use schema LAKE.raw"):
                session.execute(statement)
        if not read_only:
            session.execute(f"create stage if not exists {STAGE}")
