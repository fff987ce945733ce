"""From a version row to the HL7 v2 segment it was read from, and to the field's place in the bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lineage.excerpt import excerpt, hl7_field_span, record_span
from lineage.field_names import field_name
from lineage.trace_result import Value
from lineage.trace_sources import Record, Sources
from lineage.trace_unit import RawField, RawTrace, charset_of, payload_step, raw_step, received_bytes, unit_rows

REPETITIONS = "raw_hl7v2__repetition"


@dataclass(frozen=True)
class _Place:
    """A raw value that feeds the column: where it was decoded to, and the field it stands in."""

    table: str
    column: str
    field: str
    """Column that names the field in its segment, `pid_3_1`."""
    repetition: int
    row: Record
    """The segment."""
    value: str


def trace_hl7(sources: Sources, version: Record, column: str, fields: Sequence[RawField]) -> RawTrace | None:
    """The segment, and the field that feeds the column; None where the unit is no HL7 v2 message."""
    segments = unit_rows(sources, "raw_hl7v2__segment", version)
    if not segments:
        return None
    own = _own_segment(segments, version)
    places = [*_segment_places(sources, fields, segments), *_repetition_places(sources, fields, segments, version)]
    said = str(version.get(column)) if column else ""
    place = max(places, key=lambda one: _worth(one, own, said), default=None)
    row = place.row if place else own
    payload = received_bytes(sources, version)
    locator = str(row["record_locator"])
    segment = record_span(payload, locator)
    marked = hl7_field_span(payload, segment, place.field, place.repetition) if place else segment
    name = _name(place) if place else str(row["segment_name"])
    values = (Value(place.column, place.value, True),) if place else (Value("segment_text", str(row["segment_text"])),)
    charset = charset_of(sources, version, payload[segment[0] : segment[1]])
    found = excerpt(payload, str(version["payload_id"]), locator, segment, marked, charset)
    steps = (raw_step(place.table if place else "raw_hl7v2__segment", row, values, name), payload_step(sources, version, found))
    return RawTrace(steps, f"{name} of segment {row['segment_ordinal']} of message {row['unit_ordinal']}")


def _own_segment(segments: Sequence[Record], version: Record) -> Record:
    """The segment that the version row bears the locator of; of a repetition's row the segment around it."""
    locator = str(version["record_locator"])
    around = [row for row in segments if locator == row["record_locator"] or locator.startswith(f"{row['record_locator']}/")]
    return around[0] if around else segments[0]


def _segment_places(sources: Sources, fields: Sequence[RawField], segments: Sequence[Record]) -> Iterator[_Place]:
    """Values in the segments' own tables."""
    for field in fields:
        if field.table.endswith(("__repetition", "__segment")):
            continue
        for row in segments:
            if str(row["segment_name"]).lower() != field.table[-3:]:
                continue
            found = sources.query(
                f"select raw.{field.column} as value from LAKE.raw.{field.table} raw where raw.record_id = ?", [row["record_id"]])
            if found and found[0]["value"] is not None:
                yield _Place(field.table, field.column, field.column, 1, row, str(found[0]["value"]))


def _repetition_places(
    sources: Sources, fields: Sequence[RawField], segments: Sequence[Record], version: Record
) -> Iterator[_Place]:
    """Values in the table of repeated fields."""
    columns = [field.column for field in fields if field.table == REPETITIONS and field.column.startswith("c")]
    by_ordinal = {row["segment_ordinal"]: row for row in segments}
    for row in unit_rows(sources, REPETITIONS, version) if columns else ():
        for column in columns:
            if row[column] is not None and row["segment_ordinal"] in by_ordinal:
                component = column.removeprefix("c").split("_")[0]
                yield _Place(REPETITIONS, column, f"{row['field']}_{component}", int(row["repetition"]),
                             by_ordinal[row["segment_ordinal"]], str(row[column]))


def _worth(place: _Place, own: Record, said: str) -> tuple[bool, bool, bool]:
    """Which of several places is shown: one in the record's own segment, one that says what the row says, a component before a field."""
    return place.row["record_id"] == own["record_id"], place.value == said, place.field.count("_") >= 2


def _name(place: _Place) -> str:
    named = field_name(f"raw_hl7v2__{place.field[:3]}", place.field) or place.field
    return f"{named} (repetition {place.repetition})" if place.repetition > 1 else named
