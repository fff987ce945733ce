"""C-CDA documents -> units and the raw_ccda tables.

Belongs here: cutting a document into units and filling the tables. Does not belong here: reading a statement (`statement.py`) or the header
(`header.py`), what they mean (dbt).
Units: each entry of a section; a section without entries; a nonXMLBody. Locators are paths in the document, as
`/ClinicalDocument/component/structuredBody/component[2]/section/entry[1]`; a statement's has its place in the entry behind: `…entry[1]#2`.
Lossless: raw_ccda__document keeps the document without its units, raw_ccda__entry each unit's own XML; put back they are the
document in canonical form (Canonical XML 1.0).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from typing import Any

from lxml import etree

from transforms.decode.ccda.document import CDA, read_document
from transforms.decode.ccda.header import document_row, has_different_patients, target_rows
from transforms.decode.ccda.narrative import Narrative
from transforms.decode.ccda.parts import ROOT_PATH, Part, parts_of
from transforms.decode.ccda.statement import statements
from transforms.decode.contract import Decoded, Delivered
from transforms.decode.record_table import RowLists
from transforms.decode.units import PIECE_BYTES, UNRECOGNISED, Unit, Units, content_hash, payload_unit

TABLES = ("raw_ccda__document", "raw_ccda__record_target", "raw_ccda__entry", "raw_ccda__statement", "raw_ccda__coding")
MULTIPLE_PATIENTS = "ccda.multiple_patients"
_BETWEEN_TAGS = re.compile(rb">\s+<")


def decode_ccda(deliveries: Sequence[Delivered]) -> Iterator[Decoded]:
    """Units `ccda.entry` (or `payload`) and the raw_ccda tables."""
    units, rows, size = Units(), RowLists(TABLES), 0
    for delivery in deliveries:
        root, code = read_document(delivery.payload.content())
        parts = list(parts_of(root)) if root is not None else []
        if not parts:
            units.add(payload_unit(delivery, code or UNRECOGNISED))
        else:
            _document(delivery, root, parts, units, rows)
        size += delivery.payload.size
        if size > PIECE_BYTES:
            yield Decoded(units.take(), rows.take())
            size = 0
    yield Decoded(units.take(), rows.take())


def _document(delivery: Delivered, root: Any, parts: list[Part], units: Units, rows: RowLists) -> None:
    targets = target_rows(root)
    code = MULTIPLE_PATIENTS if has_different_patients(targets) else None
    patients = "|".join(sorted({f"{row['id_root']}^{row['id_extension']}" for target in targets for row in target}))
    header = document_row(root)
    # A body has no identity but its document's.
    known, known_of_body = f"{patients}|".encode(), f"{patients}|{header['id_root']}^{header['id_extension']}|".encode()
    narrative = Narrative(root, delivery.payload.size)
    written = [_canonical(part.element, exclusive=True, with_tail=False) for part in parts]
    for ordinal, (part, canonical) in enumerate(zip(parts, written, strict=True), 1):
        content = (known if part.kind != "nonXMLBody" else known_of_body) + _BETWEEN_TAGS.sub(b"><", canonical)
        content += b"".join(f"|{text}".encode() for text in narrative.referred(part.element)) if part.kind == "entry" else b""
        units.add(Unit(delivery.delivery_id, ordinal, "ccda.entry", part.locator, part.record_type, content_hash(content), code,
                       part.locator if code else None))
        if code is None:
            _unit_rows(delivery, ordinal, part, canonical, narrative, rows)
    if code is None:
        carrier = next((o for o, part in enumerate(parts, 1) if part.kind != "section"), 1)
        for place, row in enumerate((row for target in targets for row in target), 1):
            rows.add("raw_ccda__record_target", (delivery.delivery_id, carrier, f"{ROOT_PATH}/recordTarget#{place}", place), row)
        document = {**header, "document": _remainder(root, parts), "size": delivery.payload.size}
        rows.add("raw_ccda__document", (delivery.delivery_id, carrier, ROOT_PATH), document)


def _unit_rows(delivery: Delivered, ordinal: int, part: Part, canonical: bytes, narrative: Narrative, rows: RowLists) -> None:
    unit = delivery.delivery_id, ordinal
    said = part.section.columns if part.section is not None else _attachment(part.element)
    rows.add("raw_ccda__entry", (*unit, part.locator, part.kind), {**said, "content": canonical.decode("utf-8")})
    if part.kind != "entry":
        return
    for place, (statement, parent) in enumerate(statements(part.element, narrative), 1):
        locator = f"{part.locator}#{place}"
        rows.add("raw_ccda__statement", (*unit, locator, place, parent), statement.row)
        for name, listed in statement.codings.items():
            for position, coding in enumerate(listed, 1):
                rows.add("raw_ccda__coding", (*unit, f"{locator}/{name}[{position}]", place, position, name), coding)


def _attachment(body: Any) -> dict[str, Any]:
    """Media type and decoded size of a nonXMLBody; null for a body that only refers to another file."""
    text = body.find(f"{CDA}text")
    if text is None:
        return {}
    content = "".join(text.itertext())
    size: int | None = len(content.encode())
    if text.get("representation") == "B64":
        try:
            size = len(base64.b64decode("".join(content.split()), validate=True))
        except (binascii.Error, ValueError):
            size = None
    return {"media_type": text.get("mediaType"), "attachment_size": size if content.strip() else None}


def _remainder(root: Any, parts: list[Part]) -> str:
    """The document in canonical form, each unit's element emptied. Changes the tree: goes last."""
    for part in parts:
        part.element.clear(keep_tail=True)
    return _canonical(root.getroottree()).decode("utf-8")


def _canonical(part: Any, exclusive: bool = False, with_tail: bool = True) -> bytes:
    """Canonical form in UTF-8; as it stands where there is none, since a namespace is a relative URI (Canonical XML 1.0 s1.3)."""
    try:
        return bytes(etree.tostring(part, method="c14n", exclusive=exclusive, with_tail=with_tail))
    except etree.C14NError:
        return bytes(etree.tostring(part, encoding="utf-8", xml_declaration=False, with_tail=with_tail))
