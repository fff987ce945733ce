"""Where a segment, an element and a component of an X12 payload lie in its bytes.

Belongs here: places. Does not belong here: which of them a value comes from (`trace_x12.py`). Segments are counted as the decoder
counts them, over the payload from 1.
"""

from __future__ import annotations

from lineage.excerpt import Span
from transforms.decode.x12.interchange import Unreadable, read_interchanges


def segment_span(payload: bytes, number: int, charset: str) -> Span | None:
    """Bytes of a segment without its terminator and line ends; None where the payload has no such segment."""
    begin = ordinal = 0
    for found in read_interchanges(payload, charset):
        if isinstance(found, Unreadable):
            return None
        begin += len(found.prefix.encode("latin-1"))
        place = begin
        for text in found.text.split(found.delimiters.terminator):
            ordinal += 1
            size = len(text.encode(found.charset))
            if ordinal == number:
                lead = size - len(text.lstrip("\r\n").encode(found.charset))
                return place + lead, place + size
            place += size + len(found.delimiters.terminator.encode(found.charset))
        begin += len(found.text.encode(found.charset)) + len(found.tail.encode(found.charset))
    return None


def part_span(payload: bytes, span: Span, separator: bytes, number: int) -> Span | None:
    """Part `number` (from 0) of a span that a separator divides; None where it has fewer."""
    begin, end = span
    for _ in range(number):
        begin = payload.find(separator, begin, end) + 1
        if begin == 0:
            return None
    stop = payload.find(separator, begin, end)
    return begin, stop if stop >= 0 else end
