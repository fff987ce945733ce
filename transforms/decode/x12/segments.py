"""Segments of many interchanges at once, told by the places of their delimiters (ASC X12.6 s3.5, s3.6).

Belongs here: text -> segments and elements, and the bytes that equal content shares. Does not belong here: what encloses what
(`structure.py`). All interchanges of a batch are split at once: the cost of a call is paid per batch, not per file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.decode.cells import FlagArray, NumberArray, texts_of
from transforms.decode.x12.interchange import Delimiters, Interchange

_LINE_ENDS = "\r\n"
_STANDARD = Delimiters("*", "^", ":", "~")  # what content is compared in
# Stand for those marks in the values of interchanges whose delimiters are others.
_ESCAPES = {"*": "\x1d", "^": "\x1e", ":": "\x1f", "~": "\x1c"}

# Segments that the structure is made of; all others share number 0.
CODES = {name: number for number, name in enumerate(
    ("", "ISA", "IEA", "GS", "GE", "ST", "SE", "HL", "CLM", "CLP", "LX", "SVC", "PLB", "BHT"))}
_NAMES = pa.array(list(CODES))


@dataclass(frozen=True)
class Segments:
    """Segments in order, each a row: `interchange` (its place in the batch), `names` and `elements` (element n of the standard is item
    n - 1) as sent, `terminators` (as sent, null for the delimiter alone), `ends` (where it ends in `content`, its terminator included).
    `content`: all segments with the standard delimiters and no line ends, equal for equal content."""

    interchange: NumberArray
    names: pa.StringArray
    elements: pa.ListArray
    terminators: pa.StringArray
    content: bytes
    ends: NumberArray

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def codes(self) -> NumberArray:
        """Number of each segment's name."""
        found: NumberArray = pc.fill_null(pc.index_in(self.names, _NAMES), 0).to_numpy()
        return found

    @cached_property
    def starts(self) -> NumberArray:
        """Where each begins in `content`."""
        return np.concatenate([[0], self.ends[:-1]])

    def rows(self, *names: str) -> NumberArray:
        """Rows of the segments of these names."""
        return np.flatnonzero(self.are(*names))

    def are(self, *names: str) -> FlagArray:
        """Which segments have one of these names."""
        found: FlagArray = self.codes == CODES[names[0]]
        for name in names[1:]:
            found = found | (self.codes == CODES[name])
        return found

    def element(self, rows: NumberArray, number: int) -> pa.StringArray:
        """Element of some segments by its number in the standard; empty is null, and so is that of row -1."""
        offsets = self.elements.offsets.to_numpy()
        places = offsets[rows] + number - 1
        is_there = (rows >= 0) & (places < offsets[rows + 1])
        values = self.elements.values.take(pa.array(np.where(is_there, places, 0), mask=~is_there)) if is_there.any() else pa.nulls(
            len(rows), pa.string())
        return pc.if_else(pc.equal(values, ""), None, values)


def read_segments(interchanges: Sequence[Interchange]) -> Segments:
    """Split the interchanges of a batch, those that have the same delimiters together."""
    kinds: dict[tuple[str, str], list[int]] = {}
    sent = [_without_lines(one) for one in interchanges]
    for place, one in enumerate(interchanges):
        kinds.setdefault((one.delimiters.element, one.delimiters.terminator), []).append(place)
    names, elements, counts = [], [], np.zeros(len(interchanges), np.int64)
    for marks, places in kinds.items():
        some = _split([sent[place][0] for place in places], *marks)
        counts[places] = some[2]
        names.append(some[0])
        elements.append(some[1])
    interchange = np.repeat(np.arange(len(interchanges)), counts)
    terminators = _terminators(interchanges, [paddings for _, paddings in sent], counts)
    content = "".join(_standard(text, one.delimiters) + "~" for (text, _), one in zip(sent, interchanges, strict=True)).encode()
    ends = np.flatnonzero(np.frombuffer(content, np.uint8) == ord("~")) + 1
    order = pa.array(np.argsort(np.concatenate([np.repeat(places, counts[places]) for places in kinds.values()]), kind="stable"))
    whole_names, whole_elements = (parts[0] if len(kinds) == 1 else pa.concat_arrays(parts).take(order) for parts in (names, elements))
    return Segments(interchange, whole_names, whole_elements, terminators, content, ends)


def _without_lines(one: Interchange) -> tuple[str, list[str] | None]:
    """Text of an interchange without the line ends before its segments, and those; null for none."""
    if "\n" not in one.text and "\r" not in one.text:
        return one.text, None
    mark = one.delimiters.terminator
    segments = one.text.split(mark)
    stripped = [segment.lstrip(_LINE_ENDS) for segment in segments]
    return mark.join(stripped), [whole[: len(whole) - len(kept)] for whole, kept in zip(segments, stripped, strict=True)]


def _split(texts: Sequence[str], element: str, terminator: str) -> tuple[pa.StringArray, pa.ListArray, list[int]]:
    """Names and elements of the segments of interchanges with the same delimiters, and how many segments each has."""
    if not (element + terminator).isascii():
        # Marks of several bytes, which is rare: others stand for them.
        return _split_lists([[segment.split(element) for segment in text.split(terminator)] for text in texts])
    content = "".join(text + terminator for text in texts).encode()
    found = np.frombuffer(content, np.uint8)
    is_end = found == ord(terminator)
    marks = np.flatnonzero((found == ord(element)) | is_end)
    parts = texts_of(content.translate(None, (element + terminator).encode()), np.diff(marks, prepend=-1) - 1)
    ends = np.flatnonzero(is_end[marks])
    begins = np.concatenate([[0], ends[:-1] + 1])
    is_element = np.ones(len(marks), np.bool_)
    is_element[begins] = False
    offsets = np.concatenate([begins - np.arange(len(begins)), [len(marks) - len(begins)]]).astype(np.int32)
    elements = pa.ListArray.from_arrays(pa.array(offsets), parts.take(pa.array(np.flatnonzero(is_element))))
    return parts.take(pa.array(begins)), elements, [text.count(terminator) + 1 for text in texts]


def _split_lists(interchanges: Sequence[list[list[str]]]) -> tuple[pa.StringArray, pa.ListArray, list[int]]:
    segments = [segment for interchange in interchanges for segment in interchange]
    elements = pa.array([segment[1:] for segment in segments], pa.list_(pa.string()))
    return pa.array([segment[0] for segment in segments], pa.string()), elements, [len(one) for one in interchanges]


def _terminators(interchanges: Sequence[Interchange], paddings: Sequence[list[str] | None], counts: NumberArray) -> pa.StringArray:
    """What ends each segment where it is more than the delimiter: the line ends after it, and what follows the last one."""
    if not any(paddings) and all(one.tail == one.delimiters.terminator for one in interchanges):
        return pa.nulls(int(counts.sum()), pa.string())
    found: list[str | None] = []
    for one, padding, count in zip(interchanges, paddings, counts.tolist(), strict=True):
        mark = one.delimiters.terminator
        found += [mark + after if after else None for after in padding[1:]] if padding else [None] * (count - 1)
        found.append(None if one.tail == mark else one.tail)
    return pa.array(found, pa.string())


def _standard(text: str, delimiters: Delimiters) -> str:
    """Text with other delimiters, in the standard ones; where a value holds one of these it is told apart."""
    if delimiters == _STANDARD:
        return text
    own = {mark: vars(_STANDARD)[name] for name, mark in vars(delimiters).items()}
    return text.translate(str.maketrans({**_ESCAPES, **own}))
