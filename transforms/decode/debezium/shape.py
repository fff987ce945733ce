"""Many events at once: lines that differ in nothing but their scalar values.

A connector writes every event of a table alike. A *shape* is such a line with its values left out, learnt from a line that was read
carefully (`event.py`). Where the values of other lines are is told by their marks; what is around them must be the shape's byte by byte
(`cutting.py`), and each must be a JSON scalar. What passes is JSON of that shape, with those values as written: no name repeats, no number
was rounded, nothing was left out. What does not pass is read carefully.
Belongs here: learning a shape, asking for it. Does not belong here: what an event means.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.decode.cells import FlagArray
from transforms.decode.debezium.cutting import Slot, Values, slots_of
from transforms.decode.debezium.event import POSITION, Layout, Path, at
from transforms.decode.debezium.rows import Events, Places
from transforms.decode.json_text import canonical

# A name with its colon, a scalar, or what opens or closes.
_TOKEN = re.compile(r'"([^"\\]*)"[ \t\r]*:|("[^"\\]*"|[-0-9][-+.0-9eE]*|true|false|null)|([{}\[\]])')
TEXT, NUMBER, BOOLEAN = "text", "number", "boolean"
_KINDS = {'"': TEXT, "t": BOOLEAN, "f": BOOLEAN, "n": None}
_IN_ARRAY = "["
_JSON_NUMBER = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$"
_DIGITS = b"0123456789"
# What stands around a value in canonical text, where a number is a marked text.
_CANONICAL = {TEXT: ('"', '"'), NUMBER: ('"\\u0000', '"'), BOOLEAN: ("", "")}

# What a value at a path is where it is no null. A path that is not there has been null so far, and must be.
Kinds = Mapping[Path, str]


@dataclass(frozen=True)
class Shape:
    """`layout` of its events, and `parts` of the line: texts as sent, and between them the paths of its scalars; `example` is a line of it,
    parsed."""

    layout: Layout
    parts: tuple[str | Path, ...]
    example: Any

    @property
    def paths(self) -> list[Path]:
        """Paths of its scalars, in order."""
        return [part for part in self.parts if isinstance(part, tuple)]

    @cached_property
    def slots(self) -> tuple[list[Slot], int]:
        """Where a line has its values, and how many marks it has."""
        return slots_of(self.parts)

    @cached_property
    def around(self) -> list[bytes]:
        """What stands before, between and behind the values."""
        return [part.encode() for part in self.parts if isinstance(part, str)]

    @cached_property
    def quotes(self) -> int:
        """How many quotes a line has besides those of its values."""
        return sum(part.count(b'"') for part in self.around)

    def tells(self, path: Path) -> bool:
        """Is the value at a path told of an event? Others are compared alone."""
        layout = self.layout
        roots = [root for root in (layout.key, layout.image if layout.op else None, layout.origin) if root is not None]
        return any(path[: len(root)] == root for root in roots)


def shape_of(line: str, value: Any, layout: Layout) -> tuple[Shape, Kinds] | None:
    """Shape of a valid line, and the kinds of its values that are not null; null for a line that has a backslash, an empty name, an array
    or an object where a value is read from, or an array anywhere else but in a schema."""
    read = [] if layout.op is None else [*at(value, layout.image).values(), *_position(value, layout)]
    if "\\" in line or any(isinstance(one, dict | list) for one in read):
        return None
    parts: list[str | Path] = []
    kinds: dict[Path, str] = {}
    done = 0
    for path, token in _scalars(line):
        if path in layout.decisive or any(path[: len(schema)] == schema for schema in layout.schemas):
            continue
        if _IN_ARRAY in path or "" in path:
            return None
        parts += [line[done : token.start()], path]
        done = token.end()
        if kind := _KINDS.get(token[0][0], NUMBER):
            kinds[path] = kind
    shape = Shape(layout, (*parts, line[done:]), value)
    return (shape, kinds) if len(set(shape.paths)) == len(shape.paths) else None


def _position(value: Any, layout: Layout) -> list[Any]:
    return [] if layout.origin is None else [at(value, layout.origin).get(name) for name in POSITION]


def _scalars(line: str) -> Iterator[tuple[Path, re.Match[str]]]:
    """Scalars of a valid line by the names that lead to them."""
    above: list[str] = []
    name = ""
    for token in _TOKEN.finditer(line):
        named, scalar, bracket = token.groups()
        if scalar is not None:
            yield (*above[1:], name), token
        elif bracket is None:
            name = named
        elif bracket in "{[":
            above.append(name)
            name = _IN_ARRAY if bracket == "[" else ""
        else:
            name = above.pop()


def fits(shape: Shape, kinds: Kinds, values: Values) -> FlagArray:
    """Which lines have JSON scalars (RFC 8259 s6) where the shape has values, each null or of its path's kind."""
    # A text with a quote inside has more than two.
    found: FlagArray = values.marks.quotes[values.lines] == shape.quotes + 2 * values.are_texts.sum(axis=0)
    escapes = values.marks.escapes
    for place, path in enumerate(shape.paths):
        kind, is_null, is_text = kinds.get(path), values.are_null[place], values.are_texts[place]
        if len(escapes):
            found &= np.searchsorted(escapes, values.starts[place]) == np.searchsorted(escapes, values.stops[place])
        if kind is None:
            found &= is_null
        elif kind == TEXT:
            found &= is_null | is_text
        else:
            (texts,) = values.texts([place])
            found &= is_null | (~is_text & (_are_numbers(texts) if kind == NUMBER else _are_booleans(texts)))
    return found


