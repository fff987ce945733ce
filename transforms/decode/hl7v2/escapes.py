"""Escape sequences (HL7 v2.5.1 s2.7): resolved after splitting, once, from left to right.

Belongs here: one value in, one value out; is anything kept verbatim; do its bytes fit a character set. Does not belong
here: finding the values.
`.br` is a line feed; `X..` gives the bytes as sent, in the message's character set; highlighting (`H`, `N`) is dropped;
everything else (`Z..`, `C..`, `M..`, other formatting commands) stays verbatim and makes the flag hl7.unknown_escape.
"""

from __future__ import annotations

import re
from functools import lru_cache

from transforms.decode.hl7v2.delimiters import Delimiters

UNKNOWN = "hl7.unknown_escape"
_HEX = re.compile(r"[Xx]((?:[0-9A-Fa-f]{2})+)")


@lru_cache(maxsize=64)
def _sequence(delimiters: Delimiters) -> re.Pattern[str]:
    """An escape sequence holds no delimiter; runs of hexadecimal ones are one, since a character may span them."""
    mark = re.escape(delimiters.escape)
    others = delimiters.field + delimiters.component + delimiters.repetition + delimiters.subcomponent
    outside = f"[^{re.escape(delimiters.escape + others)}\\r\\n]"
    return re.compile(f"((?:{mark}[Xx](?:[0-9A-Fa-f]{{2}})+{mark})+)|{mark}({outside}*){mark}")


@lru_cache(maxsize=64)
def _meanings(delimiters: Delimiters) -> dict[str, str]:
    known = {
        "F": delimiters.field, "S": delimiters.component, "R": delimiters.repetition, "E": delimiters.escape,
        "T": delimiters.subcomponent, "H": "", "N": "", ".br": "\n", ".BR": "\n",
    }  # fmt: skip
    if delimiters.truncation:
        known["P"] = delimiters.truncation
    return known


def unescape(value: str, delimiters: Delimiters, codec: str) -> str:
    """Value with its escape sequences resolved."""
    known = _meanings(delimiters)

    def resolve(match: re.Match[str]) -> str:
        if match[1] is not None:
            text = _hexadecimal(match[1], delimiters.escape, codec)
            return match[0] if text is None else text
        return known.get(match[2], match[0])

    return _sequence(delimiters).sub(resolve, value)


def keeps_any(text: str, delimiters: Delimiters, codec: str) -> bool:
    """Does a text hold an escape sequence that `unescape` leaves verbatim?"""
    known = _meanings(delimiters)
    return any(
        match[2] not in known if match[1] is None else _hexadecimal(match[1], delimiters.escape, codec) is None
        for match in _sequence(delimiters).finditer(text)
    )


def fits(text: str, delimiters: Delimiters, codec: str) -> bool:
    """Are the bytes of all hexadecimal escape sequences of a text characters of a codec?"""
    runs = (match[1] for match in _sequence(delimiters).finditer(text) if match[1] is not None)
    return all(_hexadecimal(run, delimiters.escape, codec) is not None for run in runs)


def is_open(segment: str, delimiters: Delimiters) -> bool:
    """Does a segment end inside an escape sequence?"""
    if not delimiters.escape:
        return False
    others = delimiters.field + delimiters.component + delimiters.repetition + delimiters.subcomponent
    last = re.split(f"[{re.escape(others)}]", segment)[-1]
    return last.count(delimiters.escape) % 2 == 1


def _hexadecimal(run: str, mark: str, codec: str) -> str | None:
    digits = "".join(_HEX.findall(run.replace(mark, " ")))
    try:
        return bytes.fromhex(digits).decode(codec or "ascii")
    except UnicodeDecodeError:
        return None
