"""Data elements as rows: tag, value representation and value as text (PS3.5 s6.2, s7.8).

Belongs here: one element -> text. Does not belong here: what an element means (dbt). Several values are joined by a backslash, as
they are sent. Text is read in the data set's Specific Character Set, an item's own before that of what holds it. Binary values are
base64; longer ones than a limit are bulk data: their length is kept, their bytes stay in the payload.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator, Sequence
from typing import Any

from pydicom.charset import convert_encodings, decode_bytes
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag

BULK_BYTES = 64 * 1024
_CHARSET = 0x00080005
_TEXT = frozenset({"SH", "LO", "ST", "LT", "UC", "UT", "PN"})
_PLAIN = frozenset({"AE", "AS", "CS", "DA", "DS", "DT", "IS", "TM", "UI", "UR"})
_NUMBERS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d", "UV": "Q", "SV": "q"}
_DELIMITERS = {"PN": {0x5C, 0x5E, 0x3D}}  # backslash, ^, =
_NO_DELIMITERS: set[int] = {0x5C, 0x0A, 0x0C, 0x0D, 0x09}

Row = dict[str, Any]


def element_rows(data: Dataset, is_little_endian: bool) -> Iterator[Row]:
    """Rows of a data set in order, those of sequence items after their sequence: path, tag, vr, private_creator, value, length."""
    yield from _rows(data, "<" if is_little_endian else ">", "", ["iso8859"])


def _rows(data: Dataset, order: str, path: str, encodings: list[str]) -> Iterator[Row]:
    encodings = _encodings(data, encodings)
    creators: dict[tuple[int, int], str | None] = {}
    for found in sorted(data.values(), key=lambda one: int(one.tag)):
        tag, vr = found.tag, _representation(found)
        number = f"{int(tag):08X}"
        creator = _creator(tag, creators) if creators else None
        row: Row = {"path": f"{path}{number}", "tag": number, "vr": vr, "private_creator": creator}
        if vr == "SQ":
            items = data[tag].value or []
            yield {**row, "value": None, "length": len(items)}
            for place, item in enumerate(items, 1):
                yield from _rows(item, order, f"{path}{number}[{place}]/", encodings)
            continue
        content = _bytes(found)
        row["value"], row["length"] = _text(content, vr, order, encodings), len(content)
        if tag.is_private_creator:
            creators[(tag.group, tag.element)] = row["value"]
        yield row


def _encodings(data: Dataset, inherited: list[str]) -> list[str]:
    found = data.get_item(_CHARSET) if _CHARSET in data else None
    if found is None:
        return inherited
    names = _bytes(found).decode("latin-1").strip(" \0").split("\\")
    try:
        return convert_encodings(MultiValue(str, [name.strip() for name in names]))
    except (LookupError, ValueError):
        return inherited


def _representation(found: Any) -> str:
    if found.VR is not None:
        return str(found.VR)
    if found.tag.is_private_creator:
        return "LO"
    try:
        return dictionary_VR(found.tag).split(" ")[0]
    except KeyError:
        return "UL" if found.tag.element == 0 else "UN"


def _creator(tag: BaseTag, creators: dict[tuple[int, int], str | None]) -> str | None:
    """Who defined a private element: the creator that reserved its block (PS3.5 s7.8.1)."""
    return creators.get((tag.group, tag.element >> 8)) if tag.is_private else None


def _bytes(found: Any) -> bytes:
    value = found.value
    if isinstance(found, RawDataElement) or isinstance(value, bytes):
        return value or b""
    if value is None:
        return b""
    return ("\\".join(map(str, value)) if isinstance(value, Sequence) and not isinstance(value, str) else str(value)).encode("utf-8")


def _text(content: bytes, vr: str, order: str, encodings: list[str]) -> str | None:
    if not content:
        return ""
    if (vr in _TEXT or vr in _PLAIN) and content.isascii() and b"\x1b" not in content:
        return content.decode("ascii").rstrip(" \0")  # alike in every character set, as long as none is shifted in (PS3.5 s6.1.2.5)
    if vr in _TEXT:
        return decode_bytes(content, encodings, _DELIMITERS.get(vr, _NO_DELIMITERS)).rstrip(" \0")
    if vr in _PLAIN:
        return content.decode("latin-1").rstrip(" \0")
    form = _NUMBERS.get(vr)
    if form is not None and len(content) % struct.calcsize(form) == 0:
        return "\\".join(map(repr, struct.unpack(f"{order}{len(content) // struct.calcsize(form)}{form}", content)))
    if vr == "AT" and len(content) % 4 == 0:
        halves = struct.unpack(f"{order}{len(content) // 2}H", content)
        return "\\".join(f"{group:04X}{number:04X}" for group, number in zip(halves[::2], halves[1::2], strict=True))
    return base64.b64encode(content).decode("ascii") if len(content) <= BULK_BYTES else None
