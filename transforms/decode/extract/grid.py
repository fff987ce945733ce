"""A delimited text as records of cells (RFC 4180), piece by piece, whole columns at a time.

Belongs here: text -> `Piece`s. Does not belong here: what header, trailer or columns mean (`file.py`).
A quote opens a quoted field only at the field's start, and in it a doubled quote is one; CR, LF and CRLF end a record
outside quotes; empty lines are no records. Nothing is guessed: delimiter and width are given.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from transforms.decode.extract.feeding import Feed
from transforms.decode.extract.text import Text
from transforms.landing.payload import FIELD_LIMIT

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_END = "\x03end of payload\x03"  # a record put behind the last one; an open quote swallows it
# Text is read in blocks, and records are worked on in pieces, that stay in the processor's cache. A record that is larger than a block
# asks for the larger one; what is larger than that is taken for a quote that is never closed.
BLOCK_BYTES, LARGE_BLOCK_BYTES = 8 << 20, FIELD_LIMIT
_ROWS_AT_ONCE = 1 << 16
_BYTES_AHEAD = 48 << 20
_BLOCKS_AHEAD = 40  # more than Arrow reads before it tells that a record is too large


@dataclass(frozen=True)
class Piece:
    """Some records, counted from 0 in the text. `columns` holds the cells of those of the given width as texts, `numbers` says which they
    are; `odd` holds the texts of all others; `open_record` is the record whose quote is never closed (always the last of all).
    `has_marks`: some text up to here holds one of the characters that the reader was asked to tell of."""

    numbers: pa.Array
    columns: list[pa.Array]
    odd: dict[int, str]
    open_record: int | None = None
    has_marks: bool = False

    def __len__(self) -> int:
        return len(self.numbers) + len(self.odd)

    @property
    def last(self) -> int:
        """Number of its last record."""
        return max(self.numbers[-1].as_py() if len(self.numbers) else -1, max(self.odd, default=-1))

    def record(self, number: int, delimiter: str) -> list[str]:
        """Cells of one record."""
        if number in self.odd:
            return first_record((self.odd[number],), delimiter)
        place = pc.index(self.numbers, number).as_py()
        return [column[place].as_py() for column in self.columns]

    def between(self, first: int, end: int | None) -> Piece:
        """The records from `first` to before `end` (null: all that follow)."""
        start = pc.sum(pc.less(self.numbers, first)).as_py() or 0
        stop = len(self.numbers) if end is None else pc.sum(pc.less(self.numbers, end)).as_py() or 0
        if start == 0 and stop == len(self.numbers) and not self.odd:
            return self
        odd = {number: text for number, text in self.odd.items() if first <= number and (end is None or number < end)}
        return Piece(self.numbers[start:stop], [column[start:stop] for column in self.columns], odd, self.open_record, self.has_marks)

    def slices(self) -> Iterator[tuple[pa.Array, list[pa.Array]]]:
        """Numbers and columns, a bounded number of records at a time; one empty slice where there are none."""
        for start in range(0, max(len(self.numbers), 1), _ROWS_AT_ONCE):
            stop = start + _ROWS_AT_ONCE
            yield self.numbers[start:stop], [column[start:stop] for column in self.columns]


def first_record(parts: Iterable[str], delimiter: str) -> list[str]:
    """Cells of the first record of a text; none where the text holds no record, or one that is too large."""
    csv.field_size_limit(FIELD_LIMIT)
    try:
        return next((record for record in csv.reader(_lines(parts), delimiter=delimiter) if record), [])
    except csv.Error:
        return []


def _lines(parts: Iterable[str]) -> Iterator[str]:
    begun = ""
    for part in parts:
        begun += part
        # A carriage return at the end may be half of a line end.
        end = max(begun.rfind("\n"), begun.rfind("\r", 0, -1)) + 1
        yield from (line[0] for line in _LINE.finditer(begun, 0, end))
        begun = begun[end:]
        if len(begun) > FIELD_LIMIT:
            raise csv.Error("a line is larger than a field may be")
    yield from (line[0] for line in _LINE.finditer(begun))


def read_pieces(text: Text, delimiter: str, width: int, marks: tuple[str, ...] = ()) -> Iterator[Piece]:
    """Records of a text that ought to have `width` cells each. A record that is too large is open, and takes all that follows with it."""
    done = reads = 0
    for size, back in ((BLOCK_BYTES, None), (LARGE_BLOCK_BYTES, None), *((LARGE_BLOCK_BYTES, back) for back in range(_BLOCKS_AHEAD))):
        feed = Feed(_closed(text, delimiter, width), marks, max(_BYTES_AHEAD // size, 3), None if back is None else max(reads - back, 1))
        found = _read(feed, delimiter, width, size)
        try:
            for piece in _checked(found) if back is None else _cut_short(found, text):
                if len(piece) and piece.last >= done:
                    yield piece.between(done, None)
                    done = piece.last + 1
        except pa.ArrowInvalid:  # a record larger than a block, or a quote that is never closed
            reads = feed.reads if back is None else reads
        else:
            return
        finally:
            feed.leave()
    raise AssertionError("a text that ends where its reader stopped is read")


def _closed(text: Text, delimiter: str, width: int) -> Iterator[bytes]:
    """The text with the mark behind it. A line end stands between, so that they never make one record; an empty line is none."""
    yield from text.in_utf8()
    yield b"\n" + delimiter.join([_END] * width).encode() + b"\n"


def _read(feed: Feed, delimiter: str, width: int, size: int) -> Iterator[Piece]:
    names, odd = [f"c{i}" for i in range(width)], dict[int, str]()

    def keep(row: arrow_csv.InvalidRow) -> str:
        odd[row.number - 1] = row.text
        return "skip"

    reader = arrow_csv.open_csv(
        pa.PythonFile(feed, mode="r"),
        read_options=arrow_csv.ReadOptions(use_threads=False, column_names=names, block_size=size),
        parse_options=arrow_csv.ParseOptions(
            delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=True, invalid_row_handler=keep
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, check_utf8=False),
    )
    first = 0
    for batch in reader:
        # Rows that the reader is ahead of are odd already; those of this batch have the first numbers that are not.
        ahead, count = sorted(odd), 0
        while count < len(ahead) and ahead[count] < first + batch.num_rows + count:
            count += 1
        numbers, own = pa.arange(first, first + batch.num_rows + count), {number: odd.pop(number) for number in ahead[:count]}
        feed.take()
        yield Piece(_without(numbers, own), batch.columns, own, None, feed.has_marks)
        first += batch.num_rows + count
    yield Piece(pa.array([], pa.int64()), [pa.array([], pa.string())] * width, odd, None, feed.has_marks)


def _without(numbers: pa.Array, odd: dict[int, str]) -> pa.Array:
    if not odd:
        return numbers
    return numbers.filter(pc.invert(pc.is_in(numbers, pa.array(list(odd), pa.int64()))))


def _checked(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """The pieces without the closing mark; where the mark is no record of its own, the last record is open."""
    found = filter(len, pieces)
    held = next(found)
    for piece in found:
        yield held
        held = piece
    yield _unclosed(held)


def _cut_short(pieces: Iterable[Piece], text: Text) -> Iterator[Piece]:
    """The pieces of a text that ends inside its last record. No more is known of that record without holding it than the whole that it is
    part of, so this stands for its text."""
    *found, final = filter(len, pieces)
    yield from found
    rows, odd = len(final.numbers), {number: line for number, line in final.odd.items() if number < final.last}
    rows -= 1 if final.last not in final.odd else 0
    yield Piece(final.numbers[:rows], [column[:rows] for column in final.columns], {**odd, final.last: text.payload.digest("md5")},
                final.last, final.has_marks)


def _unclosed(piece: Piece) -> Piece:
    last = piece.last
    if last in piece.odd:
        odd = {**piece.odd, last: piece.odd[last].partition("\n" + _END)[0]}
        return Piece(piece.numbers, piece.columns, odd, last, piece.has_marks)
    rows = len(piece.numbers) - 1
    final = [column[rows].as_py() for column in piece.columns]
    numbers, columns = piece.numbers[:rows], [column[:rows] for column in piece.columns]
    if all(cell == _END for cell in final):
        return Piece(numbers, columns, piece.odd, None, piece.has_marks)
    return Piece(numbers, columns, {**piece.odd, last: "\x1f".join(final).partition("\n" + _END)[0]}, last, piece.has_marks)
