"""Texts of asset events that differ in their partition alone: one is serialized, the others are made from its text.

A run over many partitions tells the same of an asset for each: 120 events of 3.4 kB that differ in the partition's key and the time, 0.2 ms
each to serialize. Whatever else differs has the event serialized as Dagster does it, and so has a text in which the key is not found
exactly where it is expected.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dagster import AssetKey
from dagster._core.events import AssetMaterializationPlannedData, StepMaterializationData
from dagster._core.events.log import EventLogEntry
from dagster._serdes import serialize_value

OF_PARTITION = "dagster/partition/"


def event_texts(events: Sequence[EventLogEntry]) -> Iterator[str]:
    """Give the text of each event as Dagster's `serialize_value` gives it."""
    patterns: dict[tuple[AssetKey | None, str | None], _Pattern] = {}
    for event in events:
        told = event.dagster_event
        group = (told.asset_key, told.event_type_value) if told is not None else (None, None)
        made = patterns[group].text(event) if group in patterns else None
        if made is None:
            made = serialize_value(event)
            moving = _moving(event)
            if moving is not None:
                patterns[group] = _Pattern(event, moving, made)
        yield made


class _Pattern:
    """An event with its text, cut where the text says partition and time."""

    def __init__(self, event: EventLogEntry, moving: Mapping[str, object], text: str) -> None:
        self._event, self._names, self._pieces = event, list(moving), [text]
        for name, value in moving.items():
            said = _said(name, value)
            place = next((place for place, piece in enumerate(self._pieces) if said in piece), None)
            if place is None or text.count(said) != 1:
                self._names = []
                return
            before, after = self._pieces[place].split(said)
            self._pieces[place:place + 1] = [before, after]
            # names in the order of the text
            self._names.remove(name)
            self._names.insert(place, name)

    def text(self, event: EventLogEntry) -> str | None:
        """Give the text of an event that differs in partition and time alone, else None."""
        moving = _moving(event)
        if not self._names or moving is None or not _alike(self._event, event):
            return None
        said = [_said(name, moving[name]) for name in self._names]
        return "".join(part for pair in zip(self._pieces, [*said, ""], strict=True) for part in pair)


def _said(name: str, value: object) -> str:
    return f"{json.dumps(name)}: {json.dumps(value)}"


def _moving(event: EventLogEntry) -> Mapping[str, object] | None:
    """Give what may differ between the events of an asset's partitions, None where an event is of no partition."""
    data = event.dagster_event.event_specific_data if event.dagster_event is not None else None
    if isinstance(data, AssetMaterializationPlannedData) and data.partition is not None:
        return {"partition": data.partition, "timestamp": event.timestamp}
    if isinstance(data, StepMaterializationData) and data.materialization.partition is not None:
        made = data.materialization
        tags = {name: value for name, value in (made.tags or {}).items() if name.startswith(OF_PARTITION)}
        return {"partition": made.partition, "timestamp": event.timestamp, **tags}
    return None


def _alike(one: EventLogEntry, other: EventLogEntry) -> bool:
    """Whether two events of the same asset and type, both of partitions, differ in partition and time alone."""
    if not _equal(one, other, "timestamp", "dagster_event"):
        return False
    if not _equal(one.dagster_event, other.dagster_event, "event_specific_data"):
        return False
    data, others = one.get_dagster_event().event_specific_data, other.get_dagster_event().event_specific_data
    if not isinstance(data, StepMaterializationData) or not isinstance(others, StepMaterializationData):
        return type(data) is type(others) and _equal(data, others, "partition")
    made, others_made = data.materialization, others.materialization
    return (_equal(data, others, "materialization") and _equal(made, others_made, "partition", "tags")
            and _fixed(made.tags) == _fixed(others_made.tags))


def _fixed(tags: Mapping[str, str] | None) -> list[tuple[str, str | None]]:
    """Give tags in their order, those of the partition without their values."""
    return [(name, None if name.startswith(OF_PARTITION) else value) for name, value in (tags or {}).items()]


def _equal(one: Any, other: Any, *but: str) -> bool:
    """Whether two of Dagster's named tuples are equal in all fields but those named."""
    return all(left is right or left == right for name, left, right in zip(one._fields, one, other, strict=True) if name not in but)
