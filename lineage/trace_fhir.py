"""From a version row to the FHIR resource it was read from, and to the value's place in the JSON text."""

from __future__ import annotations

from collections.abc import Sequence

from lineage.excerpt import Span, excerpt, json_value_span, record_span
from lineage.trace_result import Value
from lineage.trace_sources import Record, Sources
from lineage.trace_unit import RawField, RawTrace, payload_step, raw_step, received_bytes, unit_rows


def trace_fhir(sources: Sources, version: Record, column: str, fields: Sequence[RawField]) -> RawTrace | None:
    """The resource, and the JSON value that feeds the column; None where the unit is no FHIR resource."""
    rows = unit_rows(sources, "raw_fhir__resource", version)
    if not rows:
        return None
    row = next((row for row in rows if row["record_id"] == version["record_id"]), rows[0])
    payload = received_bytes(sources, version)
    text = str(row["resource"])
    record = record_span(payload, str(row["record_locator"]), text.encode())
    paths = [field.path for field in fields if field.table == "raw_fhir__resource" and field.path]
    path, marked = _json_place(payload, record, paths, str(version.get(column)) if column else None)
    value = payload[marked[0] : marked[1]].decode("utf-8", "replace") if path else None
    whole = (Value("id", row.get("id")), Value("resource_type", row.get("resource_type")))
    values = (Value(path.lstrip("/"), value, True),) if path else whole
    name = f"{row['resource_type']}{path.replace('/', '.') if path else ''}"
    return RawTrace(
        (raw_step("raw_fhir__resource", row, values, name), payload_step(sources, version, excerpt(
            payload, str(version["payload_id"]), str(row["record_locator"]), record, marked))),
        f"{name} at {row['record_locator']}")


def _json_place(payload: bytes, record: Span, paths: Sequence[str], said: str | None) -> tuple[str, Span]:
    """The path and span of the value: one that says what the row says before others, then the smallest."""
    best, found = (-1, 0), ("", record)
    for path in paths:
        span = json_value_span(payload, record, path, said)
        text = payload[span[0] : span[1]].decode("utf-8", "replace").strip('"')
        worth = (int(text == said), record[1] - record[0] - (span[1] - span[0]))
        if span != record and worth > best:
            best, found = worth, (path, span)
    return found
