"""CSV extracts and AWS DMS change files (CSV, Parquet) -> units, raw_extract__row and raw_extract__column.

Belongs here: units of a file and the keys of its rows. Does not belong here: meaning of values (dbt), judging of the
file as a whole (`file.py`).
Locators: data row `row/12` (from 1), column `header/3`; a payload that is no such file is the unit `payload`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from transforms.decode.cells import rows_of
from transforms.decode.contract import UNIT_SCHEMA, Decoded, Delivered
from transforms.decode.engine import Engine
from transforms.decode.extract.file import ESCAPE, UNIT, ExtractFile, read_file
from transforms.decode.extract.parquet import read_parquet
from transforms.decode.extract.piece import Piece
from transforms.decode.extract.text import DAMAGE
from transforms.decode.hashing import ContentHasher
from transforms.decode.raw_schema import RAW_SCHEMAS
from transforms.decode.units import UNRECOGNISED, Unit, Units, content_hash, payload_unit, unreadable
from transforms.facilities.entry import Source
from transforms.landing.payload import Payload

TABLES = ("raw_extract__row", "raw_extract__column")
RAGGED = "csv.ragged_row"
UNTERMINATED = "csv.unterminated_quote"
EMPTY_EXTRACT = "csv.empty_extract"  # a header and no row: a valid delivery, not a missing one


def decode_csv_extract(deliveries: Sequence[Delivered]) -> Iterator[Decoded]:
    """Units `csv.row` (or `payload`), raw_extract__row and raw_extract__column."""
    return _decode(deliveries, "csv.row")


def decode_dms_s3_csv(deliveries: Sequence[Delivered]) -> Iterator[Decoded]:
    """Units `cdc.row` (or `payload`), raw_extract__row and raw_extract__column."""
    return _decode(deliveries, "cdc.row")


def decode_dms_s3_parquet(deliveries: Sequence[Delivered]) -> Iterator[Decoded]:
    """Units `cdc.row` (or `payload`), raw_extract__row and raw_extract__column."""
    return _decode(deliveries, "cdc.row", read_parquet)


def _decode(deliveries: Sequence[Delivered], unit_kind: str,
            read: Callable[[Payload, Source], ExtractFile | None] = read_file) -> Iterator[Decoded]:
    few = Units()
    with Engine() as engine:
        hasher = ContentHasher(engine)
        for delivery in deliveries:
            file = read(delivery.payload, delivery.source)
            if file is None:
                few.add(unreadable(delivery))
            elif file.code is not None and not file.rows:
                few.add(payload_unit(delivery, file.code))
            else:
                yield from _pieces(delivery, file, unit_kind, hasher)
    yield Decoded(few.take(), {})


def _pieces(delivery: Delivered, file: ExtractFile, unit_kind: str, hasher: ContentHasher) -> Iterator[Decoded]:
    """Units and rows of one file. Of a file that is refused whole there are units alone."""
    few = Units()
    for piece in file.pieces():
        own = piece.between(file.first, file.end)
        for unit in _odd_units(delivery, file, own, unit_kind):
            few.add(unit)
        for some in own.slices():
            rows = _Rows(delivery, file, unit_kind, some)
            units = pa.concat_tables([rows.units(hasher.hashes(rows.content())), few.take()])
            yield Decoded(units, {"raw_extract__row": rows.records()} if file.code is None else {})
    if file.code is None:
        yield Decoded(few.take(), {"raw_extract__column": _header(delivery, file)})


class _Rows:
    """Data rows of one piece of a file, those with the header's number of cells."""

    def __init__(self, delivery: Delivered, file: ExtractFile, unit_kind: str, piece: Piece) -> None:
        self._delivery = delivery
        self._file = file
        self._kind = unit_kind
        self._source = delivery.source
        self._ordinals = pc.cast(pc.subtract(piece.numbers, file.first - 1), pa.int32())
        self._piece = piece
        # The last of equal names, whose file is refused anyway.
        self._columns = {name: place for place, name in enumerate(file.columns)}
        self._locators = pc.binary_join_element_wise("row", pc.cast(self._ordinals, pa.string()), "/")
        self._reject = self._damage()

    def _damage(self) -> pa.Array | None:
        """Which rows hold bytes that their encoding does not know; null for none."""
        if not self._file.damaged:
            return None
        found = pc.match_substring_regex(self._piece.cells, DAMAGE.pattern).to_numpy(zero_copy_only=False)
        return pa.array(found.reshape(-1, self._piece.width).any(axis=1))

    def _column(self, name: str | None) -> pa.Array | None:
        place = None if name is None else self._columns.get(name)
        return None if place is None else self._piece.column(place)

    def content(self) -> pa.Array:
        """Text of each row that is equal for equal content, whatever the order of columns: md5 of the column names,
        then the values by name. Of change rows it leaves out operation (but for deletions), sequence and before image."""
        prefix = self._source.before_image_prefix
        apart = {self._source.op_column, self._source.sequence_column}
        names = sorted(n for n in self._columns if n not in apart and not (prefix and n.startswith(prefix)))
        parts: list[pa.Array | str] = [pa.repeat(pa.scalar(content_hash(UNIT.join(names).encode())), len(self._ordinals))]
        if names:
            cells = self._piece.in_order([self._columns[name] for name in names])
            parts.append(pc.binary_join(rows_of(_escaped(cells) if self._piece.has_marks else cells, len(names)), UNIT))
        op = self._column(self._source.op_column)
        if op is not None:
            parts.append(pc.if_else(pc.equal(pc.fill_null(op, ""), "D"), "D", ""))
        return pc.binary_join_element_wise(*parts, UNIT)

    def units(self, hashes: pa.Array) -> pa.Table:
        """Units of the rows."""
        count = len(self._ordinals)
        reject, path = self._codes()
        columns = {
            "delivery_id": _constant(self._delivery.delivery_id, count),
            "unit_ordinal": self._ordinals,
            "unit_kind": _constant(self._kind, count),
            "unit_locator": self._locators,
            "record_type": _constant(self._source.record_type, count),
            "content_hash": hashes,
            "reject_code": reject,
            "reject_path": path,
            "flags": pa.nulls(count, pa.string()),
        }
        return pa.table(columns, schema=UNIT_SCHEMA)

    def _codes(self) -> tuple[pa.Array, pa.Array]:
        count, none = len(self._ordinals), pa.scalar(None, pa.string())
        if self._file.code is not None:
            return _constant(self._file.code, count), _constant(self._file.path, count)
        if self._reject is None:
            return pa.nulls(count, pa.string()), pa.nulls(count, pa.string())
        return pc.if_else(self._reject, UNRECOGNISED, none), pc.if_else(self._reject, self._locators, none)

    def records(self) -> pa.Table:
        """Rows of raw_extract__row."""
        count = len(self._ordinals)
        op, sequence = self._column(self._source.op_column), self._column(self._source.sequence_column)
        columns = {
            "delivery_id": _constant(self._delivery.delivery_id, count),
            "unit_ordinal": self._ordinals,
            "record_locator": self._locators,
            "source_table": _constant(self._source.record_type, count),
            "row_number": pc.cast(self._ordinals, pa.int64()),
            "op": pa.nulls(count, pa.string()) if op is None else op,
            "sequence": pa.nulls(count, pa.string()) if sequence is None else sequence,
            "changed_ms": pa.nulls(count, pa.string()),
            "cells": rows_of(self._piece.cells, self._piece.width),
        }
        table = pa.table(columns, schema=RAW_SCHEMAS["raw_extract__row"])
        return table if self._reject is None else table.filter(pc.invert(self._reject))


