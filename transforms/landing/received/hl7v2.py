"""Messages of an HL7 v2 payload, counted by the lines that open them."""

from __future__ import annotations

from transforms.facilities.entry import Source

_UTF8_BOM = b"\xef\xbb\xbf"


def count_messages(payload: bytes, source: Source) -> int:
    """One from each MSH to the next, and one for each run of segments that no MSH leads."""
    units, led, recognised = 0, False, False
    body = payload.removeprefix(_UTF8_BOM)
    if body.startswith(b"\v"):  # captured from a socket: VT opens a block, FS closes it
        body = body.replace(b"\v", b"\n").replace(b"\x1c", b"\n")
    for line in body.splitlines():
        if not line:
            continue
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


def _resembles_segment(line: bytes) -> bool:
    name, mark = line[:3], line[3:4]
    if len(name) < 3 or not mark or mark.isalnum() or mark.isspace():
        return False
    return name.isascii() and name.isalnum() and name.isupper() and name[:1].isalpha()
