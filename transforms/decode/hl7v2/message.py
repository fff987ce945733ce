"""Reading one message: character set, delimiters, segments, and what a message alone tells of its worth.

Belongs here: a frame -> `Message`. Does not belong here: columns (`columns.py`), tables (`decode.py`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from transforms.decode.hl7v2.charset import MISMATCH, decode_text
from transforms.decode.hl7v2.delimiters import Delimiters, read_delimiters
from transforms.decode.hl7v2.escapes import UNKNOWN, fits, is_open, keeps_any
from transforms.decode.hl7v2.framing import Frame
from transforms.decode.units import UNKNOWN_TYPE, content_hash

UNDECODABLE = "hl7.charset_undecodable"
MISSING_MSH = "hl7.missing_msh"
TRUNCATED = "hl7.truncated_message"
Z_SEGMENT = "hl7.unregistered_z_segment"

_TYPE_CODE = re.compile(r"[A-Z0-9]{1,8}")
_LINES = re.compile(r"([^\r\n]+)([\r\n]*)")


@dataclass
class Message:
    """A message as read. `segments` and `terminators` are equally long; they are empty where no character set fits.
    `delimiters` is null where there is no usable MSH; `codec` is the character set that read the bytes."""

    content_hash: str
    record_type: str = UNKNOWN_TYPE
    delimiters: Delimiters | None = None
    codec: str = ""
    segments: list[str] = field(default_factory=list)
    terminators: list[str] = field(default_factory=list)
    reject_code: str | None = None
    reject_segment: int | None = None
    flags: set[str] = field(default_factory=set)


def read_message(frame: Frame, facility_charset: str, is_last: bool) -> Message:
    """Message of a frame; `is_last` says whether the payload ends with it (only then can it be cut).

    Bytes that escape sequences give are the message's own: where they do not fit MSH-18 and all others are ASCII, the facility's
    character set counts, with the flag hl7.charset_mismatch."""
    content = frame.content
    declared = _declared_charset(content) if frame.name == "MSH" else b""
    text, codec, flag = decode_text(content, declared, facility_charset)
    if text is None:
        return Message(content_hash(content), reject_code=UNDECODABLE)
    segments, terminators = _segments(text)
    message = Message(content_hash(content), codec=codec, segments=segments, terminators=terminators)
    message.delimiters = read_delimiters(segments[0]) if frame.name == "MSH" else None
    if message.delimiters is None:
        message.reject_code = MISSING_MSH
        return message
    fields = segments[0].split(message.delimiters.field)
    message.record_type = _record_type(fields, message.delimiters)
    message.content_hash = _message_hash(fields, segments, message.delimiters)
    if flag:
        message.flags.add(flag)
    escaped = _escaped(text, segments, message.delimiters)
    if content.isascii() and not _fit(escaped, message.delimiters, codec) and _fit(escaped, message.delimiters, facility_charset):
        message.codec = facility_charset
        message.flags.add(MISMATCH)
    if any(keeps_any(segment, message.delimiters, message.codec) for segment in escaped):
        message.flags.add(UNKNOWN)
    if is_last and not terminators[-1] and _is_cut(segments[-1], len(segments), message.delimiters):
        message.reject_code, message.reject_segment = TRUNCATED, len(segments)
    return message


def read_wrapper(frame: Frame, facility_charset: str) -> Message | None:
    """Batch wrapper of a frame; null where no character set fits (its bytes stay in landing)."""
    text, codec, _ = decode_text(frame.content, b"", facility_charset)
    if text is None:
        return None
    segments, terminators = _segments(text)
    return Message("", codec=codec, segments=segments, terminators=terminators)


def _declared_charset(content: bytes) -> bytes:
    """First repetition of MSH-18, read before the character set is known: every codec of table 0211 keeps ASCII."""
    line = content.split(b"\r", 1)[0].split(b"\n", 1)[0]
    fields = line.split(line[3:4] or b"|")
    repetition = fields[1][1:2] if len(fields) > 1 else b""
    declared = fields[17] if len(fields) > 17 else b""
    return declared.split(repetition)[0] if repetition else declared


def _segments(text: str) -> tuple[list[str], list[str]]:
    """Segments and the line ends after each, empty lines joined to them."""
    if "\n" not in text and "\r\r" not in text:
        segments = text.split("\r")
        if segments[-1]:
            return segments, ["\r"] * (len(segments) - 1) + [""]
        segments.pop()
        return segments, ["\r"] * len(segments)
    lines = _LINES.findall(text)
    return [line[0] for line in lines], [line[1] for line in lines]


def _record_type(fields: list[str], delimiters: Delimiters) -> str:
    """`ADT^A01` out of MSH-9, whatever the delimiters. What is no code is not repeated: the ledger shows it."""
    kind = fields[8] if len(fields) > 8 else ""
    parts = kind.split(delimiters.component) if delimiters.component else [kind]
    codes = [part for part in parts[:2] if part]
    return "^".join(codes) if codes and all(map(_TYPE_CODE.fullmatch, codes)) else UNKNOWN_TYPE


def _message_hash(fields: list[str], segments: list[str], delimiters: Delimiters) -> str:
    """md5 of the message in standard delimiters, segments ended by CR, with MSH-7 and MSH-10 emptied: those belong to
    the sending, not to what is sent. Separators behind the last valued field or component say nothing (s2.6.2)."""
    header = list(fields)
    for number in (7, 10):
        if len(header) >= number:
            header[number - 1] = ""
    idle = delimiters.field + delimiters.component
    body = "\r".join(segment.rstrip(idle) for segment in (delimiters.field.join(header[2:]), *segments[1:]))
    for mark in (delimiters.field, delimiters.repetition) if delimiters.component else ():
        while delimiters.component + mark in body:
            body = body.replace(delimiters.component + mark, mark)
    text = delimiters.field.join([*header[:2], body])
    table = delimiters.to_standard()
    return content_hash((text.translate(table) if table else text).encode("utf-8"))


def _escaped(text: str, segments: list[str], delimiters: Delimiters) -> list[str]:
    """Segments that hold the escape character, MSH without its delimiters."""
    if not delimiters.escape or text.count(delimiters.escape) == 1:  # the one of MSH-2
        return []
    first = segments[0][len("MSH") + len(delimiters.sent) :]
    return [segment for segment in (first, *segments[1:]) if delimiters.escape in segment]


def _fit(segments: list[str], delimiters: Delimiters, codec: str) -> bool:
    return all(fits(segment, delimiters, codec) for segment in segments)


def _is_cut(segment: str, ordinal: int, delimiters: Delimiters) -> bool:
    """Does the last segment of a payload end inside its name or inside an escape sequence?"""
    body = segment[len("MSH") + len(delimiters.sent) :] if ordinal == 1 else segment
    return len(segment) < 3 or is_open(body, delimiters)
