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
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from lxml import etree

from transforms.decode.ccda.document import read_document
from transforms.decode.ccda.header import document_row, has_different_patients, target_rows
from transforms.decode.ccda.statement import CDA, Row, local_name, statement_row, statements
from transforms.decode.contract import Decoded, Delivered
from transforms.decode.record_table import table_of_rows
from transforms.decode.units import PIECE_BYTES, UNRECOGNISED, Unit, Units, content_hash, payload_unit

TABLES = ("raw_ccda__document", "raw_ccda__record_target", "raw_ccda__entry", "raw_ccda__statement", "raw_ccda__coding")
MULTIPLE_PATIENTS = "ccda.multiple_patients"
_BETWEEN_TAGS = re.compile(rb">\s+<")
_ROOT = "/ClinicalDocument"


@dataclass
class _Rows:
    """Rows of the raw tables under construction."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {table: [] for table in TABLES})

    def add(self, table: str, keys: tuple[str, int, str], row: dict[str, Any]) -> None:
        """Append a row; `keys` are delivery_id, unit_ordinal, record_locator."""
        self.rows[table].append({**dict(zip(("delivery_id", "unit_ordinal", "record_locator"), keys, strict=True)), **row})

    def tables(self) -> dict[str, pa.Table]:
        """The rows as RAW_SCHEMAS."""
        return {name: table_of_rows(name, rows) for name, rows in self.rows.items()}


def decode_ccda(deliveries: Sequence[Delivered]) -> Iterator[Decoded]:
    """Units `ccda.entry` (or `payload`) and the raw_ccda tables."""
    units, rows, size = Units(), _Rows(), 0
    for delivery in deliveries:
        root, code = read_document(delivery.payload.content())
        parts = list(_parts(root)) if root is not None else []
        if not parts:
            units.add(payload_unit(delivery, code or UNRECOGNISED))
        else:
            _document(delivery, root, parts, units, rows)
        size += delivery.payload.size
        if size > PIECE_BYTES:
            yield Decoded(units.take(), rows.tables())
            rows, size = _Rows(), 0
    yield Decoded(units.take(), rows.tables())


@dataclass(frozen=True)
class _Part:
    """One unit: an entry, a section without entries, or a nonXMLBody, with the section that it stands in."""

    element: Any
    locator: str
    section: Any = None


def _parts(root: Any) -> Iterator[_Part]:
    for component in root.iterfind(f"{CDA}component"):
        for body in component:
            if local_name(body) == "nonXMLBody":
                yield _Part(body, f"{_ROOT}/component/nonXMLBody")
            elif local_name(body) == "structuredBody":
                yield from _sections(body, f"{_ROOT}/component/structuredBody")


def _sections(body: Any, path: str) -> Iterator[_Part]:
    waiting = [(one, f"{path}/component[{place}]") for place, one in reversed(list(enumerate(body.iterfind(f"{CDA}component"), 1)))]
    while waiting:
        component, at = waiting.pop()
        for section in component.iterfind(f"{CDA}section"):
            entries = section.findall(f"{CDA}entry")
            for place, entry in enumerate(entries, 1):
                yield _Part(entry, f"{at}/section/entry[{place}]", section)
            if not entries:
                yield _Part(section, f"{at}/section", section)
            nested = list(enumerate(section.iterfind(f"{CDA}component"), 1))
            waiting.extend((one, f"{at}/section/component[{place}]") for place, one in reversed(nested))


def _document(delivery: Delivered, root: Any, parts: list[_Part], units: Units, rows: _Rows) -> None:
    targets = target_rows(root)
    code = MULTIPLE_PATIENTS if has_different_patients(targets) else None
    patients = "|".join(sorted({f"{row['id_root']}^{row['id_extension']}" for target in targets for row in target}))
    header = document_row(root)
    names = f"{header['id_root']}^{header['id_extension']}"
    for ordinal, part in enumerate(parts, 1):
        kind = local_name(part.element)
        canonical = _canonical(part.element, exclusive=True, with_tail=False)
        known = patients if kind != "nonXMLBody" else f"{patients}|{names}"  # a body has no identity but its document's
        hashed = content_hash(known.encode() + b"|" + _BETWEEN_TAGS.sub(b"><", canonical))
        units.add(Unit(
            delivery.delivery_id, ordinal, "ccda.entry", part.locator, _record_type(part), hashed, code, part.locator if code else None))
        if code is None:
            _unit_rows(delivery, ordinal, part, kind, canonical, rows)
    if code is None:
        carrier = next((o for o, part in enumerate(parts, 1) if local_name(part.element) != "section"), 1)
        for place, row in enumerate((row for target in targets for row in target), 1):
            keys = (delivery.delivery_id, carrier, f"{_ROOT}/recordTarget#{place}")
            rows.add("raw_ccda__record_target", keys, {**row, "id_ordinal": place})
        document = {**header, "document": _remainder(root, parts), "size": delivery.payload.size}
        rows.add("raw_ccda__document", (delivery.delivery_id, carrier, _ROOT), document)


def _record_type(part: _Part) -> str:
    """Code of the section, as a unit's kind of record; `nonXMLBody` for an unstructured document."""
    code = part.section.find(f"{CDA}code") if part.section is not None else None
    return str(code.get("code") or "section") if code is not None else local_name(part.element)


def _unit_rows(delivery: Delivered, ordinal: int, part: _Part, kind: str, canonical: bytes, rows: _Rows) -> None:
    keys = (delivery.delivery_id, ordinal, part.locator)
    entry: dict[str, Any] = {"kind": kind, "content": canonical.decode("utf-8")}
    if part.section is not None:
        code, title = part.section.find(f"{CDA}code"), part.section.find(f"{CDA}title")
        templates = [one.get("root") or "" for one in part.section.iterfind(f"{CDA}templateId")]
        entry |= {
            "section_code": code.get("code") if code is not None else None, "section_title": title.text if title is not None else None,
            "section_template_ids": f"|{'|'.join(templates)}|" if templates else None,
        }
    else:
        entry |= _attachment(part.element)
    rows.add("raw_ccda__entry", keys, entry)
    if kind != "entry":
        return
    for place, (element, parent) in enumerate(statements(part.element), 1):
        row, codings = statement_row(element)
        locator = f"{part.locator}#{place}"
        rows.add("raw_ccda__statement", (*keys[:2], locator), {**row, "statement_ordinal": place, "parent_ordinal": parent})
        for name, listed in codings.items():
            for position, coding in enumerate(listed, 1):
                extra: Row = {"coded_element": name}
                where = (*keys[:2], f"{locator}/{name}[{position}]")
                rows.add("raw_ccda__coding", where, {**coding, **extra, "statement_ordinal": place, "coding_ordinal": position})


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


def _remainder(root: Any, parts: list[_Part]) -> str:
    """The document in canonical form, each unit's element emptied. Changes the tree: goes last."""
    for part in parts:
        tail = part.element.tail
        part.element.clear()
        part.element.tail = tail
    return _canonical(root.getroottree()).decode("utf-8")


def _canonical(part: Any, exclusive: bool = False, with_tail: bool = True) -> bytes:
    """Canonical form in UTF-8; as it stands where there is none, since a namespace is a relative URI (Canonical XML 1.0 s1.3)."""
    try:
        return bytes(etree.tostring(part, method="c14n", exclusive=exclusive, with_tail=with_tail))
    except etree.C14NError:
        return bytes(etree.tostring(part, encoding="utf-8", xml_declaration=False, with_tail=with_tail))