def _odd_units(delivery: Delivered, file: ExtractFile, piece: Piece, unit_kind: str) -> list[Unit]:
    """Units of rows with another number of cells, and of the row whose quote is never closed."""
    found: list[Unit] = []
    for number, text in sorted(piece.odd.items()):
        ordinal = number - file.first + 1
        locator = f"row/{ordinal}"
        code = UNTERMINATED if number == piece.open_record else RAGGED
        if code == RAGGED and DAMAGE.search(text) and file.damaged:
            code = UNRECOGNISED
        found.append(
            Unit(
                delivery.delivery_id, ordinal, unit_kind, locator, delivery.source.record_type,
                content_hash(text.encode()), file.code or code, file.path or locator,
            )
        )  # fmt: skip
    return found


def _header(delivery: Delivered, file: ExtractFile) -> pa.Table:
    """Rows of raw_extract__column."""
    names = file.columns
    columns = {
        "delivery_id": [delivery.delivery_id] * len(names),
        "unit_ordinal": [0] * len(names),
        "record_locator": [f"header/{place}" for place in range(1, len(names) + 1)],
        "source_table": [delivery.source.record_type] * len(names),
        "column_ordinal": list(range(1, len(names) + 1)),
        "column_name": names,
    }
    return pa.table(columns, schema=RAW_SCHEMAS["raw_extract__column"])


def _constant(value: str | None, count: int) -> pa.Array:
    return pa.repeat(pa.scalar(value, pa.string()), count)


def _escaped(cells: pa.Array) -> pa.Array:
    """Values in which the mark between values cannot occur, null apart from empty."""
    once = pc.replace_substring(cells, ESCAPE, ESCAPE + "0")
    return pc.fill_null(pc.replace_substring(once, UNIT, ESCAPE + "1"), ESCAPE + "2")
