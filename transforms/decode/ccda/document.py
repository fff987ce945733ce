"""A payload read as one CDA document, with everything refused that XML can do to its reader.

Belongs here: bytes -> tree, or the reason why there is none. Does not belong here: what a document says.
A document needs no DTD (CDA R2 s1.1): one that brings a DOCTYPE is refused before any entity is looked at. Nothing is fetched. Texts may be
long (`huge_tree`): an embedded scan has tens of megabytes; without entities they grow no longer than the payload.
"""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from transforms.decode.units import EMPTY, UNRECOGNISED

CDA = "{urn:hl7-org:v3}"
ROOT = f"{CDA}ClinicalDocument"
DTD_FORBIDDEN = "xml.dtd_forbidden"
NOT_WELL_FORMED = "xml.not_well_formed"
TOO_DEEP = "payload.nesting_too_deep"
DEPTH_LIMIT = 128

_PROLOG = re.compile(r"(?:\s|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)
_BEYOND = etree.XPath("boolean(" + "/*" * (DEPTH_LIMIT + 1) + ")")
_DOCTYPE_BYTES = (b"DOCTYPE", b"D\x00O\x00C\x00T\x00Y\x00P\x00E")  # in one byte a character, and in two of either order
_BYTE_ORDER_MARKS = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"), (b"<\x00", "utf-16-le"), (b"\x00<", "utf-16-be"))


def local_name(element: Any) -> str:
    """Name of an element of the CDA namespace or of none, with the namespace otherwise; empty for comments and the like."""
    tag = element.tag
    return tag.removeprefix(CDA) if isinstance(tag, str) else ""


def read_document(payload: bytes) -> tuple[Any, str | None]:
    """Root element of a payload, or None with the code of what is wrong with it."""
    if not payload:
        return None, EMPTY
    if _has_doctype(payload):
        return None, DTD_FORBIDDEN
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True, remove_comments=False)
    try:
        root = etree.fromstring(payload, parser)
    except etree.XMLSyntaxError as error:
        if "depth" in str(error).lower():
            return None, TOO_DEEP
        return None, NOT_WELL_FORMED if b"<" in payload[:1024] else UNRECOGNISED
    if root.getroottree().docinfo.doctype:  # in an encoding that only the parser knows
        return None, DTD_FORBIDDEN
    if _BEYOND(root):
        return None, TOO_DEEP
    return (root, None) if root.tag == ROOT else (None, UNRECOGNISED)


def _has_doctype(payload: bytes) -> bool:
    """Does a DOCTYPE stand before the root element, in whatever encoding the payload begins?"""
    if not any(mark in payload for mark in _DOCTYPE_BYTES):
        return False
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if payload.startswith(mark)), "latin-1")
    text = payload.decode(encoding, "replace").removeprefix("\ufeff").removeprefix("\xef\xbb\xbf")
    prolog = _PROLOG.match(text)
    return prolog is not None and text.startswith("<!DOCTYPE", prolog.end())
