"""What the raw tables promise: keys, coordinates and counts. What a payload says is not judged here: raw keeps it as sent.

Columns come from the decoders' own list, so that a new raw table has its schema at once.
"""

from __future__ import annotations

from checks import forms
from checks.table_schema import Column, TableSchema
from checks.value_sets import UNIT_KIND
from transforms.decode.raw_schema import RAW_SCHEMAS, raw_table_columns, raw_table_names

_FORMS: dict[str, forms.Form] = {
    "delivery_id": forms.MD5, "unit_id": forms.MD5, "record_id": forms.MD5, "payload_id": forms.SHA256, "content_hash": forms.MD5,
    "facility_id": forms.NAME, "source": forms.NAME, "record_locator": forms.NAME, "unit_locator": forms.NAME,
    "unit_ordinal": forms.ORDINAL, "segment_ordinal": forms.ORDINAL, "row_number": forms.ORDINAL, "column_ordinal": forms.ORDINAL,
    "unit_kind": forms.code(UNIT_KIND, is_structural=True), "reject_code": forms.REASON_CODE, "flags": forms.REASON_CODES,
    "received_units": forms.COUNT, "size": forms.COUNT, "control_total": forms.COUNT,
    "patient_group": forms.ORDINAL, "order_group": forms.ORDINAL, "parent_segment_ordinal": forms.ORDINAL, "repetition": forms.ORDINAL,
}
_BY_TYPE: dict[str, forms.Form] = {
    "varchar": forms.TEXT, "date": forms.DAY, "timestamp": forms.TIMESTAMP, "bigint": forms.WHOLE, "integer": forms.WHOLE,
    "boolean": forms.BOOLEAN, "varchar[]": forms.TEXTS,
}
# Wrappers of a batch and header lines belong to unit 0, which is no unit.
_WITH_UNIT_0 = frozenset({"raw_hl7v2__segment", "raw_extract__column", "raw_x12__segment"})
_OPTIONAL_OF_LOADER = frozenset({"control_total", "flags"})
_GRAIN = {"raw_delivery": ("delivery_id",), "raw_unit": ("unit_id",)}


def raw_table_schema(name: str) -> TableSchema:
    """Give the promise of one raw table. Raises KeyError where the decoders know no such table."""
    columns = tuple(
        Column(column, _form(name, column, kind), required=_is_required(name, column)) for column, kind in raw_table_columns(name).items()
    )
    return TableSchema(f"raw.{name}", columns, _GRAIN.get(name, ("record_id",)))


def _form(table: str, column: str, kind: str) -> forms.Form:
    if column == "unit_ordinal" and table in _WITH_UNIT_0:
        return forms.COUNT
    if table == "raw_x12__segment" and column == "segment_ordinal":  # 0 is what stood before the first
        return forms.COUNT
    return _FORMS.get(column, _BY_TYPE[kind])


def _is_required(table: str, column: str) -> bool:
    if table == "raw_delivery":
        return column not in _OPTIONAL_OF_LOADER
    if table == "raw_unit":
        return column not in {"reject_code", "reject_path", "flags"}
    schema = RAW_SCHEMAS[table]
    return column not in schema.names or not schema.field(column).nullable


RAW_TABLES: dict[str, TableSchema] = {f"raw.{name}": raw_table_schema(name) for name in raw_table_names()}
