"""Dagster's SQLite event log with kept connections, batches in one transaction, and no fsync for each commit.

A run writes an event for each asset and partition, twice (planned, materialized), and several for each check. Dagster's SQLite storage
makes an engine, opens and closes a file some six times for each event, and folds the WAL back with an fsync whenever it closes the last
connection: in a re-run of one facility-day that was 16 s of 57 (profile), here it is under 1 s. The rows written are the same. It also
asks for each check and asset anew whether its own tables exist, and makes the tables of each run's file one by one: what exists is
remembered here, and a run's file is a copy of an empty one.
In WAL mode `synchronous=NORMAL` loses nothing when a process dies; a power cut may lose the newest events of Dagster's own history, which
is not the product's record: that is the audit log.
"""

import shutil
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import dagster as dg
from dagster import EventLogRecord
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log import AssetKeyTable, SqliteEventLogStorage
from dagster._serdes import ConfigurableClassData, deserialize_value
from sqlalchemy import create_engine, event, inspect
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import NullPool, QueuePool

from orchestration.event_batches import is_mirrored, write_events

INDEX = "index"
BUSY_SECONDS = 60


class PooledEventLog(SqliteEventLogStorage):
    """SqliteEventLogStorage with one engine for each file; `dagster.yaml` names it as the event log storage."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        """Open the storage below `base_dir`."""
        self._batch = threading.local()
        self._engines: dict[str, Engine] = {}
        self._tables: frozenset[str] = frozenset()
        self._asset_columns: frozenset[str] = frozenset()
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> "PooledEventLog":
        """Build the storage from its entry in dagster.yaml."""
        return cls(inst_data=inst_data, **config_value)

    def store_event(self, event: EventLogEntry) -> None:
        """Write one event."""
        self.store_event_batch([event])

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Write events of one run in one transaction for its shard and, where they are mirrored there, one for the index."""
        run_id = events[0].run_id
        shards = (run_id, INDEX) if any(is_mirrored(one) for one in events) else (run_id,)
        with ExitStack() as stack:
            opened = {shard: stack.enter_context(self._connect(shard)) for shard in shards}
            self._batch.connections = opened
            try:
                write_events(self, opened[run_id], opened.get(INDEX), events)
            finally:
                self._batch.connections = {}

    def dispose(self) -> None:
        """Close the kept connections."""
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()
        super().dispose()

    def has_table(self, table_name: str) -> bool:
        """Whether the index has a table; one that was there is not looked for again."""
        if table_name not in self._tables:
            with self._connect(INDEX) as connection:
                self._tables = frozenset(inspect(connection).get_table_names())
        return table_name in self._tables

    @property
    def asset_records_have_last_observation(self) -> bool:
        """Say that an asset without a materialization need not be looked for among observations: the product makes none."""
        return True

    def _get_latest_materialization_records(self, raw_asset_rows: Iterable[Any]) -> Mapping[dg.AssetKey, EventLogRecord | None]:
        """Give the last materialization of assets from their rows; Dagster's own asks the events too, even for none.

        That serves assets that were wiped, and rows as Dagster wrote them before it kept whole records."""
        rows = list(raw_asset_rows)
        found = {str(row["asset_key"]): deserialize_value(row["last_materialization"]) for row in rows if row["last_materialization"]}
        whole = {dg.AssetKey.from_db_string(name): one for name, one in found.items() if isinstance(one, EventLogRecord)}
        if len(whole) < len(found) or any(row["asset_details"] for row in rows):
            return super()._get_latest_materialization_records(rows)
        return {key: one for key, one in whole.items() if key is not None}

    def has_asset_key_col(self, column_name: str) -> bool:
        """Whether the table of assets has a column; one that was there is not looked for again."""
        return column_name in self._asset_columns or super().has_asset_key_col(column_name)

    def _has_asset_key_col_on_connection(self, conn: Connection, column_name: str) -> bool:
        if column_name not in self._asset_columns:
            self._asset_columns = frozenset(str(column["name"]) for column in inspect(conn).get_columns(AssetKeyTable.name))
        return column_name in self._asset_columns

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        """Give the batch's connection, or one of the shard's engine."""
        held = getattr(self._batch, "connections", {}).get(shard)
        if held is not None:
            yield held
            return
        with self._engine(shard).connect() as connection, connection.begin():
            yield connection

    def _engine(self, shard: str) -> Engine:
        with self._db_lock:
            if shard not in self._engines:
                engine = self._make_engine(shard)
                if shard not in self._initialized_dbs:
                    if shard == INDEX or not self._copy_empty(shard):
                        self._initdb(engine)
                    self._initialized_dbs.add(shard)
                self._engines[shard] = engine
            return self._engines[shard]

    def _make_engine(self, shard: str) -> Engine:
        engine = create_engine(
            self.conn_string_for_shard(shard), poolclass=QueuePool, pool_size=2, max_overflow=8,
            connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
        )
        event.listen(engine, "connect", _relax)
        return engine

    def _copy_empty(self, shard: str) -> bool:
        """Make a run's file as a copy of the empty one of this Dagster; says whether it did: not where the file exists."""
        place = Path(self.path_for_shard(shard))
        if place.exists():
            return False
        with tempfile.TemporaryDirectory(dir=place.parent) as folder:
            copied = Path(shutil.copy(self._empty(), folder))
            with suppress(FileExistsError):
                place.hardlink_to(copied)
                return True
        return False

    def _empty(self) -> Path:
        """Give the file without events, made once: it lies in a folder of its own, where Dagster looks for no run."""
        folder = Path(self._base_dir) / f"empty-{dg.__version__}"
        place = folder / "empty.db"
        if not place.exists():
            folder.mkdir(exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder) as own:
                made = Path(own) / "empty.db"
                engine = create_engine(f"sqlite:///{made}", poolclass=NullPool)
                self._initdb(engine)
                engine.dispose()
                made.replace(place)
        return place


def _relax(connection: Any, _record: Any) -> None:
    connection.execute("pragma synchronous = normal")
