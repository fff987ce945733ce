"""Messages of an HL7 v2 payload, counted by the lines that open them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from transforms.facilities.entry import Source
from transforms.landing.payload import Payload

_UTF8_BOM = b"\xef\xbb\xbf"
_LINE_ENDS, _LINE_ENDS_AND_MARKS = bytes.maketrans(b"\r", b"\n"), bytes.maketrans(b"\r\v\x1c", b"\n\n\n")


def count_messages(payload: Payload, source: Source) -> int:
    """One from each MSH to the next, and one for each run of segments that no MSH leads."""
    units, led, recognised = 0, False, False
    for line in _lines(payload):
        name = line[:3] if not line[3:4].isalnum() else b""
        if name == b"MSH":
            units, led, recognised = units + 1, True, True
        elif name in (b"FHS", b"BHS", b"BTS", b"FTS"):
            led, recognised = False, True
        else:
            recognised = recognised or _resembles_segment(line)
            if not led:  # the first segment of a run that no MSH leads
                units, led = units + 1, True
    return units if recognised else 1


def _lines(payload: Payload) -> Iterator[bytes]:
    """Lines that are not empty, whatever ends them."""
    # captured from a socket: VT opens a block, FS closes it; where the capture began within a block, at the ends of a line alone
    is_captured = payload.head(4).removeprefix(_UTF8_BOM).startswith(b"\v")
    ends = _LINE_ENDS_AND_MARKS if is_captured else _LINE_ENDS
    lines = Payload(payload.size, lambda: (block.translate(ends) for block in payload.blocks())).lines()
    yield from filter(None, chain((_unmarked(next(lines).removeprefix(_UTF8_BOM)),), map(_unmarked, lines)))


def _unmarked(line: bytes) -> bytes:
    if line[1:4] in (b"MSH", b"FHS", b"BHS"):
        line = line.removeprefix(b"\v")
    return line.removesuffix(b"\x1c")


def _resembles_segment(line: bytes) -> bool:
    name, mark = line[:3], line[3:4]
    if len(name) < 3 or not mark or mark.isalnum() or mark.isspace():
        return False
    return name.isascii() and name.isalnum() and name.isupper() and name[:1].isalpha()
