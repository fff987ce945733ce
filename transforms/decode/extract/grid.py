"""A delimited text as records of cells (RFC 4180), whole columns at a time.

Belongs here: text -> `Grid`. Does not belong here: what header, trailer or columns mean (`file.py`).
A quote opens a quoted field only at the field's start, and in it a doubled quote is one; CR, LF and CRLF end a record
outside quotes; empty lines are no records. Nothing is guessed: delimiter and width are given.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_END = "\x03end of payload\x03"  # a record put behind the last one; an open quote swallows it
_ROWS_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class Grid:
    """Records in order, counted from 0. `cells` holds those of the given width, `numbers` says which they are;
    `odd` holds the texts of all others; `open_record` is the record whose quote is never closed (always the last)."""

    cells: pa.ListArray
    numbers: pa.Array
    odd: dict[int, str]
    open_record: int | None

    def __len__(self) -> int:
        return len(self.numbers) + len(self.odd)

    def record(self, number: int, delimiter: str) -> list[str]:
        """Cells of one record."""
        if number in self.odd:
            return first_record(self.odd[number], delimiter)
        cells: list[str] = self.cells[pc.index(self.numbers, number).as_py()].as_py()
        return cells


def first_record(text: str, delimiter: str) -> list[str]:
    """Cells of the first record of a text; none where the text holds no record."""
    lines = (match[0] for match in _LINE.finditer(text))
    return next((record for record in csv.reader(lines, delimiter=delimiter) if record), [])


def read_grid(text: str, delimiter: str, width: int) -> Grid:
    """Records of a text that ought to have `width` cells each."""
    odd: dict[int, str] = {}

    def keep(row: arrow_csv.InvalidRow) -> str:
        odd[row.number - 1] = row.text
        return "skip"

    names = [f"c{i}" for i in range(width)]
    # A line end stands between the text and the mark, so that they never make one record; an empty line is none.
    content = (text + "\n" + delimiter.join([_END] * width) + "\n").encode()
    table = arrow_csv.read_csv(
        pa.BufferReader(content),
        read_options=arrow_csv.ReadOptions(use_threads=False, column_names=names, block_size=len(content) + 1),
        parse_options=arrow_csv.ParseOptions(
            delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=True, invalid_row_handler=keep
        ),
        convert_options=arrow_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False),
    )
    columns = [column.combine_chunks() for column in table.columns]
    count = len(table) + len(odd)
    numbers = _without(pa.arange(0, count), odd)
    return _checked(rows_of_columns(columns, len(table)), numbers, odd, count)


def _without(numbers: pa.Array, odd: dict[int, str]) -> pa.Array:
    if not odd:
        return numbers
    return numbers.filter(pc.invert(pc.is_in(numbers, pa.array(list(odd), pa.int64()))))


def rows_of_columns(columns: list[pa.Array], count: int) -> pa.ListArray:
    """Lists of cells out of columns of `count` texts each: the cells of all columns, one behind the other, taken row by row."""
    width = len(columns)
    parts: list[pa.Array] = []
    for start in range(0, count, _ROWS_AT_ONCE):
        size = min(_ROWS_AT_ONCE, count - start)
        cells = pa.concat_arrays([column.slice(start, size) for column in columns])
        position = pa.arange(0, size * width)
        row = pc.divide(position, width)
        order = pc.add(pc.multiply(pc.subtract(position, pc.multiply(row, width)), size), row)
        parts.append(pa.ListArray.from_arrays(pa.arange(0, size * width + 1, width).cast(pa.int32()), cells.take(order)))
    return pa.concat_arrays(parts) if parts else pa.array([], pa.list_(pa.string()))


def _checked(cells: pa.ListArray, numbers: pa.Array, odd: dict[int, str], count: int) -> Grid:
    """Grid without the closing mark; where the mark is no record of its own, the last record is open."""
    last = count - 1
    if last in odd:
        odd[last] = odd[last].partition("\n" + _END)[0]
        return Grid(cells, numbers, odd, last)
    final = cells[-1].as_py()
    if all(cell == _END for cell in final):
        return Grid(cells.slice(0, len(cells) - 1), numbers.slice(0, len(numbers) - 1), odd, None)
    odd[last] = "\x1f".join(final).partition("\n" + _END)[0]
    return Grid(cells.slice(0, len(cells) - 1), numbers.slice(0, len(numbers) - 1), odd, last)
