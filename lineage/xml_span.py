"""Where an element of an XML document lies in its bytes, by the paths that the C-CDA decoder gives its units.

Belongs here: places. Does not belong here: which element a value comes from (`trace_ccda.py`). A path counts siblings where several
may stand: `component[2]` in a body or section, `entry[1]`; other names stand alone.
"""

from __future__ import annotations

from xml.parsers import expat

from lineage.excerpt import Span

_COUNTED_IN = {"component": ("structuredBody", "section"), "entry": ("section",)}


def element_span(payload: bytes, path: str) -> Span | None:
    """Bytes of the first element with this path, its tags included; None where there is none."""
    return _Finder(path).find(payload)


class _Finder:
    """Reads a document and notes where the wanted element begins and ends. Entities are never expanded: such a document has no units."""

    def __init__(self, path: str) -> None:
        self._wanted = path
        self._paths: list[str] = []
        self._counts: list[dict[str, int]] = [{}]
        self._begin = self._end = -1
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._stop

    def find(self, payload: bytes) -> Span | None:
        try:
            self._parser.Parse(payload, True)
        except expat.ExpatError:
            return None
        if self._begin < 0 or self._end < 0:
            return None
        close = payload.find(b">", self._end)
        return self._begin, close + 1 if close >= 0 else len(payload)

    def _start(self, name: str, _: dict[str, str]) -> None:
        short = name.rpartition(":")[2]
        parent = self._paths[-1] if self._paths else ""
        count = self._counts[-1][short] = self._counts[-1].get(short, 0) + 1
        around = parent.rpartition("/")[2].partition("[")[0]
        path = f"{parent}/{short}" + (f"[{count}]" if around in _COUNTED_IN.get(short, ()) else "")
        if path == self._wanted and self._begin < 0:
            self._begin = self._parser.CurrentByteIndex
        self._paths.append(path)
        self._counts.append({})

    def _stop(self, _: str) -> None:
        if self._paths.pop() == self._wanted and self._end < 0:
            self._end = self._parser.CurrentByteIndex
        self._counts.pop()


def value_span(payload: bytes, element: Span, value: str) -> Span | None:
    """Where a value stands in an element: as a whole attribute, else as a whole text. None where it stands nowhere as it is."""
    wanted = value.encode()
    for opening, closing in ((b'"', b'"'), (b"'", b"'"), (b">", b"<")):
        begin = payload.find(opening + wanted + closing, *element)
        if begin >= 0:
            return begin + 1, begin + 1 + len(wanted)
    return None
