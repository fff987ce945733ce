"""Debezium change events, one JSON text a line -> units, raw_extract__event, raw_extract__row and raw_extract__column.

Belongs here: units of a file and the keys of its rows. Does not belong here: the envelope (`event.py`).
Every event is kept as sent; its row image becomes cells, as those of any change file, so that one staging reads both. The header
of a file holds every column that some event of it names. Locators: `line/3`, column `header/3`;
a contracted column that is not there is named: `line/3#Phone`.
A tombstone (null value, for log compaction) is a unit of its own; its content is its key and the event before it, so that a
tombstone sent again is the same and one after another deletion is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from transforms.decode.contract import Decoded, Delivered
from transforms.decode.debezium.event import ChangeEvent, read_event
from transforms.decode.json_text import JsonReader, is_too_deep
from transforms.decode.raw_schema import RAW_SCHEMAS
from transforms.decode.units import PIECE_BYTES, PIECE_UNITS, UNRECOGNISED, Unit, Units, content_hash, unreadable
from transforms.landing.payload import Payload

TABLES = ("raw_extract__row", "raw_extract__column", "raw_extract__event")
TOO_DEEP = "payload.nesting_too_deep"
COLUMN_MISSING = "cdc.column_missing"
COLUMN_ADDED = "cdc.column_added"
_BOM = b"\xef\xbb\xbf"


def decode_debezium_jsonl(deliveries: Sequence[Delivered]) -> Iterator[Decoded]:
    """Units `cdc.row` (or `payload`) and the tables of `TABLES`. A file of several pieces has in each row the columns seen so far: those
    that come later are behind them and null."""
    units = Units()
    empty = {table: RAW_SCHEMAS[table].empty_table() for table in TABLES}
    for delivery in deliveries:
        if not any(line[:1] == b"{" for _, line in _lines(delivery.payload)):
            units.add(unreadable(delivery))
            continue
        file = _File(delivery, units)
        for number, line in _lines(delivery.payload):
            file.read(number, line)
            if file.size > PIECE_BYTES or len(units) > PIECE_UNITS:
                yield Decoded(units.take(), {**empty, **file.take()})
        yield Decoded(units.take(), {**file.take(), "raw_extract__column": file.header()})
    yield Decoded(units.take(), empty)


def _lines(payload: Payload) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(payload.lines(), 1):
        stripped = (line if number > 1 else line.removeprefix(_BOM)).strip(b" \t\r")
        if stripped:
            yield number, stripped


class _File:
    """One delivery on its way into units and rows."""

    def __init__(self, delivery: Delivered, units: Units) -> None:
        self._delivery = delivery
        self._source = delivery.source
        self._units = units
        self._reader = JsonReader()
        self._ordinal = 0
        self._events: list[tuple[int, str, ChangeEvent, str]] = []
        self._rows: list[tuple[int, str, ChangeEvent]] = []
        self._columns: dict[str, None] = dict.fromkeys(column.name for column in self._source.columns)
        self._before: dict[bytes, bytes] = {}
        self.size = 0

    def read(self, number: int, line: bytes) -> None:
        """Append one line's unit and rows."""
        self._ordinal += 1
        self.size += len(line)
        locator = f"line/{number}"
        event, text, code = self._event(line)
        if event is None:
            self._add(locator, content_hash(line), code, set())
            return
        self._events.append((self._ordinal, locator, event, text))
        if event.is_tombstone:
            self._add(locator, content_hash(self._after(event, b"tombstone")), None, set())
            return
        self._after(event, event.sequence.encode())
        contracted = {column.name for column in self._source.columns}
        missing = sorted(contracted - set(event.cells)) if event.op != "d" else []
        added = {COLUMN_ADDED} if set(event.cells) - contracted else set()
        self._columns |= dict.fromkeys(event.cells)
        inside = "".join(f"#{name}" for name in missing)
        self._add(locator, content_hash(_content(event)), COLUMN_MISSING if missing else None, added, inside)
        if not missing:
            self._rows.append((self._ordinal, locator, event))

    def _event(self, line: bytes) -> tuple[ChangeEvent | None, str, str]:
        if is_too_deep(line):
            return None, "", TOO_DEEP
        try:
            text = line.decode("utf-8")
            value, repeats = self._reader.parse(text)
            return (None if repeats else read_event(value, self._source)), text, UNRECOGNISED
        except ValueError:  # not JSON, not UTF-8, or a lone surrogate
            return None, "", UNRECOGNISED

    def _after(self, event: ChangeEvent, mark: bytes) -> bytes:
        """Content of the event by what came before it under the same key, and remember the event."""
        content = event.key + b"\n" + self._before.get(event.key, b"")
        self._before[event.key] = mark if not event.is_tombstone else content + b"\n" + mark
        return content

    def _add(self, locator: str, hashed: str, code: str | None, flags: set[str], inside: str = "") -> None:
        self._units.add(
            Unit(
                self._delivery.delivery_id, self._ordinal, "cdc.row", locator, self._source.record_type, hashed, code,
                locator + inside if code else None, flags,
            )
        )  # fmt: skip

    def take(self) -> dict[str, pa.Table]:
        """Raw rows and events since the last time."""
        delivery, table, names = self._delivery.delivery_id, self._source.record_type, list(self._columns)
        rows = [
            (
                delivery, ordinal, locator, table, ordinal, event.op, event.sequence, event.changed_ms,
                [event.cells.get(name) for name in names],
            )
            for ordinal, locator, event in self._rows
        ]  # fmt: skip
        events = [
            (delivery, ordinal, locator, table, event.op, event.sequence or None, event.is_tombstone, text)
            for ordinal, locator, event, text in self._events
        ]
        self._rows, self._events, self.size = [], [], 0
        return {"raw_extract__row": _table("raw_extract__row", rows), "raw_extract__event": _table("raw_extract__event", events)}

    def header(self) -> pa.Table:
        """Columns of the whole file: the contract's, then the others as they came."""
        delivery, table = self._delivery.delivery_id, self._source.record_type
        return _table("raw_extract__column", [
            (delivery, 0, f"header/{place}", table, place, name) for place, name in enumerate(self._columns, 1)])


def _content(event: ChangeEvent) -> bytes:
    """Text that is equal for equal content: the row image by name, and whether it is a deletion."""
    parts = [f"{name}\x1e{'0' if value is None else '1' + value}" for name, value in sorted(event.cells.items())]
    return "\x1f".join([*parts, "D" if event.op == "d" else ""]).encode("utf-8")


def _table(name: str, rows: Sequence[tuple[object, ...]]) -> pa.Table:
    schema = RAW_SCHEMAS[name]
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    arrays = [pa.array(column, item.type) for column, item in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)
