"""Bytes of an extract as text in the registered encoding, damage marked and not repaired.

Belongs here: strict decoding with the smallest loss that can be judged alone, a record. Does not belong here: records.
"""

from __future__ import annotations

import codecs
import re

# Stand-ins for bytes that the encoding does not know: they make a record recognisable as damaged and are never stored.
_STAND_INS = {0xDC00 + byte: 0x10FF00 + byte for byte in range(0x80, 0x100)}
DAMAGE = re.compile("[\U0010ff80-\U0010ffff]")


def read_text(payload: bytes, encoding: str) -> tuple[str | None, bool]:
    """Text without byte order mark, and whether it holds marks of damage (`DAMAGE`). Null where none can be made."""
    try:
        return payload.decode(encoding).removeprefix("\ufeff"), False
    except UnicodeError:
        pass
    try:
        text = payload.decode(encoding, "surrogateescape").removeprefix("\ufeff")
    except UnicodeError:
        return None, False
    if DAMAGE.search(text):
        return None, False  # the sender uses the marks themselves
    return text.translate(_STAND_INS), True


def in_utf8(payload: bytes, text: str, encoding: str, damaged: bool) -> bytes:
    """The bytes of a text that `read_text` gave: the payload's own where it is UTF-8 already."""
    return payload.removeprefix(codecs.BOM_UTF8) if codecs.lookup(encoding).name == "utf-8" and not damaged else text.encode()