def _are_numbers(texts: pa.StringArray) -> FlagArray:
    """Which are numbers; digits alone tell it at a fifth of the price of a pattern."""
    offsets = np.frombuffer(texts.buffers()[1], np.int32, len(texts) + 1)
    content = texts.buffers()[2].to_pybytes()[: offsets[-1]]
    begins = np.frombuffer(content + b"0", np.uint8)[offsets[:-1]]
    lengths = np.diff(offsets)
    if not content.translate(None, _DIGITS) and ((lengths < 2) | (begins != _DIGITS[0])).all():
        return np.greater(lengths, 0)
    return _flags(pc.match_substring_regex(texts, _JSON_NUMBER))


def _are_booleans(texts: pa.StringArray) -> FlagArray:
    return _flags(pc.is_in(texts, pa.array(["true", "false"])))


def _flags(found: pa.BooleanArray) -> FlagArray:
    flags: FlagArray = pc.fill_null(found, False).to_numpy(zero_copy_only=False)
    return flags


def events_of(shape: Shape, kinds: Kinds, columns: Mapping[Path, pa.Array], places: Places) -> Events:
    """Events of lines that have a shape."""
    layout, own, absent = shape.layout, set(shape.paths), pa.nulls(len(places), pa.string())
    values = {path: column for path, column in columns.items() if path in own}
    keys = _joined(_canonical(None if layout.key is None else at(shape.example, layout.key), layout.key or (), kinds, values), len(places))
    if layout.op is None:
        return Events(layout, places, keys, (), {})
    position = [(*layout.origin, name) if layout.origin else () for name in POSITION]
    image = {name: (*layout.image, name) for name in at(shape.example, layout.image)}
    return Events(
        layout, places, keys, tuple(values.get(path, absent) for path in position),
        {name: (values.get(path, absent), pa.repeat(pa.scalar(kinds.get(path) == NUMBER), len(places))) for name, path in image.items()})


def _canonical(value: Any, path: Path, kinds: Kinds, columns: Mapping[Path, pa.Array]) -> Iterator[pa.Array | str]:
    """Canonical text (`json_text.canonical`) of a part of the lines, in parts; `value` is that part of one of them."""
    if isinstance(value, dict):
        yield "{"
        for place, name in enumerate(sorted(value)):
            yield ("," if place else "") + canonical(name).decode() + ":"
            yield from _canonical(value[name], (*path, name), kinds, columns)
        yield "}"
    elif path in kinds:
        before, after = _CANONICAL[kinds[path]]
        yield pc.coalesce(pc.binary_join_element_wise(before, columns[path], after, ""), "null")
    else:
        yield "null"


def _joined(parts: Iterable[pa.Array | str], count: int) -> pa.Array:
    """Texts put together line by line; constant neighbours are put together once."""
    whole: list[pa.Array | str] = [pa.repeat(pa.scalar(""), count)]
    for are_constant, few in groupby(parts, lambda part: isinstance(part, str)):
        some = list(few)
        whole += ["".join(map(str, some))] if are_constant else some
    return pc.binary_join_element_wise(*whole, "")
