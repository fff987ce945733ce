"""Segments as columns: split by the delimiters in use, a whole column at a time.

Belongs here: texts of one segment name and one set of delimiters -> value columns and repetition rows, by Arrow
kernels; only values that hold the escape character are touched one by one. Does not belong here: what is a column
(`segments.py`), framing, keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from transforms.decode.hl7v2.delimiters import Delimiters
from transforms.decode.hl7v2.escapes import unescape
from transforms.decode.hl7v2.segments import (
    REPETITION_COMPONENTS,
    REPETITION_SUBCOMPONENTS,
    REPETITIONS,
    SEGMENTS,
    Field,
    repetition_columns,
    value_columns,
)


@dataclass(frozen=True)
class _Pieces:
    """Texts, none of them empty, and the rows that they belong to, in row order."""

    texts: pa.Array
    rows: pa.Array

    def __len__(self) -> int:
        return len(self.texts)

    def where(self, mask: pa.Array) -> _Pieces:
        """Only the marked pieces."""
        return _Pieces(self.texts.filter(mask), self.rows.filter(mask))


@dataclass(frozen=True)
class _Split:
    """What lies between separators, empty or not: `texts[i]` is piece `ordinals[i]` (from 0) of the value in `rows[i]`."""

    texts: pa.Array
    rows: pa.Array
    ordinals: pa.Array

    def by_ordinal(self) -> dict[int, _Pieces]:
        """The pieces of each position, empty ones left out."""
        filled = pc.greater(pc.binary_length(self.texts), 0)
        texts, rows, ordinals = self.texts.filter(filled), self.rows.filter(filled), self.ordinals.filter(filled)
        order = pc.array_sort_indices(ordinals)
        texts, rows, ordinals = texts.take(order), rows.take(order), ordinals.take(order)
        found: dict[int, _Pieces] = {}
        start = 0
        counts = pc.value_counts(ordinals)
        for ordinal, length in zip(counts.field(0).to_pylist(), counts.field(1).to_pylist(), strict=True):
            found[ordinal] = _Pieces(texts.slice(start, length), rows.slice(start, length))
            start += length
        return found


@dataclass(frozen=True)
class Repetitions:
    """Rows of raw_hl7v2__repetition for one field: the segment's row, the repetition (from 1), the columns c1 … c12."""

    field: str
    rows: pa.Array
    repetitions: pa.Array
    columns: dict[str, pa.Array]


@dataclass(frozen=True)
class SegmentColumns:
    """Value columns of a segment's table in table order, and its repetition rows."""

    columns: dict[str, pa.Array]
    repetitions: list[Repetitions]


def split_segments(segment: str, texts: pa.Array, delimiters: Delimiters, codecs: Sequence[str]) -> SegmentColumns:
    """Columns of the segments `texts`, all called `segment`; `codecs[i]` is the character set of row i's message."""
    return _Splitter(segment, texts, delimiters, codecs).run()


