"""From a version row to the X12 claim, claim payment or transaction set it was read from, and to the element's place in the bytes.

What an element means depends on the loop that it stands in, so raw keeps elements by their place. Looked at are the unit's own segments,
then the loops that govern it, nearest first: the first element or component that says what the row says is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lineage.excerpt import Span, excerpt
from lineage.likeness import UNLIKE, likeness
from lineage.trace_result import Value
from lineage.trace_sources import Record, Sources, lowered
from lineage.trace_unit import RawField, RawTrace, payload_step, raw_step, received_bytes, unit_rows
from lineage.x12_span import part_span, segment_span
from transforms.errors import ContractError

_LOOPS = ("patient_loop", "subscriber_loop", "provider_loop", "set_ordinal")


@dataclass(frozen=True)
class _Place:
    """An element, or a component of one (0: the whole element), by its number in the standard."""

    row: Record
    element: int
    component: int
    value: str


def trace_x12(sources: Sources, version: Record, column: str, fields: Sequence[RawField]) -> RawTrace | None:
    """The unit, and the element that feeds the column; None where the unit is none of an interchange."""
    units = unit_rows(sources, "raw_x12__unit", version)
    if not units:
        return None
    unit = units[0]
    segments = _segments(sources, version, unit)
    own = next((row for row in segments if row["segment_ordinal"] == unit["segment_ordinal"]), None)
    if own is None:
        raise ContractError("the raw rows of this unit are gone; materialize its partition again")
    said = str(version.get(column)) if column and version.get(column) is not None else ""
    place = max(_places(segments, str(unit["delimiters"])), key=lambda one: likeness(one.value, said), default=None) if said else None
    if place is not None and likeness(place.value, said) == UNLIKE:
        place = None
    row = place.row if place else own
    payload = received_bytes(sources, version)
    charset = str(sources.query(
        "select seg.charset from LAKE.raw.raw_x12__segment seg where seg.delivery_id = ? and seg.interchange_ordinal = ? "
        "and seg.charset is not null", [version["delivery_id"], row["interchange_ordinal"]])[0]["charset"])
    segment = segment_span(payload, int(row["segment_ordinal"]), charset)
    if segment is None:
        raise ContractError(f"the payload has nothing at {row['record_locator']}")
    name = f"{row['segment_id']}{place.element:02}{f'-{place.component}' if place.component else ''}" if place else str(row["segment_id"])
    marked = _marked(payload, segment, place, str(unit["delimiters"]), charset) if place else segment
    values = (Value(name, place.value, True),) if place else tuple(
        Value(f"{row['segment_id']}{number:02}", value) for number, value in enumerate(row["elements"], 1) if value)
    found = excerpt(payload, str(version["payload_id"]), str(row["record_locator"]), segment, marked, charset)
    return RawTrace((raw_step("raw_x12__segment", row, values, name), payload_step(sources, version, found)),
                    f"{name} of segment {row['segment_ordinal']}")


def _segments(sources: Sources, version: Record, unit: Record) -> list[Record]:
    """The unit's segments in order, then those of the loops that govern it, nearest first."""
    rows = lowered(sources.query(
        "select seg.* from LAKE.raw.raw_x12__segment seg where seg.delivery_id = ? and seg.interchange_ordinal = ? "
        "and (seg.unit_id = ? or seg.set_ordinal = ?) order by seg.segment_ordinal",
        [version["delivery_id"], unit["interchange_ordinal"], version["unit_id"], unit["set_ordinal"]]))
    own = [row for row in rows if row["unit_id"] == version["unit_id"]]
    others = [row for row in rows if row["unit_id"] != version["unit_id"] and row["unit_ordinal"] == 0]
    return [*own, *(row for loop in _LOOPS for row in others if unit[loop] is not None and row["loop_ordinal"] == unit[loop])]


def _places(segments: Sequence[Record], delimiters: str) -> Iterator[_Place]:
    for row in segments:
        for number, value in enumerate(row["elements"], 1):
            yield _Place(row, number, 0, str(value))
            if delimiters[2] in str(value):
                yield from (_Place(row, number, part, text) for part, text in enumerate(str(value).split(delimiters[2]), 1))


def _marked(payload: bytes, segment: Span, place: _Place, delimiters: str, charset: str) -> Span:
    element = part_span(payload, segment, delimiters[0].encode(charset), place.element) or segment
    return (part_span(payload, element, delimiters[2].encode(charset), place.component - 1) or element) if place.component else element
