"""What a file of an extract feed is, seen as a whole: header, data rows, trailer, and why it may be refused whole.

Belongs here: the registry's promises about a file against its records. Does not belong here: values.
"""

from __future__ import annotations

from dataclasses import dataclass

from transforms.decode.extract.grid import Grid, first_record, read_grid
from transforms.decode.extract.text import DAMAGE, in_utf8, read_text
from transforms.facilities.entry import Source

DELIMITER_MISMATCH = "csv.delimiter_mismatch"
DUPLICATE_HEADER = "csv.duplicate_header"
TOTAL_MISMATCH = "csv.control_total_mismatch"


@dataclass(frozen=True)
class ExtractFile:
    """A readable file: its column names, its records, where the data rows are (first to before last, records from 0),
    the code that refuses it whole and where that is."""

    columns: list[str]
    grid: Grid
    first: int
    end: int
    code: str | None
    path: str | None
    damaged: bool

    @property
    def rows(self) -> int:
        """Number of data rows. The reader of records drops a second byte order mark, and with it a header that is nothing else."""
        return max(self.end - self.first, 0)


def read_file(payload: bytes, source: Source) -> ExtractFile | None:
    """File of a payload; None where it is empty or nothing that the feed could have sent."""
    text, damaged = read_text(payload, source.encoding)
    if not text:
        return None
    head = first_record(text, source.delimiter)
    if not head or (source.header and not _is_header(head, source, damaged)):
        return None
    columns = head if source.header else headerless_columns(source)
    grid = read_grid(in_utf8(payload, text, source.encoding, damaged), source.delimiter, len(columns))
    first, end = (1 if source.header else 0), len(grid)
    code, path = _header_fault(columns, source)
    if source.trailer is not None:
        announced = _announced(grid, first, source)
        end -= 0 if announced is None else 1
        if code is None and announced != end - first:
            code, path = TOTAL_MISMATCH, "trailer"
    return ExtractFile(columns, grid, first, end, code, path, damaged)


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


def _announced(grid: Grid, first: int, source: Source) -> int | None:
    """Row count of the trailer, -1 where it holds none; null where the last record is no trailer."""
    assert source.trailer is not None  # asked only of feeds that have one
    if len(grid) <= first:
        return None
    cells = grid.record(len(grid) - 1, source.delimiter)
    if not cells or cells[0] != source.trailer.prefix:
        return None
    field = source.trailer.row_count_field - 1
    count = cells[field].strip() if field < len(cells) else ""
    return int(count) if count.isascii() and count.isdigit() else -1
