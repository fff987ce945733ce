"""Cutting a payload into messages: from each MSH to the next, batch wrappers apart (HL7 v2.5.1 s2.10.3).

Belongs here: bytes -> frames, and whether the wrappers' counts are right. Does not belong here: reading a message.
CR, LF and CRLF end a segment, empty lines are none, a UTF-8 byte order mark before the first segment is dropped. A file captured
from a socket keeps the blocks of its transport (MLLP: VT before a message, FS and CR behind): they end a segment like a line end.
Where the capture began within a block, only a VT at the start of a line before MSH or a header of batches, and an FS at the end
of one, are marks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from transforms.landing.payload import Payload

_BOM = b"\xef\xbb\xbf"
_HEADS = (b"MSH", b"FHS", b"BHS", b"BTS", b"FTS")
_SEGMENT_LIKE = re.compile(rb"(?:\A|(?<=[\r\n]))[A-Z][A-Z0-9]{2}[^A-Za-z0-9\s]")
_BLOCK_MARK = re.compile(rb"\x0b|\x1c\r?")
_LATE_MARK = re.compile(rb"(?<=[\r\n])\x0b(?=MSH|FHS|BHS)|\x1c(?=[\r\n]|\Z)")
_LINE = re.compile(rb"[^\r\n]+[\r\n]*")
_PART_BYTES, _LARGEST_PART = 4 << 20, 16 << 20
_HEAD_BYTES = 5  # a line end, a name and what follows it


@dataclass(frozen=True)
class Frame:
    """A message (`name` MSH), a batch wrapper (FHS, BHS, BTS, FTS) or segments that no MSH leads (`name` '')."""

    name: str
    content: bytes


def is_hl7v2(payload: Payload) -> bool:
    """Has the payload anything that looks like HL7 v2?"""
    held = b""
    for part, is_final in _bodies(payload):
        held += part
        sure = held if is_final else held[:-_HEAD_BYTES]
        if _SEGMENT_LIKE.search(sure) or _starts(sure):
            return True
        held = b"-" + held[-2 * _HEAD_BYTES :]  # which does not begin a line
    return False


def frames(payload: Payload) -> Iterator[Frame]:
    """Frames in order. No more of the payload is held than some megabytes, or one frame where that is larger."""
    held = b""
    for part, is_final in _bodies(payload):
        held += part
        starts = _starts(held if is_final else held[:-_HEAD_BYTES])
        if is_final:
            yield from _framed(held, starts)
        elif starts:
            # the last frame may go on
            yield from _framed(held[: starts[-1]], starts[:-1])
            held = held[starts[-1] :]


def _framed(body: bytes, starts: list[int]) -> Iterator[Frame]:
    yield from _stray(body[: starts[0]] if starts else body)
    for start, end in zip(starts, [*starts, len(body)][1:], strict=True):
        name = body[start : start + 3].decode("ascii")
        if name == "MSH":
            yield Frame(name, body[start:end])
            continue
        line = _LINE.match(body, start, end)
        assert line is not None  # a wrapper's name is at least part of a line
        yield Frame(name, line[0])
        yield from _stray(body[line.end() : end])


def _bodies(payload: Payload) -> Iterator[tuple[bytes, bool]]:
    """The payload without byte order mark and block marks, in parts, and whether each is the last. A part is as long as all before it
    that may be held, so that what is held is searched again but seldom."""
    begin = payload.head(len(_BOM) + 1)
    ahead = len(_BOM) if begin.startswith(_BOM) else 0
    is_captured = begin[ahead:].startswith(b"\x0b")
    held, size = bytearray(), _PART_BYTES
    for block in payload.blocks():
        held += block
        if len(held) > size:
            kept = _before_marks(held)
            yield _unblocked(bytes(held[ahead:kept]), is_captured), False
            del held[:kept]
            ahead, size = 0, min(2 * size, _LARGEST_PART)
    yield _unblocked(bytes(held[ahead:]), is_captured), True


def _before_marks(held: bytearray) -> int:
    """Where a part may end: before a mark or line end among the last bytes, whose meaning its neighbours decide."""
    tail = len(held) - _HEAD_BYTES
    first = min((place for place in (held.find(mark, tail) for mark in (b"\r", b"\n", b"\x0b", b"\x1c")) if place >= 0), default=len(held))
    return first - 1 if held[first - 1 : first].isspace() else first


def _unblocked(body: bytes, is_captured: bool) -> bytes:
    if is_captured:
        return _BLOCK_MARK.sub(b"\r", body)
    return _LATE_MARK.sub(b"\r", body) if b"\x0b" in body or b"\x1c" in body else body


def _starts(body: bytes) -> list[int]:
    """Where MSH or a wrapper stands at the start of a line, followed by what can be a field separator (or nothing)."""
    found = [0] if body.startswith(_HEADS) and not body[3:4].isalnum() else []
    for line_end in (mark for mark in (b"\r", b"\n") if mark in body):
        for head in _HEADS:
            mark = line_end + head
            place = body.find(mark)
            while place >= 0:
                if not body[place + 4 : place + 5].isalnum():
                    found.append(place + 1)
                place = body.find(mark, place + 4)
    return sorted(found)


def _stray(content: bytes) -> Iterator[Frame]:
    content = content.lstrip(b"\r\n")
    if content:
        yield Frame("", content)


@dataclass
class _Counts:
    """What has been seen since the wrapper that opened: positions of messages, number of batches."""

    messages: list[int] = field(default_factory=list)
    batches: int = 0


def miscounted(frames: Iterable[Frame]) -> set[int]:
    """Positions (among the frames) of the messages whose batch or file announces another count than is there.

    BTS-1 counts the messages of its batch, FTS-1 the batches of the file; both may be empty."""
    wrong: set[int] = set()
    batch, file = _Counts(), _Counts()
    for position, frame in enumerate(frames):
        if frame.name == "MSH":
            batch.messages.append(position)
            file.messages.append(position)
        elif frame.name == "BHS":
            batch = _Counts()
            file.batches += 1
        elif frame.name == "BTS":
            if not _announces(frame, len(batch.messages)):
                wrong.update(batch.messages)
            file.batches += 0 if file.batches else 1
            batch = _Counts()
        elif frame.name == "FTS":
            if not _announces(frame, file.batches):
                wrong.update(file.messages)
            file = _Counts()
        elif frame.name == "FHS":
            batch, file = _Counts(), _Counts()
    return wrong


def _announces(frame: Frame, count: int) -> bool:
    fields = frame.content.strip(b"\r\n").split(frame.content[3:4] or b"|")
    announced = fields[1].strip() if len(fields) > 1 else b""
    return not announced or (announced.isdigit() and int(announced) == count)
