"""Rows of raw_hl7v2__segment while they are gathered, and where each segment stands in its message.

Belongs here: segment names, order groups, patient groups, what a note annotates. Does not belong here: field columns.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import lru_cache

from transforms.decode.hl7v2.delimiters import Delimiters
from transforms.decode.hl7v2.message import Message
from transforms.decode.hl7v2.segments import SEGMENTS

_NAME = re.compile(r"[A-Z][A-Z0-9]{2}")


@dataclass(frozen=True)
class Shape:
    """What the names of a message's segments, in order, tell; equal for most messages of a feed, so worked out once.

    `columns`: segment name -> positions of the segments that get columns of their own."""

    names: list[str | None]
    patient_groups: list[int | None]
    order_groups: list[int | None]
    parents: list[int | None]
    has_z: bool
    columns: dict[str, list[int]]


@lru_cache(maxsize=4096)
def shape_of(heads: tuple[str, ...]) -> Shape:
    """Shape of a message by the first characters of its segments.

    An order group begins at an ORC, or at an OBR whose group has one; a note annotates the segment before the notes."""
    names = [head if _NAME.fullmatch(head) else None for head in heads]
    shape = Shape(names, [], [], [], any(name and name[0] == "Z" for name in names), defaultdict(list))
    patient = order = 0
    has_obr = True
    parent: int | None = None
    for position, name in enumerate(names):
        if name == "PID":
            patient += 1
        elif name == "ORC":
            order, has_obr = order + 1, False
        elif name == "OBR":
            order, has_obr = (order + 1 if has_obr else order), True
        shape.patient_groups.append(patient or None)
        shape.order_groups.append(order or None)
        shape.parents.append(parent if name == "NTE" else None)
        if name != "NTE":
            parent = position + 1
        if name in SEGMENTS:
            shape.columns[name].append(position)
    return shape


@dataclass
class SegmentRows:
    """Columns under construction; batch wrappers belong to unit 0.
    `of_segment`: (delimiters as sent, segment name) -> rows that get columns of their own."""

    delivery_id: list[str] = field(default_factory=list)
    unit_ordinal: list[int] = field(default_factory=list)
    ordinal: list[int] = field(default_factory=list)
    name: list[str | None] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    terminator: list[str] = field(default_factory=list)
    delimiters: list[str | None] = field(default_factory=list)
    codec: list[str] = field(default_factory=list)
    patient_group: list[int | None] = field(default_factory=list)
    order_group: list[int | None] = field(default_factory=list)
    parent: list[int | None] = field(default_factory=list)
    known_delimiters: dict[str, Delimiters] = field(default_factory=dict)
    of_segment: dict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(list))

    def add(self, delivery_id: str, unit_ordinal: int, message: Message) -> bool:
        """Append a message's segments; a rejected one's get no columns. Tells whether a Z segment is there."""
        first = len(self.unit_ordinal)
        shape = self._append(delivery_id, unit_ordinal, message)
        self.ordinal += range(1, len(message.segments) + 1)
        if message.delimiters is not None and message.reject_code is None:
            sent = message.delimiters.sent
            self.known_delimiters[sent] = message.delimiters
            for segment, positions in shape.columns.items():
                self.of_segment[sent, segment] += [first + position for position in positions]
        return shape.has_z

    def add_wrapper(self, delivery_id: str, ordinal: int, wrapper: Message) -> None:
        """Append a batch wrapper, the delivery's `ordinal`-th."""
        self._append(delivery_id, 0, wrapper)
        self.ordinal.append(ordinal)

    def _append(self, delivery_id: str, unit_ordinal: int, message: Message) -> Shape:
        shape = shape_of(tuple(_heads(message)))
        count = len(message.segments)
        self.delivery_id += [delivery_id] * count
        self.unit_ordinal += [unit_ordinal] * count
        self.name += shape.names
        self.text += message.segments
        self.terminator += message.terminators
        self.delimiters += [message.delimiters.sent if message.delimiters else None] * count
        self.codec += [message.codec] * count
        self.patient_group += shape.patient_groups
        self.order_group += shape.order_groups
        self.parent += shape.parents
        return shape


def _heads(message: Message) -> list[str]:
    """First three characters of each segment, '' where no field separator (or the end) follows them."""
    if message.delimiters is None:
        return ["" if segment[3:4].isalnum() else segment[:3] for segment in message.segments]
    separator = message.delimiters.field
    return [
        segment[:3] if segment[3:4] == separator or len(segment) == 3 else "" for segment in message.segments
    ]
