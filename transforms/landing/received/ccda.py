"""Entries of a C-CDA document, counted by their paths."""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from transforms.facilities.entry import Source

_DEPTH_LIMIT = 128
_CDA = "{urn:hl7-org:v3}"
_CDA_PLACES = re.compile("ClinicalDocument/component/(nonXMLBody|structuredBody(?P<section>/component/section)+(?P<entry>/entry)?)")
_CDA_TOO_DEEP = etree.XPath("boolean(" + "/*" * (_DEPTH_LIMIT + 1) + ")")


def count_entries(payload: bytes, source: Source) -> int:
    """One for each entry of a section, section without entries, or nonXMLBody."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    try:
        root = etree.fromstring(payload, parser)
    except etree.XMLSyntaxError:
        return 1
    if root.getroottree().docinfo.doctype or _CDA_TOO_DEEP(root) or root.tag != f"{_CDA}ClinicalDocument":
        return 1  # refused whole
    units = 0
    for element in root.iter(f"{_CDA}nonXMLBody", f"{_CDA}section", f"{_CDA}entry"):
        if (place := _CDA_PLACES.fullmatch(_cda_path(element))) is not None:
            units += place["section"] is None or place["entry"] is not None or element.find(f"{_CDA}entry") is None
    return max(units, 1)


def _cda_path(element: Any) -> str:
    """Names from the root down to an element; a name of another namespace fits no pattern."""
    return "/".join(reversed([element.tag.removeprefix(_CDA), *(one.tag.removeprefix(_CDA) for one in element.iterancestors())]))
