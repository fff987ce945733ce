"""FHIR R4 payloads -> units and raw_fhir__resource: Bulk Data NDJSON (one resource a line) and Bundles.

Belongs here: cutting a payload into units and judging their form. Does not belong here: what a resource means (dbt).
Locators: `line/3` for a line of NDJSON, `document` for a payload that is one JSON text over several lines, with the
JSON pointer of a Bundle's entry behind: `line/3#/entry/0`. The Bundle itself is no unit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from transforms.decode.contract import Decoded, Delivered
from transforms.decode.fhir.bundle import Entry, is_bundle, read_bundle
from transforms.decode.fhir.structure import breaches
from transforms.decode.json_text import JsonReader, canonical, is_too_deep, text_of
from transforms.decode.raw_schema import RAW_SCHEMAS
from transforms.decode.units import PIECE_BYTES, PIECE_UNITS, TOO_LARGE, UNKNOWN_TYPE, Unit, Units, content_hash, payload_unit, unreadable
from transforms.landing.payload import WHOLE_LIMIT, Payload

TABLES = ("raw_fhir__resource",)
TOO_DEEP = "payload.nesting_too_deep"
INVALID_JSON = "fhir.invalid_json"
DUPLICATE_KEY = "fhir.duplicate_json_key"
MISSING_TYPE = "fhir.missing_resource_type"

_BOM = b"\xef\xbb\xbf"
_SPACE = b" \t\r"
_TYPE_NAME = re.compile(r"[A-Za-z]{1,64}")


@dataclass
class _Rows:
    """Rows of raw_fhir__resource under construction."""

    rows: list[tuple[Any, ...]] = field(default_factory=list)
    size: int = 0

    def add(self, row: tuple[Any, ...]) -> None:
        self.rows.append(row)
        self.size += len(row[-1])

    def take(self) -> pa.Table:
        """The rows since the last time."""
        schema = RAW_SCHEMAS["raw_fhir__resource"]
        columns = list(zip(*self.rows, strict=True)) if self.rows else [()] * len(schema)
        self.rows, self.size = [], 0
        return pa.Table.from_arrays([pa.array(column, item.type) for column, item in zip(columns, schema, strict=True)], schema=schema)


def decode_fhir_ndjson(deliveries: Sequence[Delivered]) -> Iterator[Decoded]:
    """Units `fhir.resource` (or `payload`) and raw_fhir__resource."""
    units, rows = Units(), _Rows()
    for delivery in deliveries:
        for _ in _Delivery(delivery, units, rows).decode():
            if rows.size > PIECE_BYTES or len(units) > PIECE_UNITS:
                yield _piece(units, rows)
    yield _piece(units, rows)


def _piece(units: Units, rows: _Rows) -> Decoded:
    return Decoded(units.take(), {"raw_fhir__resource": rows.take()})


class _Delivery:
    """One delivery on its way into units and rows."""

    def __init__(self, delivery: Delivered, units: Units, rows: _Rows) -> None:
        self._delivery = delivery
        self._units = units
        self._rows = rows
        self._ordinal = 0
        self._reader = JsonReader()

    def decode(self) -> Iterator[None]:
        """Append the delivery's units and rows, one JSON text at a time."""
        form = _form(self._delivery.payload)
        if form == "lines":
            for number, line in _lines(self._delivery.payload):
                self._text(f"line/{number}", line)
                yield
        elif form == "document":
            self._text("document", _document(self._delivery.payload))
            yield
        elif form == "large":
            self._units.add(payload_unit(self._delivery, TOO_LARGE))
        else:
            self._units.add(unreadable(self._delivery))

    def _text(self, locator: str, content: bytes) -> None:
        """One JSON text: a resource, or a Bundle whose entries count."""
        if is_too_deep(content):
            self._unit(locator, content_hash(content), UNKNOWN_TYPE, TOO_DEEP, locator)
            return
        try:
            text = content.decode("utf-8")
            value, repeats = self._reader.parse(text)
            bundle = read_bundle(self._reader, text) if is_bundle(value) else None
            if bundle is None or bundle.repeats:
                self._resource(locator, value, text, None, repeats)
                return
        except ValueError:  # not JSON, not UTF-8, or a lone surrogate
            self._unit(locator, content_hash(content), UNKNOWN_TYPE, INVALID_JSON, locator)
            return
        for position, entry in enumerate(bundle.entries):
            self._entry(f"{locator}#/entry/{position}", entry, bundle.last_updated)

    def _entry(self, locator: str, entry: Entry, bundle_updated: str | None) -> None:
        try:
            if entry.is_delete:
                self._deletion(locator, entry, entry.modified or bundle_updated)  # a history tells when each was deleted
            else:
                canonical(entry.full_url)
                self._resource(locator, entry.resource, entry.resource_text, entry.full_url, entry.repeats)
        except UnicodeEncodeError:  # a lone surrogate in this entry alone
            self._unit(locator, content_hash(entry.text.encode("utf-8")), UNKNOWN_TYPE, INVALID_JSON, locator)

    def _deletion(self, locator: str, entry: Entry, updated: str | None) -> None:
        resource_type, resource_id = entry.target or (UNKNOWN_TYPE, None)
        code = DUPLICATE_KEY if entry.repeats else None if entry.target else MISSING_TYPE
        ordinal = self._unit(locator, content_hash(canonical([entry.value, updated])), resource_type, code, locator if code else None)
        if code is None:
            keys = (self._delivery.delivery_id, ordinal, locator)
            self._rows.add((*keys, resource_type, resource_id, None, updated, entry.full_url, True, entry.text))

    def _resource(self, locator: str, value: Any, text: str, full_url: str | None, repeats: bool) -> None:
        hashed = canonical(value)
        resource_type = text_of(value.get("resourceType")) if isinstance(value, dict) else None
        named = resource_type if resource_type and _TYPE_NAME.fullmatch(resource_type) else UNKNOWN_TYPE
        code = DUPLICATE_KEY if repeats else None if resource_type else MISSING_TYPE
        found = breaches(named, value, self._delivery.entry.fhir_deviations) if code is None else None
        ordinal = self._unit(locator, content_hash(hashed), named, *(found or (code, locator if code else None)))
        if code is None:  # a resource that breaks its form stays readable
            meta = value.get("meta")
            meta = meta if isinstance(meta, dict) else {}
            self._rows.add(
                (
                    self._delivery.delivery_id, ordinal, locator, resource_type, text_of(value.get("id")),
                    text_of(meta.get("versionId")), text_of(meta.get("lastUpdated")), full_url, False, text,
                )
            )  # fmt: skip

    def _unit(self, locator: str, hashed: str, record_type: str, code: str | None, path: str | None) -> int:
        self._ordinal += 1
        self._units.add(Unit(self._delivery.delivery_id, self._ordinal, "fhir.resource", locator, record_type, hashed, code, path))
        return self._ordinal


