"""From a version row to the raw row and its bytes: which raw columns feed the field, what they held, where they stand in the payload."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from lineage.excerpt import cell_span, excerpt, hl7_field_span, json_value_span, record_span, row_span
from lineage.field_names import field_name
from lineage.trace_result import Excerpt, Step, Value
from transforms.errors import ContractError

if TYPE_CHECKING:
    from lineage.trace import Sources

Record = Mapping[str, Any]


@dataclass(frozen=True)
class RawField:
    """A raw column that feeds a field, and the place in its JSON document."""

    table: str
    column: str
    path: str


@dataclass(frozen=True)
class RawTrace:
    """The steps below a version row, and in a few words where they end."""

    steps: tuple[Step, ...]
    origin: str


def trace_raw(sources: Sources, resource: str, version: Record, column: str) -> RawTrace:
    """The raw row behind a version row, and the bytes behind the raw row.

    Raises ContractError where the raw rows of the unit are gone, or the payload is not the one that was decoded.
    """
    fields = raw_fields(sources, f"canonical.{resource}_version", column) if column else []
    for find in (_hl7, _fhir, _extract):
        found = find(sources, version, column, fields)
        if found is not None:
            return found
    raise ContractError("the raw rows of this unit are gone; materialize its partition again")


def raw_fields(sources: Sources, asset: str, column: str, depth: int = 8) -> list[RawField]:
    """Raw columns that the value of a column comes from, nearest first."""
    found: dict[RawField, None] = {}
    front, seen = [(asset, column)], {(asset, column)}
    for _ in range(depth):
        beyond = []
        for link in (link for key in front for link in sources.links_into(*key) if link.type == "DIRECT"):
            key = (link.src_asset, link.src_col)
            if link.src_asset.startswith("raw."):
                found.setdefault(RawField(link.src_asset.removeprefix("raw."), link.src_col, link.path))
            elif key not in seen:
                seen.add(key)
                beyond.append(key)
        front = beyond
    return list(found)


def _rows(sources: Sources, table: str, version: Record) -> list[dict[str, Any]]:
    rows = sources.query(
        f"select raw.* from LAKE.raw.{table} raw where raw.unit_id = ? order by raw.record_locator", [version["unit_id"]])
    return [{name.lower(): value for name, value in row.items()} for row in rows]


def _payload(sources: Sources, version: Record) -> bytes:
    """The bytes, hashed again: what is shown is what was received, or nothing is."""
    payload = sources.read_payload(str(version["payload_id"]))
    if sha256(payload).hexdigest() != version["payload_id"]:
        raise ContractError("the payload is not the one that was received: its hash differs from its name")
    return payload


def _hl7(sources: Sources, version: Record, column: str, fields: Sequence[RawField]) -> RawTrace | None:
    segments = _rows(sources, "raw_hl7v2__segment", version)
    if not segments:
        return None
    names = {str(row["segment_name"]) for row in segments}
    usable = [field for field in fields if field.table[-3:].upper() in names or field.table.endswith("__repetition")]
    own = next((row for row in segments if row["record_id"] == version["record_id"]), None)
    own = own or next((row for row in segments if row["record_locator"] == version["record_locator"]), segments[0])
    field, row, value = _hl7_value(sources, usable, segments, own, version.get(column))
    payload = _payload(sources, version)
    locator = str(row["record_locator"])
    segment = record_span(payload, locator)
    marked = hl7_field_span(payload, segment, field.column) if field else segment
    name = field_name(field.table, field.column) if field else str(row["segment_name"])
    table = field.table if field else "raw_hl7v2__segment"
    values = (Value(field.column, value, True),) if field else (Value("segment_text", str(row["segment_text"])),)
    charset = _charset(sources, version, payload[segment[0] : segment[1]])
    return RawTrace(
        (_raw_step(table, row, values, name), _payload_step(sources, version, excerpt(
            payload, str(version["payload_id"]), locator, segment, marked, charset))),
        f"{name} of segment {row['segment_ordinal']} of message {row['unit_ordinal']}")


def _hl7_value(
    sources: Sources, fields: Sequence[RawField], segments: Sequence[Record], own: Record, said: object
) -> tuple[RawField | None, Record, str | None]:
    """The raw field that holds the value: one of the record's own segment first, then one that equals what the version says."""
    candidates: list[tuple[int, RawField, Record, str]] = []
    for field in fields:
        if field.table.endswith(("__repetition", "__segment")):
            continue
        for row in segments:
            if str(row["segment_name"]).lower() != field.table[-3:]:
                continue
            found = sources.query(
                f"select raw.{field.column} as value from LAKE.raw.{field.table} raw where raw.record_id = ?", [row["record_id"]])
            if found and found[0]["value"] is not None:
                value = str(found[0]["value"])
                worth = 4 * (row["record_id"] == own["record_id"]) + 2 * (value == str(said)) + (field.column.count("_") >= 2)
                candidates.append((worth, field, row, value))
    if not candidates:
        return None, own, None
    _, field, row, value = max(candidates, key=lambda candidate: candidate[0])
    return field, row, value


