"""Debezium change events, one JSON text a line -> units, raw_extract__event, raw_extract__row and raw_extract__column.

Belongs here: the order of a file's lines and what follows from it. Does not belong here: reading them (`batch.py`), their tables
(`rows.py`).
Every event is kept as sent; its row image becomes cells, as those of any change file, so that one staging reads both. The header
of a file holds every column that some event of it names. Locators: `line/3`, column `header/3`;
a contracted column that is not there is named: `line/3#Phone`.
A tombstone (null value, for log compaction) is a unit of its own; its content is its key and the event before it, so that a
tombstone sent again is the same and one after another deletion is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.decode.contract import Decoded, Delivered
from transforms.decode.debezium.batch import BatchReader
from transforms.decode.debezium.lines import Lines, lines_of
from transforms.decode.debezium.rows import Events, Places, RowWriter
from transforms.decode.engine import Engine
from transforms.decode.hashing import ContentHasher
from transforms.decode.json_text import is_too_deep
from transforms.decode.raw_schema import RAW_SCHEMAS
from transforms.decode.record_table import joined
from transforms.decode.units import PIECE_BYTES, PIECE_UNITS, UNRECOGNISED, Unit, Units, content_hash, unreadable

TABLES = ("raw_extract__row", "raw_extract__column", "raw_extract__event")
TOO_DEEP = "payload.nesting_too_deep"


def decode_debezium_jsonl(deliveries: Sequence[Delivered]) -> Iterator[Decoded]:
    """Units `cdc.row` (or `payload`) and the tables of `TABLES`. A file of several pieces has in each row the columns seen so far: those
    that come later are behind them and null."""
    none = Units()
    with Engine() as engine:
        hasher = ContentHasher(engine)
        for delivery in deliveries:
            if not any(pc.any(pc.starts_with(lines.texts, "{")).as_py() for lines in lines_of(delivery.payload)):
                none.add(unreadable(delivery))
                continue
            file = _File(delivery, hasher)
            for lines in lines_of(delivery.payload):
                file.read(lines)
                if file.size > PIECE_BYTES or file.units > PIECE_UNITS:
                    yield file.take()
            yield file.take()
            yield Decoded(none.take(), {"raw_extract__column": file.header()})
    yield Decoded(none.take(), {table: RAW_SCHEMAS[table].empty_table() for table in TABLES})


class _File:
    """One delivery on its way into units and rows; `units` and `size` are what waits to be taken."""

    def __init__(self, delivery: Delivered, hasher: ContentHasher) -> None:
        self._delivery = delivery
        self._reader = BatchReader(delivery.source)
        self._writer = RowWriter(delivery, hasher.hashes)
        self._columns: dict[str, None] = dict.fromkeys(column.name for column in delivery.source.columns)
        self._before: dict[str, str] = {}
        self._behind = 0
        self._events: list[Events] = []
        self._tombstones: list[tuple[Places, list[str]]] = []
        self._refused = Units()
        self.units = self.size = 0

    def read(self, lines: Lines) -> None:
        """Read a batch of lines."""
        events, unread = self._reader.read(self._places(lines))
        for ordinal, number, text in zip(unread.ordinals.to_pylist(), unread.lines.to_pylist(), unread.texts.to_pylist(), strict=True):
            self._refuse(ordinal, number, text.encode("utf-8"))
        self._remember(events)
        self._events += sorted((one for one in events if one.layout.op is not None), key=lambda one: one.first)
        self._behind += len(lines.texts)
        self.units += len(lines.texts)
        self.size += pc.sum(pc.binary_length(lines.texts)).as_py()

    def take(self) -> Decoded:
        """Units, raw rows and events of the lines since the last time."""
        for one in self._events:
            self._columns |= dict.fromkeys(one.image)
        units, told, rows = [self._refused.take()], list[pa.Table](), list[pa.Table]()
        for places, hashes in self._tombstones:
            units.append(self._writer.tombstone_units(places, hashes))
            told.append(self._writer.tombstones(places))
        for one in self._events:
            for parts, part in zip((units, told, rows), self._writer.changes(one, self._columns), strict=True):
                parts.append(part)
        self._events, self._tombstones = [], []
        self.units = self.size = 0
        records = {"raw_extract__row": joined("raw_extract__row", rows), "raw_extract__event": joined("raw_extract__event", told)}
        return Decoded(pa.concat_tables(units), records)

    def header(self) -> pa.Table:
        """Columns of the whole file: the contract's, then the others as they came."""
        count, table = len(self._columns), self._delivery.source.record_type
        columns = {
            "delivery_id": [self._delivery.delivery_id] * count, "unit_ordinal": [0] * count,
            "record_locator": [f"header/{place}" for place in range(1, count + 1)], "source_table": [table] * count,
            "column_ordinal": list(range(1, count + 1)), "column_name": list(self._columns),
        }
        return pa.table(columns, schema=RAW_SCHEMAS["raw_extract__column"])

    def _places(self, lines: Lines) -> Places:
        """The lines that are text."""
        ordinals = pc.cast(pa.arange(self._behind + 1, self._behind + len(lines.texts) + 1), pa.int32())
        texts = _texts(lines.texts)
        if texts is not None:
            return Places(ordinals, pa.array(lines.numbers), texts)
        are_texts = np.array([_texts(lines.texts[place : place + 1]) is not None for place in range(len(lines.texts))])
        for place in np.flatnonzero(~are_texts).tolist():
            self._refuse(self._behind + place + 1, int(lines.numbers[place]), lines.texts[place].as_py())
        kept = pa.array(are_texts)
        return Places(ordinals.filter(kept), pa.array(lines.numbers[are_texts]), lines.texts.filter(kept).cast(pa.string()))

    def _refuse(self, ordinal: int, number: int, line: bytes) -> None:
        locator, code = f"line/{number}", TOO_DEEP if is_too_deep(line) else UNRECOGNISED
        delivery, record_type = self._delivery.delivery_id, self._delivery.source.record_type
        self._refused.add(Unit(delivery, ordinal, "cdc.row", locator, record_type, content_hash(line), code, locator))

    def _remember(self, events: list[Events]) -> None:
        """Keep what came last under each key, and the tombstones with their hashes: their content is their key and what came before."""
        if not events:
            return
        ordinals = pa.concat_arrays([one.places.ordinals for one in events])
        keys = pa.concat_arrays([one.keys for one in events])
        sequences = pa.concat_arrays([pa.nulls(len(one.places), pa.string()) if one.layout.op is None else one.sequence for one in events])
        order = pc.sort_indices(ordinals)
        in_order = [column.take(order).to_pylist() for column in (ordinals, keys, sequences)]
        if not sequences.null_count:
            self._before.update(zip(*in_order[1:], strict=True))
            return
        hashes: dict[int, str] = {}
        for ordinal, key, sequence in zip(*in_order, strict=True):
            if sequence is None:
                content = f"{key}\n{self._before.get(key, '')}"
                hashes[ordinal] = content_hash(content.encode("utf-8"))
                self._before[key] = f"{content}\ntombstone"
            else:
                self._before[key] = sequence
        tombstones = [one.places for one in events if one.layout.op is None]
        self._tombstones += [(places, [hashes[ordinal] for ordinal in places.ordinals.to_pylist()]) for places in tombstones]


def _texts(lines: pa.BinaryArray) -> pa.StringArray | None:
    """The lines as texts; null where one is none."""
    try:
        return lines.cast(pa.string())
    except pa.ArrowInvalid:
        return None
