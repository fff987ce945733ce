"""Texts of events over many partitions, made from one."""

from __future__ import annotations

from typing import Any

import dagster as dg
import pytest
from dagster._core.events import AssetMaterializationPlannedData, DagsterEvent, DagsterEventType, StepMaterializationData
from dagster._core.events.log import EventLogEntry
from dagster._serdes import serialize_value

import orchestration.event_texts
from orchestration.event_texts import event_texts

ASSET = dg.AssetKey(["canonical", "patient"])
FACILITIES = ["harbor", "mesa", 'old"mill', "östra", "x"]


def event(facility: str, second: int, kind: str = "made", **differs: Any) -> EventLogEntry:
    """An event of an asset's partition; `differs` are values of its materialization or of the event."""
    key = dg.MultiPartitionKey({"date": "2026-01-05", "facility": facility})
    if kind == "planned":
        data: Any = AssetMaterializationPlannedData(ASSET, partition=key)
    else:
        tags = {"dagster/partition/facility": facility, "dagster/partition/date": "2026-01-05", "dagster/data_version": differs.get("version", "a")}
        said = {"rows": differs.get("rows", 3), "note": f'"partition": "{facility}"', "partition": "harbor", "timestamp": 1.5}
        data = StepMaterializationData(dg.AssetMaterialization(ASSET, partition=key, tags=tags, metadata=differs.get("metadata", said)))
    name = DagsterEventType.ASSET_MATERIALIZATION if kind == "made" else DagsterEventType.ASSET_MATERIALIZATION_PLANNED
    told = DagsterEvent(name.value, job_name="pipeline", event_specific_data=data, message=differs.get("message", ""), pid=7)
    return EventLogEntry(error_info=None, level=10, user_message="", run_id=differs.get("run", "run"), timestamp=1_767_600_000.25 + second,
                         step_key=None, job_name="pipeline", dagster_event=told)


EVENTS = {
    "partitions of one asset": [event(one, second, metadata={"rows": 3}) for second, one in enumerate(FACILITIES)],
    "planned": [event(one, second, "planned") for second, one in enumerate(FACILITIES)],
    "planned and made in turn": [event(one, second, kind, metadata={"rows": 3}) for second, one in enumerate(FACILITIES) for kind in ("planned", "made")],
    "the key is said elsewhere": [event(one, second) for second, one in enumerate(FACILITIES)],
    "other rows": [event("harbor", 0), event("mesa", 1, rows=4), event("x", 2)],
    "other columns in the last": [event("harbor", 0, metadata={"rows": 3}), event("mesa", 1, metadata={"rows": 3, "columns": 9})],
    "another data version": [event("harbor", 0, metadata={}), event("mesa", 1, metadata={}, version="b")],
    "another message": [event("harbor", 0, metadata={}), event("mesa", 1, metadata={}, message="b")],
    "another run": [event("harbor", 0, metadata={}), event("mesa", 1, metadata={}, run="b")],
    "no partition": [event("harbor", 0)._replace(dagster_event=None), event("harbor", 0)._replace(dagster_event=None, user_message="b")],
}


@pytest.mark.parametrize("events", EVENTS.values(), ids=EVENTS)
def test_texts_are_those_that_dagster_writes(events: list[EventLogEntry]) -> None:
    """Whatever differs between events, each text is byte by byte that of Dagster's own serialization."""
    assert list(event_texts(events)) == [serialize_value(one) for one in events]


def test_events_that_differ_in_their_partition_are_serialized_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the events of one asset over five partitions one is serialized, of those that differ otherwise each."""
    serialized: list[EventLogEntry] = []
    monkeypatch.setattr(orchestration.event_texts, "serialize_value", lambda one: serialized.append(one) or serialize_value(one))
    for name, expected in (("partitions of one asset", 1), ("planned", 1), ("another message", 2)):
        serialized.clear()
        assert len(list(event_texts(EVENTS[name]))) == len(EVENTS[name])
        assert len(serialized) == expected
