"""HL7 v2 payloads -> units and raw tables.

Belongs here: the order of the steps (cut, read, gather, split) and the keys of the rows. Does not belong here: the
grammar (its own modules), meaning (dbt).
Locators: unit `message/3`, segment `message/3/segment/2`, repetition `message/3/segment/2/pid_3/1`, batch wrapper
`wrapper/1`; a payload that is no HL7 v2 is the unit `payload`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from transforms.decode.contract import Decoded, Delivered
from transforms.decode.hl7v2.columns import Repetitions, split_segments
from transforms.decode.hl7v2.framing import Frame, frames, is_hl7v2, miscounted
from transforms.decode.hl7v2.message import Z_SEGMENT, Message, read_message, read_wrapper
from transforms.decode.hl7v2.segment_rows import SegmentRows
from transforms.decode.hl7v2.segments import SEGMENTS, segment_table
from transforms.decode.raw_schema import RAW_SCHEMAS
from transforms.decode.record_table import joined
from transforms.decode.units import Unit, Units, unreadable

MISCOUNTED = "hl7.batch_count_mismatch"
TABLES = ("raw_hl7v2__segment", "raw_hl7v2__repetition", *map(segment_table, SEGMENTS))
_PIECE_BYTES = 16 << 20  # of messages; they need some ten times as much while they are split


def decode_hl7v2(deliveries: Sequence[Delivered]) -> Iterator[Decoded]:
    """Units `hl7.message` (or `payload`) and the tables of `TABLES`."""
    gathered = _Gathered()
    for delivery in deliveries:
        if not is_hl7v2(delivery.payload):
            gathered.units.add(unreadable(delivery))
            continue
        miscounts = miscounted(frames(delivery.payload))
        ordinal = wrappers = 0
        for position, (frame, is_last) in enumerate(_marked(frames(delivery.payload))):
            if frame.name in ("", "MSH"):
                ordinal += 1
                message = read_message(frame, delivery.entry.charset, is_last)
                gathered.add(delivery.delivery_id, ordinal, message, position in miscounts)
            else:
                wrappers += 1
                wrapper = read_wrapper(frame, delivery.entry.charset)
                if wrapper is not None:
                    gathered.rows.add_wrapper(delivery.delivery_id, wrappers, wrapper)
            gathered.size += len(frame.content)
            if gathered.size > _PIECE_BYTES:
                yield gathered.take()
    yield gathered.take()


@dataclass
class _Gathered:
    """Units and segments since the last piece, and the bytes that they came of."""

    units: Units = field(default_factory=Units)
    rows: SegmentRows = field(default_factory=SegmentRows)
    size: int = 0

    def add(self, delivery_id: str, ordinal: int, message: Message, is_miscounted: bool) -> None:
        """Append a message's unit and segments."""
        if self.rows.add(delivery_id, ordinal, message):
            message.flags.add(Z_SEGMENT)
        if is_miscounted:
            message.flags.add(MISCOUNTED)
        self.units.add(_unit(delivery_id, ordinal, message))

    def take(self) -> Decoded:
        """A piece of all that was gathered."""
        parts: dict[str, list[pa.Table]] = {table: [] for table in TABLES}
        for table, part in _tables(self.rows):
            parts[table].append(part)
        self.rows, self.size = SegmentRows(), 0
        return Decoded(self.units.take(), {table: joined(table, found) for table, found in parts.items()})


def _marked(found: Iterator[Frame]) -> Iterator[tuple[Frame, bool]]:
    """Each frame and whether it is the last of its payload."""
    held = next(found, None)
    for frame in found:
        assert held is not None  # it is the one before
        yield held, False
        held = frame
    if held is not None:
        yield held, True


def _unit(delivery_id: str, ordinal: int, message: Message) -> Unit:
    locator = f"message/{ordinal}"
    path = f"{locator}/segment/{message.reject_segment}" if message.reject_segment else locator
    return Unit(
        delivery_id, ordinal, "hl7.message", locator, message.record_type, message.content_hash,
        message.reject_code, path if message.reject_code else None, message.flags,
    )  # fmt: skip


def _tables(rows: SegmentRows) -> Iterator[tuple[str, pa.Table]]:
    """Raw tables, each with its rows, one for each set of delimiters."""
    unit_ordinal, ordinal = pa.array(rows.unit_ordinal, pa.int32()), pa.array(rows.ordinal, pa.int32())
    texts = pa.array(rows.text, pa.string())
    keys = {
        "delivery_id": pa.array(rows.delivery_id, pa.string()),
        "unit_ordinal": unit_ordinal,
        "record_locator": _locators(unit_ordinal, ordinal),
        "segment_ordinal": ordinal,
    }
    yield "raw_hl7v2__segment", _table("raw_hl7v2__segment", {
        **keys,
        "segment_name": rows.name,
        "segment_text": texts,
        "delimiters": rows.delimiters,
        "terminator": rows.terminator,
    })  # fmt: skip
    context = {
        **keys,
        "patient_group": pa.array(rows.patient_group, pa.int32()),
        "order_group": pa.array(rows.order_group, pa.int32()),
        "parent_segment_ordinal": pa.array(rows.parent, pa.int32()),
    }
    for (sent, segment), places in rows.of_segment.items():
        indices = pa.array(places, pa.int64())
        own = {name: column.take(indices) for name, column in context.items()}
        if segment == "NTE":
            own["parent_segment_name"] = _parent_names(rows, places)
        codecs = [rows.codec[place] for place in places]
        split = split_segments(segment, texts.take(indices), rows.known_delimiters[sent], codecs)
        yield segment_table(segment), _table(segment_table(segment), {**own, **split.columns})
        for repetitions in split.repetitions:
            yield "raw_hl7v2__repetition", _repetition_table(own, repetitions)


def _table(name: str, columns: dict[str, Any]) -> pa.Table:
    schema = RAW_SCHEMAS[name]
    return pa.table({column: columns[column] for column in schema.names}, schema=schema)


def _locators(unit_ordinal: pa.Array, ordinal: pa.Array) -> pa.Array:
    unit, segment = pc.cast(unit_ordinal, pa.string()), pc.cast(ordinal, pa.string())
    return pc.if_else(
        pc.equal(unit_ordinal, 0),
        pc.binary_join_element_wise("wrapper", segment, "/"),
        pc.binary_join_element_wise("message", unit, "segment", segment, "/"),
    )


def _parent_names(rows: SegmentRows, places: list[int]) -> list[str | None]:
    """Name of the segment that each note annotates: it stands as far back as the ordinals differ."""
    names: list[str | None] = []
    for place in places:
        parent = rows.parent[place]
        names.append(None if parent is None else rows.name[place - rows.ordinal[place] + parent])
    return names


def _repetition_table(own: dict[str, pa.Array], repetitions: Repetitions) -> pa.Table:
    keys = {name: own[name].take(repetitions.rows) for name in ("delivery_id", "unit_ordinal", "segment_ordinal")}
    number = pc.cast(repetitions.repetitions, pa.string())
    locator = pc.binary_join_element_wise(
        own["record_locator"].take(repetitions.rows), repetitions.field, number, "/"
    )
    return _table("raw_hl7v2__repetition", {
        **keys,
        "record_locator": locator,
        "field": pa.repeat(pa.scalar(repetitions.field, pa.string()), len(number)),
        "repetition": pc.cast(repetitions.repetitions, pa.int32()),
        **repetitions.columns,
    })  # fmt: skip
