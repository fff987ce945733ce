"""Where a value stands in a JSON text: the characters of `/name/0/family`, without rebuilding the text (RFC 8259)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()

Span = tuple[int, int]


def json_spans(text: str, path: str) -> list[Span]:
    """Begin and end of every value at a path of names and positions, `*` being every element.

    Where the path leads nowhere, the span of the last value that it reached.
    """
    begin = _skip(text, 0)
    spans = [(begin, _end_of(text, begin))]
    for step in (part for part in path.split("/") if part):
        inner = [found for span in spans for found in _members(text, span[0], step)]
        if not inner:
            return spans
        spans = inner
    return spans


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _end_of(text: str, at: int) -> int:
    return _DECODER.raw_decode(text, at)[1]


def _members(text: str, at: int, step: str) -> Iterator[Span]:
    opening = text[at : at + 1]
    if opening not in ("{", "["):
        return
    at = _skip(text, at + 1)
    position = 0
    while text[at] not in "}]":
        name = str(position)
        if opening == "{":
            name, at = _DECODER.raw_decode(text, at)
            at = _skip(text, _skip(text, at) + 1)
        end = _end_of(text, at)
        if name == step or (step == "*" and opening == "["):
            yield at, end
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
        position += 1
