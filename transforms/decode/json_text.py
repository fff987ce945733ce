"""JSON text read without loss: numbers as written, repeated names seen, depth known before parsing.

Belongs here: RFC 8259 and nothing of FHIR. Does not belong here: resources (`decode.py`), Bundles (`bundle.py`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

DEPTH_LIMIT = 128  # levels of objects and arrays; a parser's stack must not be the sender's to choose

_SPACE = re.compile(r"[ \t\n\r]*")
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)  # one that is never closed reaches to the end
_BRACKET = re.compile(rb"[{}\[\]]")
_STEP = {b"{": 1, b"[": 1, b"}": -1, b"]": -1}


def is_too_deep(text: bytes) -> bool:
    """Is a JSON text nested deeper than the limit? Needs no parser and no recursion."""
    if text.count(b"{") + text.count(b"[") <= DEPTH_LIMIT:
        return False
    brackets = _BRACKET.findall(_STRING.sub(b"", text))
    return max(accumulate(map(_STEP.__getitem__, brackets)), default=0) > DEPTH_LIMIT


@dataclass(frozen=True)
class Member:
    """A name and value of an object, with the value's text as sent."""

    name: str
    value: Any
    text: str
    repeats: bool


class JsonReader:
    """Parser whose values keep numbers as text, marked by a leading NUL apart from strings.

    It notes repeated names instead of keeping the last one silently: `parse` and `members` tell."""

    def __init__(self) -> None:
        self._repeated = False
        number = "\0".__add__
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._object, parse_float=number, parse_int=number, parse_constant=_refuse
        )

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            self._repeated = True
        return found

    def parse(self, text: str) -> tuple[Any, bool]:
        """Value of a text and whether any object in it repeats a name. ValueError where it is not JSON."""
        self._repeated = False
        return self._decoder.decode(text), self._repeated

    def members(self, text: str) -> Iterator[Member]:
        """Members of the object that a valid JSON text holds, in order, repeated names included."""
        place = _after_space(text, text.index("{") + 1)
        while text[place] != "}":
            name, place = self._decoder.raw_decode(text, place)
            start = _after_space(text, _after_space(text, place) + 1)
            member, place = self._value(name, text, start)
            yield member
            place = _after_comma(text, place)

    def elements(self, text: str) -> Iterator[Member]:
        """Elements of the array that a valid JSON text holds, as members without a name."""
        place = _after_space(text, text.index("[") + 1)
        while text[place] != "]":
            member, place = self._value("", text, place)
            yield member
            place = _after_comma(text, place)

    def _value(self, name: str, text: str, start: int) -> tuple[Member, int]:
        self._repeated = False
        value, end = self._decoder.raw_decode(text, start)
        return Member(name, value, text[start:end], self._repeated), end


def canonical(value: Any) -> bytes:
    """Text that is equal for equal JSON values: names sorted, no spaces, numbers as written.

    UnicodeEncodeError for a lone surrogate, which is no text (RFC 8259 s8.2)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def text_of(value: Any) -> str | None:
    """The value if it is a JSON string, else null."""
    return value if isinstance(value, str) and not value.startswith("\0") else None


def _refuse(constant: str) -> Any:
    raise ValueError("NaN and Infinity are no JSON numbers")


def _after_space(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    assert match is not None  # the pattern matches the empty text
    return match.end()


def _after_comma(text: str, place: int) -> int:
    place = _after_space(text, place)
    return _after_space(text, place + 1) if text[place] == "," else place
