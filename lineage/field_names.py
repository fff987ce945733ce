"""Raw columns in the words of their standard: `pid_3_1` is PID-3.1, `obx_5_1` is OBX-5.1."""

from __future__ import annotations

import re

from transforms.decode.raw_schema import RAW_SCHEMAS

_SEGMENT_COLUMN = re.compile(r"([a-z][a-z0-9]{2})_(\d+)((?:_\d+){0,2})")
# What the decoder counts or measures.
_CDA_MADE = frozenset({
    "id_ordinal", "statement_ordinal", "parent_ordinal", "coding_ordinal", "size", "attachment_size", "kind", "coded_element",
})
_X12_COLUMN = re.compile(r"(isa|gs|st|bht)_(\d\d)")
_REPETITION_COLUMN = re.compile(r"c(\d+(?:_\d+)?)")


def field_name(table: str, column: str) -> str | None:
    """The payload's name for a raw column; None where the decoder or the loader adds it."""
    if table.startswith("raw_hl7v2__"):
        return _hl7_field(table, column)
    if table == "raw_fhir__resource":
        return {"resource": "resource", "resource_type": "resource/resourceType", "id": "resource/id",
                "version_id": "resource/meta/versionId", "last_updated": "resource/meta/lastUpdated",
                "full_url": "entry/fullUrl", "is_deleted": "entry/request/method"}.get(column)
    if table == "raw_x12__segment":
        return {"segment_id": "segment/id", "elements": "segment/elements"}.get(column)
    if table == "raw_x12__unit":
        return _x12_element(column)
    if table == "raw_dicom__element":
        return {"value": "element/value", "tag": "element/tag", "vr": "element/vr", "private_creator": "element/creator"}.get(column)
    if table.startswith("raw_ccda__"):
        return _cda_path(table.removeprefix("raw_ccda__"), column)
    if table == "raw_extract__row":
        return {"cells": "row", "op": "row/op", "sequence": "row/sequence"}.get(column)
    if table == "raw_extract__column":
        return {"column_name": "header"}.get(column)
    return None


def _cda_path(table: str, column: str) -> str | None:
    """A column of a CDA table as its element: `effective_time_low` of a statement is statement/effectiveTime/low."""
    if column in _CDA_MADE or column not in RAW_SCHEMAS[f"raw_ccda__{table}"].names[3:]:
        return None
    return f"{table}/{column}"


def _x12_element(column: str) -> str | None:
    """`isa_13` is ISA13; the amount of a unit is CLM02 or CLP04."""
    found = _X12_COLUMN.fullmatch(column)
    return f"{found[1].upper()}{found[2]}" if found else "CLM02 CLP04" if column == "amount" else None


def _hl7_field(table: str, column: str) -> str | None:
    if table == "raw_hl7v2__segment":
        return "segment" if column == "segment_text" else None
    if table == "raw_hl7v2__repetition":
        found = _REPETITION_COLUMN.fullmatch(column)
        return f"repetition.{found[1].replace('_', '.')}" if found else None
    found = _SEGMENT_COLUMN.fullmatch(column)
    if found is None:
        return None
    return f"{found[1].upper()}-{found[2]}{found[3].replace('_', '.')}"
