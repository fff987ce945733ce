"""Events of one layout, as columns -> their units and raw rows.

Belongs here: what follows from an event's own texts: position in the log, content, what the contract misses in it. Does not belong here:
reading events (`event.py`, `shape.py`), their order and tombstones (`decode.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from transforms.decode.cells import rows_of_columns
from transforms.decode.contract import UNIT_SCHEMA, Delivered
from transforms.decode.debezium.event import POSITION, Layout, Said
from transforms.decode.debezium.logical_types import WireType, shown
from transforms.decode.raw_schema import RAW_SCHEMAS

COLUMN_MISSING = "cdc.column_missing"
COLUMN_ADDED = "cdc.column_added"
Hashes = Callable[[pa.Array], pa.Array]


@dataclass(frozen=True)
class Places:
    """Where events stand: the ordinals of their units and the numbers of their lines; and the lines as sent."""

    ordinals: pa.Array
    lines: pa.Array
    texts: pa.Array

    def __len__(self) -> int:
        return len(self.ordinals)

    def take(self, indices: pa.Array) -> Places:
        """Some of them."""
        return Places(self.ordinals.take(indices), self.lines.take(indices), self.texts.take(indices))

    def where(self, chosen: pa.Array) -> Places:
        """Those that are chosen."""
        return Places(self.ordinals.filter(chosen), self.lines.filter(chosen), self.texts.filter(chosen))

    @property
    def locators(self) -> pa.Array:
        """`line/3`."""
        return pc.binary_join_element_wise("line", pc.cast(self.lines, pa.string()), "/")


@dataclass(frozen=True)
class Events:
    """Events of one layout in the order of their lines. `keys` are canonical texts of the message keys, `position` columns of texts in the
    order of `POSITION`; `image` is column -> its values' texts as sent, and which of them are JSON numbers."""

    layout: Layout
    places: Places
    keys: pa.Array
    position: tuple[pa.Array, ...]
    image: dict[str, tuple[pa.Array, pa.Array]]

    @classmethod
    def of(cls, layout: Layout, places: Places, said: Sequence[Said]) -> Events:
        """Events that were read one by one; their images have the same columns."""
        position = tuple(pa.array([one.position[number] for one in said], pa.string()) for number in range(len(POSITION)))
        image = {
            name: (pa.array([one.image[name] for one in said], pa.string()), pa.array([name in one.numbers for one in said], pa.bool_()))
            for name in said[0].image
        }
        return cls(layout, places, pa.array([one.key for one in said], pa.string()), position, image)

    @property
    def first(self) -> int:
        """Ordinal of the first."""
        return int(self.places.ordinals[0].as_py())

    @property
    def sequence(self) -> pa.Array:
        """Position in the log: sorts as text. The separator sorts before every character of a part, so that a missing part comes first;
        empty for a snapshot without position."""
        commit, change, serial = (pc.fill_null(column, "") for column in self.position[:3])
        numbered = pc.if_else(pc.equal(serial, ""), "", pc.utf8_lpad(serial, 20, "0"))
        has_place = pc.or_(pc.not_equal(commit, ""), pc.not_equal(change, ""))
        return pc.if_else(has_place, pc.utf8_lower(pc.binary_join_element_wise(commit, change, numbered, " ")), "")


class RowWriter:
    """Tables of one delivery's events."""

    def __init__(self, delivery: Delivered, hashes: Hashes) -> None:
        self._delivery = delivery.delivery_id
        self._table = delivery.source.record_type
        self._contracted = {column.name for column in delivery.source.columns}
        self._hashes = hashes

    def tombstone_units(self, places: Places, hashes: Sequence[str]) -> pa.Table:
        """Units of tombstones, whose content is told by what came before them."""
        return self._units(places, pa.array(hashes, pa.string()), None, "", None)

    def tombstones(self, places: Places) -> pa.Table:
        """Rows of raw_extract__event of tombstones."""
        return self._events(places, None, pa.nulls(len(places), pa.string()), True)

    def changes(self, events: Events, columns: Iterable[str]) -> tuple[pa.Table, pa.Table, pa.Table]:
        """Units, and rows of raw_extract__event and raw_extract__row, of changes; `columns` are those of the file so far."""
        types, count = dict(events.layout.types), len(events.places)
        cells = {name: shown(texts, are_numbers, types.get(name, WireType())) for name, (texts, are_numbers) in events.image.items()}
        op = events.layout.op
        missing = sorted(self._contracted - set(cells)) if op != "d" else []
        added = COLUMN_ADDED if set(cells) - self._contracted else None
        sequence = events.sequence
        hashes, code = self._hashes(_content(cells, op == "d", count)), COLUMN_MISSING if missing else None
        units = self._units(events.places, hashes, code, "".join(f"#{name}" for name in missing), added)
        told = self._events(events.places, op, pc.if_else(pc.equal(sequence, ""), None, sequence), False)
        if missing:
            return units, told, RAW_SCHEMAS["raw_extract__row"].empty_table()
        absent = pa.nulls(count, pa.string())
        rows = {
            **self._record(events.places), "row_number": pc.cast(events.places.ordinals, pa.int64()), "op": _constant(op, count),
            "sequence": sequence, "changed_ms": events.position[3], "cells": rows_of_columns([cells.get(name, absent) for name in columns]),
        }
        return units, told, pa.table(rows, schema=RAW_SCHEMAS["raw_extract__row"])

    def _units(self, places: Places, hashes: pa.Array, code: str | None, inside: str, flag: str | None) -> pa.Table:
        count, locators = len(places), places.locators
        columns = {
            "delivery_id": _constant(self._delivery, count), "unit_ordinal": places.ordinals, "unit_kind": _constant("cdc.row", count),
            "unit_locator": locators, "record_type": _constant(self._table, count), "content_hash": hashes,
            "reject_code": _constant(code, count), "flags": _constant(flag, count),
            "reject_path": pc.binary_join_element_wise(locators, inside, "") if code else _constant(None, count),
        }
        return pa.table(columns, schema=UNIT_SCHEMA)

    def _events(self, places: Places, op: str | None, sequence: pa.Array, is_tombstone: bool) -> pa.Table:
        count = len(places)
        columns = {
            **self._record(places), "op": _constant(op, count), "sequence": sequence,
            "is_tombstone": pa.repeat(pa.scalar(is_tombstone), count), "event": places.texts,
        }
        return pa.table(columns, schema=RAW_SCHEMAS["raw_extract__event"])

    def _record(self, places: Places) -> dict[str, pa.Array]:
        count = len(places)
        return {
            "delivery_id": _constant(self._delivery, count), "unit_ordinal": places.ordinals, "record_locator": places.locators,
            "source_table": _constant(self._table, count),
        }


def _content(cells: dict[str, pa.Array], is_deletion: bool, count: int) -> pa.Array:
    """Text of each row image that is equal for equal content: values by name, null apart from empty, and whether it is a deletion."""
    parts: list[pa.Array | str] = [_constant("", count)]
    for name in sorted(cells):
        column, begin = cells[name], f"{name}\x1e"
        begun = pc.if_else(pc.is_valid(column), begin + "1", begin + "0") if column.null_count else begin + "1"
        parts += [begun, pc.fill_null(column, ""), "\x1f"]
    return pc.binary_join_element_wise(*parts, "D" if is_deletion else "", "")


def _constant(value: str | None, count: int) -> pa.Array:
    return pa.repeat(pa.scalar(value, pa.string()), count)
