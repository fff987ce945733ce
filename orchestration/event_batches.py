"""Asset events of a batch, written together: the same rows as Dagster's `store_event` leaves, without a statement of its own for each.

A run over many partitions writes an event for each asset and partition, twice: 19,440 of its 20,067 events over 120 facilities. One by one
each is two inserts, one attempt to insert its asset and an update, built and compiled in SQLAlchemy: 2.3 ms of CPU, together 0.2 ms.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from dagster import AssetKey
from dagster._core.events import ASSET_EVENTS
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log import SqlEventLogStorageTable
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from sqlalchemy import func, select
from sqlalchemy.engine import Connection


def stretches(events: Sequence[EventLogEntry]) -> Iterator[tuple[bool, list[EventLogEntry]]]:
    """Part a batch, in its order, into stretches of neighbours that are asset events or are none."""
    for is_asset, stretch in groupby(events, _is_asset_event):
        yield is_asset, list(stretch)


def write_asset_events(log: SqlEventLogStorage, shard: Connection, index: Connection, events: Sequence[EventLogEntry]) -> None:
    """Write asset events to their run's file and to the index, and of each asset what the last event of each type says of it.

    Both connections are in a transaction. Ids of the index rise by one within it: its first insert takes SQLite's write lock.
    """
    rows = [log._event_to_row(one) for one in events]
    shard.execute(SqlEventLogStorageTable.insert(), rows)
    index.execute(SqlEventLogStorageTable.insert(), rows)
    newest = index.execute(select(func.max(SqlEventLogStorageTable.c.id))).scalar_one()
    ids = range(newest - len(events) + 1, newest + 1)
    log._store_asset_event_tags(index, events, ids)
    last: dict[tuple[AssetKey | None, str], tuple[int, EventLogEntry]] = {}
    for event_id, one in zip(ids, events, strict=True):
        dagster_event = one.get_dagster_event()
        last[(dagster_event.asset_key, dagster_event.event_type_value)] = (event_id, one)
    for event_id, one in sorted(last.values(), key=lambda pair: pair[0]):
        log._store_asset_event(index, one, event_id)


def _is_asset_event(event: EventLogEntry) -> bool:
    return event.is_dagster_event and event.dagster_event_type in ASSET_EVENTS and event.get_dagster_event().asset_key is not None
