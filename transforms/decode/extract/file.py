"""What a file of an extract feed is, seen as a whole: header, data rows, trailer, and why it may be refused whole.

Belongs here: the registry's promises about a file against its records. Does not belong here: values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from transforms.decode.extract.grid import read_pieces
from transforms.decode.extract.piece import Piece, first_record
from transforms.decode.extract.text import DAMAGE, read_text
from transforms.facilities.entry import Source
from transforms.landing.payload import Payload

DELIMITER_MISMATCH = "csv.delimiter_mismatch"
DUPLICATE_HEADER = "csv.duplicate_header"
TOTAL_MISMATCH = "csv.control_total_mismatch"
# Between the parts of a row's content, and what stands for both in a value.
UNIT, ESCAPE = "\x1f", "\x1e"


@dataclass(frozen=True)
class ExtractFile:
    """A readable file: its column names, how its records are read, where the data rows are (first to before end, records from 0; end
    null: up to the last), the code that refuses it whole and where that is. `rows` is known of refused files alone."""

    columns: list[str]
    pieces: Callable[[], Iterator[Piece]]
    first: int = 0
    end: int | None = None
    code: str | None = None
    path: str | None = None
    damaged: bool = False
    rows: int | None = None


def read_file(payload: Payload, source: Source) -> ExtractFile | None:
    """File of a payload; None where it is empty or nothing that the feed could have sent. Where the file as a whole may be refused (by
    its header, or by what a trailer announces) its records are counted before they are read."""
    text = read_text(payload, source.encoding)
    head = first_record(text.parts(), source.delimiter) if text else []
    if text is None or not head or (source.header and not _is_header(head, source, text.damaged)):
        return None
    columns, first = head if source.header else headerless_columns(source), 1 if source.header else 0
    pieces = partial(read_pieces, text, source.delimiter, len(columns), (UNIT, ESCAPE))
    code, path = _header_fault(columns, source)
    if code is None and source.trailer is None:
        return ExtractFile(columns, pieces, first, damaged=text.damaged)
    end, last = _counted(pieces(), source.delimiter)
    announced = _announced(last, source) if end > first else None
    end -= 0 if announced is None else 1
    if code is None and announced != end - first:
        code, path = TOTAL_MISMATCH, "trailer"
    # The reader of records drops a second byte order mark, and with it a header that is nothing else.
    return ExtractFile(columns, pieces, first, end, code, path, text.damaged, max(end - first, 0))


def headerless_columns(source: Source) -> list[str]:
    """Columns of a file without header line: op, sequence, then the contract's order."""
    leading = [name for name in (source.op_column, source.sequence_column) if name is not None]
    return leading + [column.name for column in source.columns]


def _is_header(head: list[str], source: Source, damaged: bool) -> bool:
    """Does the first record name a contracted column, or is it one cell, as the wrong delimiter leaves it?"""
    if any((damaged and DAMAGE.search(cell)) or any(mark < " " and mark != "\t" for mark in cell) for cell in head):
        return False
    return (len(head) == 1 and bool(head[0].strip())) or not {column.name for column in source.columns}.isdisjoint(head)


def _header_fault(columns: list[str], source: Source) -> tuple[str | None, str | None]:
    if source.header and len(columns) == 1 and (len(source.columns) > 1 or columns[0] != source.columns[0].name):
        return DELIMITER_MISMATCH, "header"
    if len(set(columns)) < len(columns):
        return DUPLICATE_HEADER, "header"
    return None, None


def _counted(pieces: Iterator[Piece], delimiter: str) -> tuple[int, list[str]]:
    """Number of records, and the cells of the last one."""
    count, last = 0, list[str]()
    for piece in pieces:
        if len(piece):
            count += len(piece)
            last = piece.record(piece.last, delimiter)
    return count, last


def _announced(cells: list[str], source: Source) -> int | None:
    """Row count of the trailer, -1 where it holds none; null where the last record is no trailer."""
    if source.trailer is None or not cells or cells[0] != source.trailer.prefix:
        return None
    field = source.trailer.row_count_field - 1
    count = cells[field].strip() if field < len(cells) else ""
    return int(count) if count.isascii() and count.isdigit() else -1
