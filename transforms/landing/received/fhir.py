"""Resources of a FHIR payload, counted by its lines and Bundle entries."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

from transforms.facilities.entry import Source
from transforms.landing.payload import WHOLE_LIMIT, Payload

_UTF8_BOM = b"\xef\xbb\xbf"
_DEPTH_LIMIT = 128
_STRINGS_AND_OTHERS = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[^{}\[\]"]+', re.DOTALL)


def count_resources(payload: Payload, source: Source) -> int:
    """One for each line or Bundle entry."""
    lines = _lines(payload)
    first, others = next(lines, b""), any(True for _ in lines)
    if not any(line[:1] in (b"{", b"[") for line in _lines(payload)):
        return 1
    if others and _depth(first) <= _DEPTH_LIMIT and not _is_json(first):
        is_opened = first in (b"{", b"[")
        if payload.size > WHOLE_LIMIT:
            return 1 if is_opened else sum(map(_count_line, _lines(payload)))
        document = b"\n".join(_lines(payload))
        if is_opened or _is_json(document):
            return _count_value(document)
    return sum(map(_count_line, _lines(payload)))


def _lines(payload: Payload) -> Iterator[bytes]:
    """Lines that are not blank."""
    for number, line in enumerate(payload.lines()):
        stripped = (line if number else line.removeprefix(_UTF8_BOM)).strip(b" \t\r")
        if stripped:
            yield stripped


def _count_line(line: bytes) -> int:
    return _count_value(line) if b"Bundle" in line else 1


def _is_json(text: bytes) -> bool:
    """Is it JSON that is not nested too deep?"""
    if _depth(text) > _DEPTH_LIMIT:
        return False
    try:
        json.loads(text.decode("utf-8"), parse_int=str, parse_constant=_no_number)
    except ValueError:
        return False
    return True


def _no_number(constant: str) -> None:
    raise ValueError("NaN and Infinity are no JSON numbers")


def _count_value(text: bytes) -> int:
    """Units of one JSON text: the entries of a sound Bundle, else 1."""
    if not _is_json(text):
        return 1
    root = json.loads(text.decode("utf-8"), object_pairs_hook=_Pairs, parse_int=str)
    if not isinstance(root, _Pairs) or root.repeats():
        return 1
    members = dict(root)
    if members.get("resourceType") != "Bundle":
        return 1
    entries = members.pop("entry", [])
    if not isinstance(entries, list) or isinstance(entries, _Pairs) or any(_repeats(v) for v in members.values()):
        return 1
    return len(entries)


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with all its members, repeated ones too."""

    def repeats(self) -> bool:
        return len({name for name, _ in self}) < len(self)


def _repeats(value: Any) -> bool:
    if isinstance(value, _Pairs):
        return value.repeats() or any(_repeats(member) for _, member in value)
    return isinstance(value, list) and any(_repeats(member) for member in value)


def _depth(text: bytes) -> int:
    if text.count(b"{") + text.count(b"[") <= _DEPTH_LIMIT:
        return 0
    brackets = _STRINGS_AND_OTHERS.sub(b"", text)
    return max(accumulate(1 if bracket in b"{[" else -1 for bracket in brackets), default=0)
