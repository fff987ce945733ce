"""Text of an element, or of the part of the document's narrative that it refers to (CDA R2 s4.3.5; data types R1 s2.4).

Belongs here: what a person reads where an element stands. Does not belong here: which element a column takes (`statement.py`).
Comments and processing instructions are no content. A reference leads to the narrative element of that ID in the same document;
an ID that two elements bear leads to neither. A document whose references say one text again and again would become as large as its sender
likes, so that they are followed until they have given several times what it holds.
"""

from __future__ import annotations

from typing import Any

from lxml import etree

from transforms.decode.ccda.document import CDA

_CONTENT = etree.XPath("string()")
_REFERRING = (f"{CDA}originalText", f"{CDA}value")
_REFERENCE = f"{CDA}reference"
_IDENTIFIED = etree.XPath("//*[@ID]")
# How much references may give: documents refer to each text two or three times, where it stands among much markup.
TIMES, AT_LEAST = 4, 1 << 20
# Parts of a running text; whatever else begins or ends parts two words (narrative block, CDA R2 s4.3.5).
_RUNNING = frozenset({"content", "linkHtml", "sub", "sup", "footnote", "footnoteRef"})


def text_of(element: Any) -> str | None:
    """Text of an element with all inside it, blanks folded; null where there is none."""
    return _folded(str(_CONTENT(element)) if len(element) else element.text or "")


class Narrative:
    """The narrative of one document of `size` bytes; it is searched for IDs when the first reference is followed."""

    def __init__(self, root: Any, size: int) -> None:
        self._root = root
        self._left = TIMES * size + AT_LEAST
        self._by_id: dict[str, Any] | None = None

    def text_of(self, element: Any) -> str | None:
        """Text of an element; of one that has none and refers to the narrative, the text there."""
        own = text_of(element)
        return own if own is not None or len(element) == 0 else self._read(element)

    def referred(self, entry: Any) -> list[str]:
        """Narrative texts that an entry's codes and values refer to: a part of what it says."""
        return [text for one in entry.iter(*_REFERRING) if len(one) and (text := self._read(one)) is not None]

    def _read(self, element: Any) -> str | None:
        reference = next((one.get("value") or "" for one in element.iterchildren(_REFERENCE)), "")
        if not reference.startswith("#") or self._left < 0:
            return None
        if self._by_id is None:
            self._by_id = {}
            for one in _IDENTIFIED(self._root):
                name = one.get("ID")
                self._by_id[name] = None if name in self._by_id else one
        target = self._by_id.get(reference[1:])
        pieces = _pieces(target) if target is not None else []
        self._left -= len(pieces) + sum(map(len, pieces))
        return _folded("".join(pieces))


def _pieces(element: Any) -> list[str]:
    """Narrative text as it is read, in pieces: the cells of a row and the items of a list are words apart."""
    pieces: list[str] = []
    for event, node in etree.iterwalk(element, events=("start", "end", "comment", "pi")):
        is_element = isinstance(node.tag, str)
        if is_element and etree.QName(node).localname not in _RUNNING:
            pieces.append(" ")
        if event == "start":
            pieces.append(node.text or "")
        elif node is not element:
            pieces.append(node.tail or "")
    return pieces


def _folded(text: str) -> str | None:
    return " ".join(text.split()) or None