class _Splitter:
    def __init__(self, segment: str, texts: pa.Array, delimiters: Delimiters, codecs: Sequence[str]) -> None:
        self._segment = segment
        self._texts = texts
        self._all_rows = pa.arange(0, len(texts))
        self._delimiters = delimiters
        self._codecs = codecs
        marks = (delimiters.repetition, delimiters.component, delimiters.subcomponent, delimiters.escape)
        self._present = {mark for mark in marks if mark and _contains(texts, mark).true_count}
        self._absent = pa.nulls(len(texts), pa.string())
        self._columns: dict[str, pa.Array] = {}
        self._repetitions: list[Repetitions] = []

    def run(self) -> SegmentColumns:
        """Split every field that has columns and occurs."""
        fields = _split(_Pieces(self._texts, self._all_rows), self._delimiters.field).by_ordinal()
        shift = 1 if self._segment == "MSH" else 0  # MSH-1 is the separator itself, so MSH-2 is piece 1
        for number, spec in SEGMENTS[self._segment].items():
            if number - shift in fields:
                self._field(number, spec, fields[number - shift])
        if self._segment == "MSH":
            for name, mark in (("msh_1", self._delimiters.field), ("msh_2", self._delimiters.sent[1:])):
                self._columns[name] = pa.repeat(pa.scalar(mark, pa.string()), len(self._texts))
        columns = {name: self._columns.get(name, self._absent) for name in value_columns(self._segment)}
        return SegmentColumns(columns, self._repetitions)

    def _parts(self, values: _Pieces, separator: str) -> dict[int, _Pieces]:
        """Pieces of values by position; most values have no separator and are taken as they are."""
        if separator not in self._present or not _contains(values.texts, separator).true_count:
            return {0: values}
        return _split(values, separator).by_ordinal()

    def _field(self, number: int, spec: Field, values: _Pieces) -> None:
        base, count = f"{self._segment.lower()}_{number}", len(self._texts)
        if spec.whole and (spec.components > 1 or spec.repeats):
            self._columns[base] = _scatter(values, count)
        if number in REPETITIONS.get(self._segment, ()):
            self._repetitions.append(self._repetition_rows(base, values))
        first = self._parts(values, self._delimiters.repetition).get(0)
        if first is not None:
            found = self._components(first, count, f"{base}_", spec.components, spec.subcomponents)
            for name, (column, divisible) in found.items():
                self._columns[name] = self._unescaped(column, self._all_rows, divisible)

    def _repetition_rows(self, base: str, values: _Pieces) -> Repetitions:
        repetitions = _split(values, self._delimiters.repetition)
        count = len(repetitions.texts)
        columns = dict.fromkeys(repetition_columns(), pa.nulls(count, pa.string()))
        filled = pc.greater(pc.binary_length(repetitions.texts), 0)
        numbered = _Pieces(repetitions.texts, pa.arange(0, count)).where(filled)
        found = self._components(numbered, count, "c", REPETITION_COMPONENTS, REPETITION_SUBCOMPONENTS)
        for name, (column, divisible) in found.items():
            columns[name] = self._unescaped(column, repetitions.rows, divisible)
        return Repetitions(base, repetitions.rows, pc.add(repetitions.ordinals, 1), columns)

    def _components(
        self, values: _Pieces, count: int, base: str, components: int, subcomponents: dict[int, int]
    ) -> dict[str, tuple[pa.Array, bool]]:
        """Column -> its values and whether they may be divided (and are then as sent). `values` has one piece a row."""
        found: dict[str, tuple[pa.Array, bool]] = {}
        subcomponent = self._delimiters.subcomponent
        for ordinal, component in self._parts(values, self._delimiters.component).items():
            if ordinal >= components:
                continue
            name, wanted = f"{base}{ordinal + 1}", subcomponents.get(ordinal + 1, 0)
            found[name] = (_scatter(component, count), True)
            if wanted and subcomponent in self._present:
                divided = component.where(_contains(component.texts, subcomponent))
                for part_ordinal, part in _split(divided, subcomponent).by_ordinal().items():
                    if part_ordinal < wanted:
                        found[f"{name}_{part_ordinal + 1}"] = (_scatter(part, count), False)
        return found

    def _unescaped(self, column: pa.Array, rows: pa.Array, divisible: bool) -> pa.Array:
        """Column with its escapes resolved, divided components excepted; `rows` are the segments' rows."""
        if self._delimiters.escape not in self._present:
            return column
        mask = pc.fill_null(_contains(column, self._delimiters.escape), False)
        if divisible and self._delimiters.subcomponent in self._present:
            mask = pc.and_not(mask, pc.fill_null(_contains(column, self._delimiters.subcomponent), False))
        if not mask.true_count:
            return column
        values = [
            unescape(value, self._delimiters, self._codecs[row])
            for row, value in zip(rows.filter(mask).to_pylist(), column.filter(mask).to_pylist(), strict=True)
        ]
        return pc.replace_with_mask(column, mask, pa.array(values, pa.string()))


def _split(values: _Pieces, separator: str) -> _Split:
    """Pieces between separators; the rows stay those of `values`."""
    if not separator:
        return _Split(values.texts, values.rows, pa.repeat(pa.scalar(0, pa.int64()), len(values)))
    lists = pc.split_pattern(values.texts, separator)
    parents, texts = pc.list_parent_indices(lists), pc.list_flatten(lists)
    starts = pc.subtract(lists.offsets, lists.offsets[0]).cast(pa.int64()).take(parents)
    return _Split(texts, values.rows.take(parents), pc.subtract(pa.arange(0, len(texts)), starts))


def _scatter(pieces: _Pieces, count: int) -> pa.Array:
    """Column of `count` rows with each piece in its row and null elsewhere."""
    if len(pieces) == count:
        return pieces.texts
    return pieces.texts.take(pc.index_in(pa.arange(0, count), pieces.rows))


def _contains(texts: pa.Array, mark: str) -> pa.BooleanArray:
    return pc.match_substring(texts, mark)
