"""A payload cut into interchanges, ISA to IEA (ASC X12.5, X12.6 application control structure).

Belongs here: the fixed-width ISA, its delimiters, where an interchange ends. Does not belong here: what is inside
(`segments.py`, `structure.py`). The ISA is 106 characters with its terminator; the delimiters stand at fixed places in it, so that
one of another length cannot be read at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

ISA_LENGTH = 106
_SEPARATORS = (3, 6, 17, 20, 31, 34, 50, 53, 69, 76, 81, 83, 89, 99, 101, 103)  # before ISA01 to ISA16
_PADDING = b"\r\n"
_BETWEEN = b" \t\r\n\x00\x1a"  # what may stand between and after interchanges
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Delimiters:
    """Element separator, repetition separator (ISA11), component separator (ISA16), segment terminator."""

    element: str
    repetition: str
    component: str
    terminator: str


@dataclass(frozen=True)
class Interchange:
    """One interchange: its segments' text without the last terminator, the text before it (of the payload's first alone) and
    after it, and whether its IEA is there. `isa` holds ISA01 to ISA16 as sent; `charset` reads the bytes and writes them back."""

    prefix: str
    text: str
    tail: str
    charset: str
    delimiters: Delimiters
    isa: tuple[str, ...]
    is_closed: bool


@dataclass(frozen=True)
class Unreadable:
    """Bytes where an interchange should begin and none does; `has_isa` says that an ISA is meant."""

    offset: int
    content: bytes
    has_isa: bool


def read_interchanges(payload: bytes, charset: str) -> Iterator[Interchange | Unreadable]:
    """Interchanges of a payload in order; what cannot be read ends it. Bytes that are not UTF-8 are read in `charset`, or where
    that does not know them in ISO 8859-1, which knows every byte."""
    body = payload.removeprefix(_BOM)
    start = _after(body, 0)
    prefix = payload[: len(payload) - len(body) + start]
    offset = len(payload) - len(body)
    while start < len(body):
        if not _is_isa(body, start):
            yield Unreadable(offset + start, body[start:], body[start : start + 3] == b"ISA")
            return
        end, is_closed = _end(body, start)
        after = _after(body, end)
        yield _interchange(prefix, body[start:after], charset, is_closed)
        prefix, start = b"", after


def _after(body: bytes, place: int) -> int:
    while place < len(body) and body[place] in _BETWEEN:
        place += 1
    return place


def _is_isa(body: bytes, start: int) -> bool:
    head = body[start : start + ISA_LENGTH]
    if len(head) < ISA_LENGTH or head[:3] != b"ISA" or head[3:4].isalnum():
        return False
    places = tuple(place for place, mark in enumerate(head) if mark == head[3])
    return places == _SEPARATORS and not head[105:106].isalnum()


def _end(body: bytes, start: int) -> tuple[int, bool]:
    """Where the interchange ends (its last terminator included), and whether an IEA ends it rather than the next ISA or the file."""
    element, terminator = body[start + 3 : start + 4], body[start + 105 : start + 106]
    trailer = re.compile(re.escape(terminator) + rb"[\r\n]*(IEA|ISA)" + re.escape(element))
    found = trailer.search(body, start + 105)
    if found is None:
        return len(body), False
    if found[1] == b"ISA":
        return found.start(1), False
    end = body.find(terminator, found.end())
    return (len(body) if end < 0 else end + 1), True


def _interchange(prefix: bytes, content: bytes, charset: str, is_closed: bool) -> Interchange:
    text, used = _decoded(content, charset)
    delimiters = Delimiters(text[3], text[82], text[104], text[105])
    body = text.rstrip(" \t\r\n\x00\x1a").removesuffix(delimiters.terminator)
    isa = tuple(text[first + 1 : last] for first, last in zip(_SEPARATORS, (*_SEPARATORS[1:], 105), strict=True))
    return Interchange(prefix.decode("latin-1"), body, text[len(body) :], used, delimiters, isa, is_closed)


def _decoded(content: bytes, charset: str) -> tuple[str, str]:
    for name in ("utf-8", charset):
        try:
            text = content.decode(name)
            if text.encode(name) == content:
                return text, name
        except UnicodeError:
            continue
    return content.decode("latin-1"), "latin-1"
