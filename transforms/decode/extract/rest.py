"""Records of a delimited text whose marks do not tell them all, by Arrow's reader, which goes byte by byte.

Belongs here: quotes that stand anywhere, and the quote that is never closed. Does not belong here: blocks that are plainer (`marks.py`).
A quote opens a quoted field only at the field's start, and in it a doubled quote is one; CR, LF and CRLF end a record
outside quotes; empty lines are no records. Nothing is guessed: delimiter and width are given.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from transforms.decode.cells import row_by_row
from transforms.decode.extract.feeding import Feed
from transforms.decode.extract.piece import Piece
from transforms.decode.extract.text import Text
from transforms.landing.payload import FIELD_LIMIT

_END = "\x03end of payload\x03"  # a record put behind the last one; an open quote swallows it
# Text is read in blocks that stay in the processor's cache. A record that is larger than a block asks for the larger one; what is larger
# than that is taken for a quote that is never closed.
BLOCK_BYTES, LARGE_BLOCK_BYTES = 8 << 20, FIELD_LIMIT
_BYTES_AHEAD = 48 << 20
_BLOCKS_AHEAD = 40  # more than Arrow reads before it tells that a record is too large


def read_rest(text: Text, begin: int, done: int, delimiter: str, width: int, marks: tuple[str, ...]) -> Iterator[Piece]:
    """Records of a text that ought to have `width` cells each, from a byte of it on, before which `done` records are. A record that is too
    large is open, and takes all that follows with it."""
    first, reads = done, 0
    for size, back in ((BLOCK_BYTES, None), (LARGE_BLOCK_BYTES, None), *((LARGE_BLOCK_BYTES, back) for back in range(_BLOCKS_AHEAD))):
        limit = None if back is None else max(reads - back, 1)
        feed = Feed(_closed(text, begin, delimiter, width), marks, max(_BYTES_AHEAD // size, 3), limit)
        found = _read(feed, first, delimiter, width, size)
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


def _closed(text: Text, begin: int, delimiter: str, width: int) -> Iterator[bytes]:
    """The text from a byte on with the mark behind it. A line end stands between, so that they never make one record; an empty line is
    none. One before it keeps Arrow from taking a record's first character for a byte order mark."""
    if begin:
        yield b"\n"
    for block in text.in_utf8():
        if begin < len(block):
            yield block[begin:]
        begin = max(begin - len(block), 0)
    yield b"\n" + delimiter.join([_END] * width).encode() + b"\n"


def _read(feed: Feed, first: int, delimiter: str, width: int, size: int) -> Iterator[Piece]:
    names, odd = [f"c{i}" for i in range(width)], dict[int, str]()

    def keep(row: arrow_csv.InvalidRow) -> str:
        odd[first + row.number - 1] = row.text
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
    begun = first
    for batch in reader:
        # Rows that the reader is ahead of are odd already; those of this batch have the first numbers that are not.
        ahead, count = sorted(odd), 0
        while count < len(ahead) and ahead[count] < begun + batch.num_rows + count:
            count += 1
        numbers, own = pa.arange(begun, begun + batch.num_rows + count), {number: odd.pop(number) for number in ahead[:count]}
        feed.take()
        yield Piece(_without(numbers, own), row_by_row(batch.columns), width, own, None, feed.has_marks)
        begun += batch.num_rows + count
    yield Piece(pa.array([], pa.int64()), pa.array([], pa.string()), width, odd, None, feed.has_marks)


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
    odd = {**{number: line for number, line in final.odd.items() if number < final.last}, final.last: text.payload.digest("md5")}
    rows = len(final.numbers) - (0 if final.last in final.odd else 1)
    yield replace(final.rows(0, rows), odd=odd, open_record=final.last)


def _unclosed(piece: Piece) -> Piece:
    last = piece.last
    if last in piece.odd:
        return replace(piece, odd={**piece.odd, last: piece.odd[last].partition("\n" + _END)[0]}, open_record=last)
    rows = len(piece.numbers) - 1
    final, whole = piece.rows(rows, None).cells.to_pylist(), piece.rows(0, rows)
    if all(cell == _END for cell in final):
        return replace(whole, odd=piece.odd)
    return replace(whole, odd={**piece.odd, last: "\x1f".join(final).partition("\n" + _END)[0]}, open_record=last)