def _form(payload: Payload) -> str:
    """What a payload is: `lines` of JSON texts, one `document`, a document too `large` to be read, or `none` where no line could begin one.

    A payload is one document where its first line is not JSON but the whole is, or where that line only opens it. What is nested
    too deep is never parsed: such a line stands for itself, and such a whole is no document unless its first line says so.
    Of a payload above WHOLE_LIMIT only such a first line says that it is a document."""
    if not any(line[:1] in (b"{", b"[") for _, line in _lines(payload)):
        return "none"
    _, first = next(_lines(payload))
    lines = payload.lines()
    next(lines)
    if next(lines, None) is None or is_too_deep(first) or _is_json(first):
        return "lines"
    is_opened = first in (b"{", b"[")
    if payload.size > WHOLE_LIMIT:
        return "large" if is_opened else "lines"
    return "document" if is_opened or _is_json(_document(payload)) else "lines"


def _document(payload: Payload) -> bytes:
    return payload.content().removeprefix(_BOM).strip(_SPACE + b"\n")


def _lines(payload: Payload) -> Iterator[tuple[int, bytes]]:
    """Lines that are not blank, and their numbers."""
    for number, line in enumerate(payload.lines(), 1):
        stripped = (line if number > 1 else line.removeprefix(_BOM)).strip(_SPACE)
        if stripped:
            yield number, stripped


def _is_json(text: bytes) -> bool:
    if is_too_deep(text):
        return False
    try:
        JsonReader().parse(text.decode("utf-8"))
    except ValueError:
        return False
    return True
