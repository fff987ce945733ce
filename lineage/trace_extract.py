"""From a version row to the row of the file it was read from, and to the cell's place in the bytes."""

from __future__ import annotations

from collections.abc import Sequence

from lineage.excerpt import cell_span, excerpt, row_span
from lineage.trace_result import Value
from lineage.trace_sources import Record, Sources
from lineage.trace_unit import RawField, RawTrace, charset_of, payload_step, raw_step, received_bytes, unit_rows
from transforms.errors import ContractError


def trace_extract(sources: Sources, version: Record, column: str, fields: Sequence[RawField]) -> RawTrace | None:
    """The row, and the cell that feeds the column; None where the unit is no row of a delimited file."""
    rows = unit_rows(sources, "raw_extract__row", version)
    if not rows:
        return None
    row = rows[0]
    payload = received_bytes(sources, version)
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
    charset = charset_of(sources, version, payload[record[0] : record[1]])
    return RawTrace(
        (raw_step("raw_extract__row", row, values, f"column {name}"), payload_step(sources, version, excerpt(
            payload, str(version["payload_id"]), f"row/{row['unit_ordinal']}", record, marked, charset))),
        f"column {name} of row {row['unit_ordinal']}")


def _cell(sources: Sources, version: Record, column: str, names: Sequence[str]) -> int:
    """Position of the cell that the registry maps to the column; 0 where it maps none."""
    if not column:
        return 0
    mapped = sources.query(
        "select mapped.column_name, mapped.maps_to from LAKE.ref.source_column mapped "
        "where mapped.facility_id = ? and mapped.source = ? and mapped.maps_to is not null "
        "and mapped.valid_from <= cast(? as date) and cast(? as date) < mapped.valid_to order by mapped.column_name",
        [version["facility_id"], version["source"], str(version["batch_date"])[:10], str(version["batch_date"])[:10]])
    lowered = [name.lower() for name in names]
    ranked = sorted(mapped, key=lambda row: -_kinship(str(row["maps_to"]), column))
    if not ranked or not _kinship(str(ranked[0]["maps_to"]), column) or str(ranked[0]["column_name"]).lower() not in lowered:
        return 0
    return lowered.index(str(ranked[0]["column_name"]).lower()) + 1


def _kinship(maps_to: str, column: str) -> int:
    """How surely a registered mapping feeds a column: the same name, or the name of the group (`code` feeds `code_local_code`)."""
    if maps_to == column:
        return 1000
    if column.startswith(maps_to) or maps_to.endswith("_" + column):
        return len(maps_to)
    return 0


def _delimiter(first: bytes, names: Sequence[str]) -> bytes | None:
    """The byte between the first two names of the header line; None where the file has no header line."""
    line = first.removeprefix(b"\xef\xbb\xbf").replace(b'"', b"")
    if len(names) < 2 or not line.startswith(names[0].encode()):
        return None
    after = line[len(names[0].encode()) :]
    return after[:1] if after[1:].startswith(names[1].encode()) else None
