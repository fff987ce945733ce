"""The bytes behind a raw row: found in the payload by the row's locator, cut out with what stands around them.

Locators are the decoders' own: `message/2/segment/4`, `line/17`, `line/17#/entry/3`, `document`, `row/12`. Offsets count in the payload
as it was received.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lineage.json_span import json_spans
from lineage.trace_result import Excerpt
from transforms.decode.hl7v2.framing import frames
from transforms.errors import ContractError
from transforms.landing.payload import Payload

Span = tuple[int, int]
"""Begin and end in bytes."""

AROUND = 160
_SEGMENT_LOCATOR = re.compile(r"message/(\d+)(?:/segment/(\d+))?")
_LINE_LOCATOR = re.compile(r"line/(\d+)(?:#.*)?")
_ROW_LOCATOR = re.compile(r"row/(\d+)")
_HL7_COLUMN = re.compile(r"[a-z][a-z0-9]{2}_(\d+)(?:_(\d+))?(?:_\d+)?")
_SEGMENT = re.compile(rb"[^\r\n]+")


def record_span(payload: bytes, locator: str, text: bytes = b"") -> Span:
    """Where the record of a locator lies. `text` is the record as sent where the raw row keeps it (an entry of a Bundle).

    Raises ContractError where the payload has no such place: then payload and raw row do not belong together.
    """
    span = _outer_span(payload, locator)
    if span is None:
        raise ContractError(f"the payload has nothing at {locator}")
    if text and payload[span[0] : span[1]] != text:
        begin = payload.find(text, *span)
        if begin >= 0:
            return begin, begin + len(text)
    return span


def _outer_span(payload: bytes, locator: str) -> Span | None:
    if found := _SEGMENT_LOCATOR.fullmatch(locator):
        return _hl7_span(payload, int(found[1]), int(found[2]) if found[2] else None)
    if found := _LINE_LOCATOR.fullmatch(locator):
        return _line_span(payload, int(found[1]))
    if found := _ROW_LOCATOR.fullmatch(locator):
        return None  # only the header tells which record is the first: see `row_span`
    return (0, len(payload)) if locator.split("#")[0] == "document" else None


def _hl7_span(payload: bytes, message: int, segment: int | None) -> Span | None:
    place = ordinal = 0
    for frame in frames(Payload.of(payload)):
        begin = payload.index(frame.content, place)
        place = begin + len(frame.content)
        if frame.name not in ("", "MSH"):
            continue
        ordinal += 1
        if ordinal == message:
            if segment is None:
                return begin, place
            spans = [match.span() for match in _SEGMENT.finditer(payload, begin, place)]
            return spans[segment - 1] if segment <= len(spans) else None
    return None


def _line_span(payload: bytes, number: int) -> Span | None:
    begin = 3 if payload.startswith(b"\xef\xbb\xbf") else 0
    for _ in range(number - 1):
        begin = payload.find(b"\n", begin) + 1
        if begin == 0:
            return None
    end = payload.find(b"\n", begin)
    line = payload[begin : end if end >= 0 else len(payload)]
    lead = len(line) - len(line.lstrip(b" \t\r"))
    return begin + lead, begin + len(line.rstrip(b" \t\r"))


def row_span(payload: bytes, number: int, has_header: bool) -> Span | None:
    """Where data row `number` (from 1) of a delimited file lies; line ends inside quotes belong to the row."""
    wanted = number + (1 if has_header else 0)
    for ordinal, span in enumerate(_records(payload), start=1):
        if ordinal == wanted:
            return span
    return None


def _records(payload: bytes) -> Iterator[Span]:
    begin, quoted = (3 if payload.startswith(b"\xef\xbb\xbf") else 0), False
    for match in re.finditer(rb'["\n]', payload):
        if match[0] == b'"':
            quoted = not quoted
        elif not quoted:
            end = match.start() - (1 if payload[match.start() - 1 : match.start()] == b"\r" else 0)
            if end > begin:
                yield begin, end
            begin = match.end()
    if begin < len(payload):
        yield begin, len(payload)


def cell_span(payload: bytes, record: Span, ordinal: int, delimiter: bytes) -> Span:
    """Where cell `ordinal` (from 1) of a record lies, its quotes included; the whole record where it has fewer."""
    begin, end = record
    place, quoted, start = 1, False, begin
    for at in range(begin, end):
        mark = payload[at : at + 1]
        if mark == b'"':
            quoted = not quoted
        elif mark == delimiter and not quoted:
            if place == ordinal:
                return start, at
            place, start = place + 1, at + 1
    return (start, end) if place == ordinal else record


def hl7_field_span(payload: bytes, segment: Span, column: str, ordinal: int = 1) -> Span:
    """Where a raw column's field and component lie in its segment, in repetition `ordinal`; the whole segment where it is not told."""
    found = _HL7_COLUMN.fullmatch(column)
    text = payload[segment[0] : segment[1]]
    if found is None or len(text) < 4:
        return segment
    name, separator = text[:3], text[3:4]
    number = int(found[1]) - (1 if name == b"MSH" else 0)
    field = _part(payload, segment, separator, number + 1)
    if field is None or found[2] is None:
        return field or segment
    component, repetition = _marks(payload, segment, separator)
    first = _part(payload, field, repetition, ordinal) or field
    return _part(payload, first, component, int(found[2])) or first


def _marks(payload: bytes, segment: Span, separator: bytes) -> tuple[bytes, bytes]:
    """Component and repetition separators of the message that the segment stands in (MSH-2)."""
    begin = payload.rfind(b"MSH" + separator, 0, segment[0] + 4)
    marks = payload[begin + 4 : begin + 6] if begin >= 0 else b"^~"
    return marks[:1] or b"^", marks[1:2] or b"~"


def _part(payload: bytes, span: Span, separator: bytes, ordinal: int) -> Span | None:
    begin, end = span
    for _ in range(ordinal - 1):
        begin = payload.find(separator, begin, end) + 1
        if begin == 0:
            return None
    stop = payload.find(separator, begin, end)
    return begin, stop if stop >= 0 else end


def json_value_span(payload: bytes, record: Span, path: str, said: str | None) -> Span:
    """Where the value at a path of a JSON record lies; of several elements the one that says what the row says, else the first."""
    text = payload[record[0] : record[1]].decode("utf-8", "surrogateescape")
    spans = json_spans(text, path)
    begin, end = next((span for span in spans if text[span[0] : span[1]].strip('"') == said), spans[0])
    lead = len(text[:begin].encode("utf-8", "surrogateescape"))
    return record[0] + lead, record[0] + lead + len(text[begin:end].encode("utf-8", "surrogateescape"))


def excerpt(payload: bytes, payload_id: str, locator: str, record: Span, marked: Span, charset: str = "utf-8") -> Excerpt:
    """The marked bytes as text, with what stands around them inside the record."""
    begin, end = max(record[0], marked[0] - AROUND), min(record[1], marked[1] + AROUND)
    before, inside, after = payload[begin : marked[0]], payload[marked[0] : marked[1]], payload[marked[1] : end]
    return Excerpt(
        payload_id, locator, marked[0], marked[1] - marked[0],
        ("…" if begin > record[0] else "") + before.decode(charset, "replace"), inside.decode(charset, "replace"),
        after.decode(charset, "replace") + ("…" if end < record[1] else ""))
