"""Dagster's SQLite event log, writing a batch of events in one transaction and without an fsync for each commit.

A run writes an event for each asset and partition, twice (planned, materialized), and one for each check. Dagster sends them in batches,
but its SQLite storage opens and commits two databases for each event: in a re-run of one facility-day that was 12 s of 60 before the first
step. The rows written are the same. In WAL mode `synchronous=NORMAL` loses nothing when a process dies; a power cut may lose the newest
events of Dagster's own history, which is no record of the product's: that is the audit log.
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import create_engine
from sqlalchemy.engine import Connection
from sqlalchemy.pool import NullPool

INDEX = "index"
BUSY_SECONDS = 60


class BatchingEventLog(SqliteEventLogStorage):
    """SqliteEventLogStorage with a batch write; `dagster.yaml` names it as the event log storage."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        """Open the storage below `base_dir`."""
        self._batch = threading.local()
        # SQLite folds the WAL back, with an fsync, whenever the last connection to a file closes; an idle one spares that.
        self._idle: dict[str, sqlite3.Connection] = {}
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> "BatchingEventLog":
        """Build the storage from its entry in dagster.yaml."""
        return cls(inst_data=inst_data, **config_value)

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Write events of one run as `store_event` does, in one transaction for its shard and one for the index."""
        with ExitStack() as stack:
            opened = {shard: stack.enter_context(self._connect(shard)) for shard in (events[0].run_id, INDEX)}
            self._batch.connections = opened
            try:
                for event in events:
                    self.store_event(event)
            finally:
                self._batch.connections = {}

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        """Give the batch's connection, or one of its own."""
        held = getattr(self._batch, "connections", {}).get(shard)
        if held is not None:
            yield held
            return
        engine = create_engine(self.conn_string_for_shard(shard), poolclass=NullPool, connect_args={"timeout": BUSY_SECONDS})
        with self._db_lock:
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            if shard not in self._idle:
                self._idle[shard] = sqlite3.connect(self.path_for_shard(shard), check_same_thread=False)
        with engine.connect() as connection:
            connection.exec_driver_sql("pragma synchronous = normal")
            connection.commit()
            with connection.begin():
                yield connection
        engine.dispose()

    def dispose(self) -> None:
        """Close the idle connections; the WAL is folded back here."""
        for connection in self._idle.values():
            connection.close()
        self._idle.clear()
        super().dispose()
