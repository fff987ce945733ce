"""From a version row to the C-CDA entry, statement or header it was read from, and to the value's place in the XML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lineage.excerpt import excerpt
from lineage.likeness import UNLIKE, likeness
from lineage.trace_result import Value
from lineage.trace_sources import Record, Sources
from lineage.trace_unit import RawField, RawTrace, charset_of, payload_step, raw_step, received_bytes, unit_rows
from lineage.xml_span import element_span, value_span
from transforms.errors import ContractError

_TABLES = ("raw_ccda__statement", "raw_ccda__coding", "raw_ccda__record_target", "raw_ccda__document", "raw_ccda__entry")
_CONTENT = frozenset({"content", "document"})  # whole XML texts, shown by their parts


def trace_ccda(sources: Sources, version: Record, column: str, fields: Sequence[RawField]) -> RawTrace | None:
    """The part of the document, and the attribute or text that feeds the column; None where the unit is none of a document."""
    rows = {table: unit_rows(sources, table, version) for table in _TABLES}
    entry = next(iter(rows["raw_ccda__entry"]), None)
    if entry is None:
        return None
    said = str(version.get(column)) if column and version.get(column) is not None else ""
    table, row, name, value = _place(rows, version, fields, said) or ("raw_ccda__entry", entry, "", "")
    payload = received_bytes(sources, version)
    locator = str(row["record_locator"])
    around = element_span(payload, locator.partition("#")[0])
    if around is None:
        raise ContractError(f"the payload has nothing at {locator}")
    marked = (value_span(payload, around, value) if name else None) or around
    values = (Value(name, value, True),) if name else (Value("kind", row["kind"]), Value("section_code", row["section_code"]))
    charset = charset_of(sources, version, payload[around[0] : around[1]])
    found = excerpt(payload, str(version["payload_id"]), locator, around, marked, charset)
    part = name or str(row["kind"])
    return RawTrace((raw_step(table, row, values, part), payload_step(sources, version, found)), f"{part} at {locator}")


def _place(rows: Mapping[str, Sequence[Record]], version: Record, fields: Sequence[RawField],
           said: str) -> tuple[str, Record, str, str] | None:
    """Table, row, column and value: the one most like what the row says, in a raw column that feeds the field before others, in
    the record's own statement before others."""
    own = str(version["record_locator"])
    feeding = {(field.table, field.column) for field in fields}
    best: tuple[tuple[int, bool, bool], tuple[str, Record, str, str]] | None = None
    for table, row, name, value in _values(rows) if said else ():
        worth = (likeness(value, said), (table, name) in feeding, str(row["record_locator"]).startswith(own))
        if worth[0] != UNLIKE and (best is None or worth > best[0]):
            best = worth, (table, row, name, value)
    return best[1] if best else None


def _values(rows: Mapping[str, Sequence[Record]]) -> Iterator[tuple[str, Record, str, str]]:
    kept = {"record_locator", "record_id", "unit_id", "delivery_id", "payload_id", "facility_id", "source"}
    for table, found in rows.items():
        for row in found:
            yield from ((table, row, name, value) for name, value in row.items()
                        if isinstance(value, str) and value and name not in kept and name not in _CONTENT)
