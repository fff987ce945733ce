"""Units of X12 interchanges, counted by their segments."""

from __future__ import annotations

import re

from transforms.facilities.entry import Source

_UTF8_BOM = b"\xef\xbb\xbf"
_X12_PADDING = b" \t\r\n\x00\x1a"
_X12_ISA_WIDTHS = [3, 2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1]


def count_claims(payload: bytes, source: Source) -> int:
    """One for each CLM of an 837 and CLP of an 835, and for each transaction set without."""
    rest, units = payload.removeprefix(_UTF8_BOM).lstrip(_X12_PADDING), 0
    if not rest.startswith(b"ISA"):
        return 1
    while rest:
        if not _is_interchange(rest):
            return units + 1  # whatever is left cannot be read
        ending, separator = rest[105:106], rest[3:4]
        interchange, closed, rest = _split_interchange(rest, ending, separator)
        found = _count_sets([line.lstrip(b"\r\n").split(separator) for line in interchange.split(ending)])
        units += found or (0 if closed else 1)
    return units


def _is_interchange(content: bytes) -> bool:
    if len(content) <= 105:
        return False
    fields, ending = content[:105].split(content[3:4]), content[105:106]
    return [len(one) for one in fields] == _X12_ISA_WIDTHS and ending != content[3:4] and not ending.isalnum()


def _split_interchange(content: bytes, ending: bytes, separator: bytes) -> tuple[bytes, bool, bytes]:
    """The first interchange, whether a trailer ends it, and what follows."""
    lines = re.compile(re.escape(ending) + rb"[\r\n]*")
    place = 105
    while (found := lines.search(content, place)) is not None:
        name = content[found.end() : found.end() + 4]
        if name == b"IEA" + separator:
            end = content.find(ending, found.end())
            end = len(content) if end < 0 else end + 1
            return content[:end], True, content[end:].lstrip(_X12_PADDING)
        if name == b"ISA" + separator:
            return content[: found.end()], False, content[found.end() :]
        place = found.start() + 1
    return content, False, b""


def _count_sets(segments: list[list[bytes]]) -> int:
    """Claims and claim payments, and sets without any."""
    units, counted, kind, is_open = 0, 0, b"", False
    for segment in [*segments, [b"IEA"]]:
        name = segment[0]
        if is_open and name in (b"ST", b"GS", b"GE", b"IEA", b"ISA", b"SE"):
            units, is_open = units + max(counted, 1), False
        if name == b"ST":
            counted, kind, is_open = 0, segment[1] if len(segment) > 1 else b"", True
        elif is_open and (kind, name) in ((b"837", b"CLM"), (b"835", b"CLP")):
            counted += 1
    return units
