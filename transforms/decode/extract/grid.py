"""A delimited text as records of cells (RFC 4180), whole columns at a time.

Belongs here: text -> `Grid`. Does not belong here: what header, trailer or columns mean (`file.py`).
A quote opens a quoted field only at the field's start, and in it a doubled quote is one; CR, LF and CRLF end a record
outside quotes; empty lines are no records. Nothing is guessed: delimiter and width are given.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_END = "\x03end of payload\x03"  # a record put behind the last one; an open quote swallows it
# Pieces are read and worked on one by one: what they need beside the payload stays in the processor's cache and is used again.
PIECE_BYTES = 8 << 20
_ROWS_AT_ONCE = 1 << 16


@dataclass(frozen=True)
class Grid:
    """Records in order, counted from 0. `columns` holds the cells of those of the given width as texts, in pieces, `numbers` says which
    they are; `odd` holds the texts of all others; `open_record` is the record whose quote is never closed (always the last)."""

    columns: pa.Table
    numbers: pa.Array
    odd: dict[int, str]
    open_record: int | None

    def __len__(self) -> int:
        return len(self.numbers) + len(self.odd)

    def record(self, number: int, delimiter: str) -> list[str]:
        """Cells of one record."""
        if number in self.odd:
            return first_record(self.odd[number], delimiter)
        place = pc.index(self.numbers, number).as_py()
        return [column[place].as_py() for column in self.columns.columns]

    def pieces(self, first: int, end: int) -> Iterator[tuple[pa.Array, list[pa.Array]]]:
        """Numbers and columns of the records from `first` to before `end`, piece by piece; one empty piece where there are none."""
        start, stop = (pc.sum(pc.less(self.numbers, bound)).as_py() or 0 for bound in (first, end))
        found = self.columns.slice(start, max(stop - start, 0)).to_batches(max_chunksize=_ROWS_AT_ONCE)
        for batch in found or [pa.RecordBatch.from_pylist([], self.columns.schema)]:
            yield self.numbers.slice(start, batch.num_rows), batch.columns
            start += batch.num_rows


def first_record(text: str, delimiter: str) -> list[str]:
    """Cells of the first record of a text; none where the text holds no record."""
    lines = (match[0] for match in _LINE.finditer(text))
    return next((record for record in csv.reader(lines, delimiter=delimiter) if record), [])


def read_grid(content: bytes, delimiter: str, width: int) -> Grid:
    """Records of a text in UTF-8 that ought to have `width` cells each."""
    odd: dict[int, str] = {}
    # A line end stands between the text and the mark, so that they never make one record; an empty line is none.
    closed = b"".join((content, b"\n", delimiter.join([_END] * width).encode(), b"\n"))
    table = _read(closed, delimiter, [f"c{i}" for i in range(width)], odd)
    count = len(table) + len(odd)
    numbers = _without(pa.arange(0, count), odd)
    return _checked(table, numbers, odd, count)


def _read(content: bytes, delimiter: str, names: list[str], odd: dict[int, str]) -> pa.Table:
    def keep(row: arrow_csv.InvalidRow) -> str:
        odd[row.number - 1] = row.text
        return "skip"

    def read(piece: int) -> pa.Table:
        odd.clear()
        return arrow_csv.read_csv(
            pa.BufferReader(content),
            read_options=arrow_csv.ReadOptions(use_threads=False, column_names=names, block_size=piece),
            parse_options=arrow_csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=True, invalid_row_handler=keep
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, check_utf8=False),
        )

    # Arrow drops the line feed of a CRLF inside quotes where a piece ends between the two.
    if len(content) > PIECE_BYTES and not (b'"' in content and b"\r" in content):
        try:
            return read(PIECE_BYTES)
        except pa.ArrowInvalid:  # a record larger than a piece, or a quote that is never closed
            pass
    return read(len(content) + 1)


def _without(numbers: pa.Array, odd: dict[int, str]) -> pa.Array:
    if not odd:
        return numbers
    return numbers.filter(pc.invert(pc.is_in(numbers, pa.array(list(odd), pa.int64()))))


def rows_of_columns(columns: list[pa.Array]) -> pa.ListArray:
    """Lists of cells out of columns of texts: the cells of all columns, one behind the other, taken row by row."""
    width, count = len(columns), len(columns[0])
    column, row = (places.slice(0, count * width) for places in _places(width, 1 << count.bit_length()))
    order = pc.add(pc.multiply(column, pa.scalar(count, pa.int32())), row)
    return pa.ListArray.from_arrays(pa.arange(0, count * width + 1, width).cast(pa.int32()), pa.concat_arrays(columns).take(order))


@lru_cache(maxsize=4)
def _places(width: int, count: int) -> tuple[pa.Array, pa.Array]:
    """Column and row of each cell when `count` rows are read one after the other."""
    position = pa.arange(0, count * width).cast(pa.int32())
    row = pc.divide(position, pa.scalar(width, pa.int32()))
    return pc.subtract(position, pc.multiply(row, pa.scalar(width, pa.int32()))), row


def _checked(table: pa.Table, numbers: pa.Array, odd: dict[int, str], count: int) -> Grid:
    """Grid without the closing mark; where the mark is no record of its own, the last record is open."""
    last = count - 1
    if last in odd:
        odd[last] = odd[last].partition("\n" + _END)[0]
        return Grid(table, numbers, odd, last)
    rows = len(table) - 1
    final = [column[rows].as_py() for column in table.columns]
    if all(cell == _END for cell in final):
        return Grid(table.slice(0, rows), numbers.slice(0, rows), odd, None)
    odd[last] = "\x1f".join(final).partition("\n" + _END)[0]
    return Grid(table.slice(0, rows), numbers.slice(0, rows), odd, last)
