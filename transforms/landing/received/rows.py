"""Rows of extracts and change files, counted besides header and trailer."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import pyarrow as pa
import pyarrow.parquet as pq

from transforms.facilities.entry import Source
from transforms.landing.payload import FIELD_LIMIT, Payload

_UNKNOWN_BYTE = re.compile("[\udc80-\udcff]")
_LAST_PRIVATE_USE = re.compile("[\U0010ff80-\U0010ffff]")


def count_rows(payload: Payload, source: Source) -> int:
    """One for each row besides header and trailer."""
    csv.field_size_limit(FIELD_LIMIT)
    lines = _Lines(payload, source.encoding)
    try:
        has_quotes = any(b'"' in block for block in payload.blocks())
        rows = _rows(_records(lines, source.delimiter) if has_quotes else _plain_records(lines, source.delimiter), lines, source)
    except UnicodeError:
        return 1
    return 1 if lines.is_ambiguous else rows


@dataclass(frozen=True)
class _Records:
    """How many records there are, and the cells of the first and last of them (null: there is none)."""

    count: int
    first: list[str] | None
    last: list[str] | None


def _records(lines: _Lines, delimiter: str) -> _Records:
    first, last, count = None, None, 0
    try:
        for last in filter(None, csv.reader(lines, delimiter=delimiter)):
            first = first or last
            count += 1
    except csv.Error:  # a field that is larger than one may be: it takes the rest of the file with it
        count, last = count + 1, [""]
    return _Records(count, first, last)


def _plain_records(lines: _Lines, delimiter: str) -> _Records:
    """Records of a text without quotes: each line that is not empty is one, and only the first and last are cut into cells."""
    first, count = "", 0
    try:
        for text in lines.whole():
            found = list(filter(None, text.replace("\r", "\n").split("\n")))
            if found:
                first, lines.last = first or found[0], found[-1]
                count += len(found)
    except csv.Error:
        return _Records(count + 1, first.split(delimiter) if first else None, [""])
    return _Records(count, first.split(delimiter), lines.last.split(delimiter)) if count else _Records(0, None, None)


def _rows(records: _Records, lines: _Lines, source: Source) -> int:
    first, last, count = records.first, records.last, records.count
    if first is None or (source.header and not _is_header(first, source)):
        return 1
    rows = count - (1 if source.header else 0)
    has_trailer = source.trailer is not None and rows > 0 and (last or first)[0] == source.trailer.prefix
    rows -= 1 if has_trailer else 0
    if rows:
        return rows
    sound = not source.header or _is_sound(first, source)
    if source.trailer is not None:
        sound = sound and has_trailer and _announces_none(lines.last, source, source.trailer.row_count_field)
    return 0 if sound else 1


class _Lines:
    """Lines of a payload one by one, so that a large file costs no more than a block; `last` is the last one that is not blank.

    `is_ambiguous`: damaged bytes could not be told from the sender's own characters; known when all lines are read."""

    def __init__(self, payload: Payload, encoding: str) -> None:
        self._payload = payload
        self._encoding = encoding
        self._unknown = self._private = False
        self.last = ""

    @property
    def is_ambiguous(self) -> bool:
        return self._unknown and self._private

    def __iter__(self) -> Iterator[str]:
        for text in self.whole():
            yield from self._lines(text)

    def whole(self) -> Iterator[str]:
        """The text in parts that end where a line does."""
        begun = ""
        for text in self._texts():
            begun += text
            # A carriage return at the end may be half of a line end.
            end = max(begun.rfind("\n"), begun.rfind("\r", 0, -1)) + 1
            yield begun[:end]
            begun = begun[end:]
            if len(begun) > FIELD_LIMIT:
                raise csv.Error("a line is larger than a field may be")
        yield begun

    def _lines(self, text: str) -> Iterator[str]:
        for found in re.finditer(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", text):
            if found[0] not in ("\r\n", "\r", "\n"):
                self.last = found[0]
            yield found[0]

    def _texts(self) -> Iterator[str]:
        decoder = codecs.getincrementaldecoder(self._encoding)("surrogateescape")
        is_begun = False
        for block, is_final in chain(((block, False) for block in self._payload.blocks()), ((b"", True),)):
            text = decoder.decode(block, is_final)
            if text and not is_begun:
                text, is_begun = text.removeprefix("\ufeff"), True
            if not text.isascii():
                self._unknown = self._unknown or _UNKNOWN_BYTE.search(text) is not None
                self._private = self._private or _LAST_PRIVATE_USE.search(text) is not None
            yield text


def _announces_none(line: str, source: Source, field: int) -> bool:
    cells = next(csv.reader([line], delimiter=source.delimiter))
    count = cells[field - 1].strip() if field <= len(cells) else ""
    return count != "" and set(count) == {"0"}


def _is_header(cells: list[str], source: Source) -> bool:
    """Is the first row readable text that names a contracted column, or is one cell (the wrong delimiter)?"""
    if any(_UNKNOWN_BYTE.match(mark) or (mark < " " and mark != "\t") for cell in cells for mark in cell):
        return False
    return (len(cells) == 1 and cells[0].strip() != "") or not {c.name for c in source.columns}.isdisjoint(cells)


def _is_sound(cells: list[str], source: Source) -> bool:
    """Are the column names distinct and apart?"""
    names = {column.name for column in source.columns}
    return len(set(cells)) == len(cells) and (len(cells) > 1 or names == set(cells))


def count_parquet_rows(payload: bytes, source: Source) -> int:
    """One for each row."""
    if payload[:4] != b"PAR1":
        return 1
    try:
        file = pq.ParquetFile(io.BytesIO(payload))
        rows = sum(batch.num_rows for batch in file.iter_batches(use_threads=False))
    except (pa.ArrowException, OSError, UnicodeDecodeError):
        return 1
    if rows != file.metadata.num_rows:
        return 1  # a column is not as long as the footer says
    names = file.schema_arrow.names
    known = {column.name for column in source.columns} & set(names)
    return rows if known and (rows or len(set(names)) == len(names)) else 1