def _fhir(sources: Sources, version: Record, column: str, fields: Sequence[RawField]) -> RawTrace | None:
    rows = _rows(sources, "raw_fhir__resource", version)
    if not rows:
        return None
    row = next((row for row in rows if row["record_id"] == version["record_id"]), rows[0])
    payload = _payload(sources, version)
    text = str(row["resource"])
    record = record_span(payload, str(row["record_locator"]), text.encode())
    paths = [field.path for field in fields if field.table == "raw_fhir__resource" and field.path]
    path, marked = "", record
    for candidate in sorted(paths, key=len, reverse=True):
        span = json_value_span(payload, record, candidate)
        if span != record and (marked == record or span[1] - span[0] < marked[1] - marked[0]):
            path, marked = candidate, span
    value = payload[marked[0] : marked[1]].decode("utf-8", "replace") if path else None
    whole = (Value("id", row.get("id")), Value("resource_type", row.get("resource_type")))
    values = (Value(path.lstrip("/"), value, True),) if path else whole
    name = f"{row['resource_type']}{path.replace('/', '.') if path else ''}"
    return RawTrace(
        (_raw_step("raw_fhir__resource", row, values, name), _payload_step(sources, version, excerpt(
            payload, str(version["payload_id"]), str(row["record_locator"]), record, marked))),
        f"{name} at {row['record_locator']}")


def _extract(sources: Sources, version: Record, column: str, fields: Sequence[RawField]) -> RawTrace | None:
    rows = _rows(sources, "raw_extract__row", version)
    if not rows:
        return None
    row = rows[0]
    payload = _payload(sources, version)
    header = sources.query(
        "select cast(head.column_ordinal as integer) as column_ordinal, head.column_name from LAKE.raw.raw_extract__column head "
        "where head.delivery_id = ? order by head.column_ordinal", [version["delivery_id"]])
    names = [str(one["column_name"]) for one in header]
    first = payload.split(b"\n", 1)[0]
    delimiter = _delimiter(first, names)
    ordinal = _cell(sources, version, column, names)
    record = row_span(payload, int(row["unit_ordinal"]), delimiter is not None)
    if record is None:
        raise ContractError(f"the payload has no row {row['unit_ordinal']}")
    marked = cell_span(payload, record, ordinal, delimiter) if ordinal and delimiter else record
    cells = list(row["cells"])
    name = names[ordinal - 1] if ordinal else "row"
    values = (Value(name, cells[ordinal - 1], True),) if ordinal and ordinal <= len(cells) else tuple(
        Value(one, cell) for one, cell in zip(names, cells, strict=False))
    charset = _charset(sources, version, payload[record[0] : record[1]])
    return RawTrace(
        (_raw_step("raw_extract__row", row, values, f"column {name}"), _payload_step(sources, version, excerpt(
            payload, str(version["payload_id"]), f"row/{row['unit_ordinal']}", record, marked, charset))),
        f"column {name} of row {row['unit_ordinal']}")


def _cell(sources: Sources, version: Record, column: str, names: Sequence[str]) -> int:
    """Position of the cell that the registry maps to the column; 0 where it maps none."""
    if not column:
        return 0
    mapped = sources.query(
        "select mapped.column_name from LAKE.ref.source_column mapped "
        "where mapped.facility_id = ? and mapped.source = ? and mapped.maps_to = ? "
        "and mapped.valid_from <= cast(? as date) and cast(? as date) < mapped.valid_to",
        [version["facility_id"], version["source"], column, str(version["batch_date"])[:10], str(version["batch_date"])[:10]])
    lowered = [name.lower() for name in names]
    wanted = str(mapped[0]["column_name"]).lower() if mapped else ""
    return lowered.index(wanted) + 1 if wanted in lowered else 0


def _delimiter(first: bytes, names: Sequence[str]) -> bytes | None:
    """The byte between the first two names of the header line; None where the file has no header line."""
    line = first.removeprefix(b"\xef\xbb\xbf").replace(b'"', b"")
    if len(names) < 2 or not line.startswith(names[0].encode()):
        return None
    after = line[len(names[0].encode()) :]
    return after[:1] if after[1:].startswith(names[1].encode()) else None


def _charset(sources: Sources, version: Record, text: bytes) -> str:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        rows = sources.query(
            "select facility.charset from LAKE.ref.facility facility where facility.facility_id = ? order by facility.valid_from desc",
            [version["facility_id"]])
        return str(rows[0]["charset"]) if rows else "latin-1"
    return "utf-8"


def _raw_step(table: str, row: Record, values: tuple[Value, ...], name: str | None) -> Step:
    key = (("record_id", str(row["record_id"])), ("record_locator", str(row["record_locator"])))
    return Step("raw", f"As decoded: {name}", f"raw.{table}", key, values, "decoded without interpretation; text as sent")


def _payload_step(sources: Sources, version: Record, found: Excerpt) -> Step:
    rows = sources.query(
        "select cast(delivery.received_time as varchar) as received_time, delivery.source from LAKE.raw.raw_delivery delivery "
        "where delivery.delivery_id = ?", [version["delivery_id"]])
    arrived = rows[0] if rows else {}
    key = (
        ("payload_id", str(version["payload_id"])), ("delivery_id", str(version["delivery_id"])),
        ("source", str(arrived.get("source", ""))))
    received = arrived.get("received_time")
    return Step("landing", "As received", "landing.payload", key,
                rule="kept under the SHA-256 of its bytes, hashed again before it was shown",
                time=str(received).replace(" ", "T") + "+00:00" if received else "", excerpt=found)
