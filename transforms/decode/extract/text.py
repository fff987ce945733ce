"""Bytes of an extract as text in the registered encoding, damage marked and not repaired.

Belongs here: strict decoding with the smallest loss that can be judged alone, a record. Does not belong here: records.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from transforms.landing.payload import Payload

# Stand-ins for bytes that the encoding does not know: they make a record recognisable as damaged and are never stored.
_STAND_INS = {0xDC00 + byte: 0x10FF00 + byte for byte in range(0x80, 0x100)}
DAMAGE = re.compile("[\U0010ff80-\U0010ffff]")


@dataclass(frozen=True)
class Text:
    """A payload that can be read as text, part by part and as often as asked; `damaged`: it holds marks of damage (`DAMAGE`).
    `is_utf8`: its bytes are its text in UTF-8, whatever its encoding."""

    payload: Payload
    encoding: str
    damaged: bool
    is_utf8: bool

    def parts(self) -> Iterator[str]:
        """The text in parts, without byte order mark."""
        is_begun = False
        for part in _decoded(self.payload, self.encoding, "surrogateescape" if self.damaged else "strict"):
            text = part if is_begun else part.removeprefix("\ufeff")
            is_begun = True
            if text:
                yield text.translate(_STAND_INS) if self.damaged else text

    def in_utf8(self) -> Iterator[bytes]:
        """The text in UTF-8: the payload's own bytes where they are that."""
        if not self.is_utf8:
            yield from (text.encode() for text in self.parts())
            return
        ahead = len(codecs.BOM_UTF8) if self.payload.head(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8 else 0
        for block in self.payload.blocks():
            yield block[ahead:] if ahead else block
            ahead = max(ahead - len(block), 0)


def read_text(payload: Payload, encoding: str) -> Text | None:
    """Text of a payload; None where none can be made, or its bytes' damage could not be told from the sender's own characters."""
    if _keeps_ascii(encoding) and all(map(bytes.isascii, payload.blocks())):
        return Text(payload, encoding, False, True)
    try:
        for _ in _decoded(payload, encoding, "strict"):
            pass
    except UnicodeError:
        return Text(payload, encoding, True, False) if _can_be_marked(payload, encoding) else None
    return Text(payload, encoding, False, codecs.lookup(encoding).name == "utf-8")


@cache
def _keeps_ascii(encoding: str) -> bool:
    """Is ASCII text the same bytes in this encoding?"""
    ascii_bytes = bytes(range(128))
    return ascii_bytes.decode(encoding, "replace") == ascii_bytes.decode("ascii")


def _can_be_marked(payload: Payload, encoding: str) -> bool:
    try:
        return not any(DAMAGE.search(part) for part in _decoded(payload, encoding, "surrogateescape"))
    except UnicodeError:
        return False


def _decoded(payload: Payload, encoding: str, errors: str) -> Iterator[str]:
    """Parts of the payload's text, none of them empty."""
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    for block in payload.blocks():
        if text := decoder.decode(block):
            yield text
    if text := decoder.decode(b"", True):
        yield text
