"""Dagster's SQLite event log, writing a batch of events in one transaction instead of two for each event.

A run over F facilities writes one event for each asset and partition, twice (planned, materialized). Dagster sends them to the storage
in batches, and its SQLite storage then writes them one by one, with two commits each: measured at 860 of them, half the run's time.
The rows written are the same.
"""

from collections.abc import Sequence
from typing import Any

from dagster._core.events import ASSET_EVENTS
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sqlalchemy_compat import db_result
from dagster._serdes import ConfigurableClassData


class BatchingEventLog(SqliteEventLogStorage):
    """SqliteEventLogStorage with a batch write; `dagster.yaml` names it as the event log storage."""

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> "BatchingEventLog":
        """Build the storage from its entry in dagster.yaml."""
        return cls(inst_data=inst_data, **config_value)

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Write events of one run: all to its shard in one transaction, the asset events to the index in another."""
        batched = [event for event in events if event.is_dagster_event and event.dagster_event_type in ASSET_EVENTS]
        if len(batched) != len(events):
            for event in events:
                self.store_event(event)
            return
        with self.run_connection(events[0].run_id) as shard:
            for event in events:
                shard.execute(self.prepare_insert_event(event))
        newest: dict[str, tuple[EventLogEntry, int]] = {}
        with self.index_transaction() as index:
            stored = []
            for event in events:
                with db_result(index, self.prepare_insert_event(event)) as result:
                    stored.append(int(result.inserted_primary_key[0]))
                newest[str(event.get_dagster_event().asset_key)] = (event, stored[-1])
            self._store_asset_event_tags(index, list(events), stored)
            # Each asset's own row tells of its newest event only.
            for event, event_id in newest.values():
                self._store_asset_event(index, event, event_id)
