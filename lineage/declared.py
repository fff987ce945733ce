"""Lineage of what Python writes, as data: decoders, the loader, the identity engine, the side tables of
materializations.

SQL cannot show these edges, so they stand here; a column without a declaration would be opaque. The tests hold each
of them against the schemas.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lineage.edges import DIRECT, IDENTITY, INDIRECT, JOIN, ROWS, TRANSFORMATION, Edge, ModelLineage
from lineage.field_names import field_name
from transforms.decode.raw_schema import raw_table_columns, raw_table_names
from transforms.identity.tables import TABLES as IDENTITY_TABLES

PAYLOAD, DELIVERY = "landing.payload", "landing.delivery"

_DELIVERY_COLUMNS = frozenset({
    "delivery_id", "payload_id", "facility_id", "source", "batch_date", "received_time", "size", "control_total",
    "source_table",
})
_FEATURES = "identity.patient_features"
_COMPARED = (
    "family", "given", "middle", "suffix", "gender", "birth_date", "birth_text", "phone", "email", "address_number",
    "address_street", "address_unit", "postal_code", "ssn", "ssn_last4", "identifiers", "members",
)
_KEYS = {"patient_key": "patient_key", "patient_key_l": "patient_key", "patient_key_r": "patient_key",
         "facility_id": "facility_id", "features_hash": "features_hash"}
_EVIDENCE = {
    "identifier": ("identifiers",), "ssn": ("ssn", "ssn_last4"), "birth_date": ("birth_date", "birth_text"),
    "given": ("given",), "family": ("family",), "middle": ("middle",), "gender": ("gender",), "suffix": ("suffix",),
    "phone": ("phone",), "email": ("email",), "address": ("address_number", "address_street", "address_unit", "postal_code"),
    "member": ("members",), "person_id": _COMPARED, "to_person_id": _COMPARED, "component_key": _COMPARED,
    "link_rule": _COMPARED, "rule_or_model": _COMPARED, "score": _COMPARED, "zone": _COMPARED, "veto": _COMPARED,
    "reason": _COMPARED, "event": _COMPARED, "block_key": _COMPARED, "patients": _COMPARED,
}
_DECIDED_BY_PEOPLE = frozenset({"identity.decision"})

RESTATED_COLUMNS = {"restated_run_id": "varchar", "restated_run_seq": "bigint", "restated_code_version": "varchar"}
"""What a `_restated` table has besides the columns of its version table."""


def payload_columns() -> dict[str, dict[str, str]]:
    """Columns of landing: the fields of payloads as their standards call them, and what a delivery records."""
    fields = {
        name: "varchar" for table in raw_table_names() for column in raw_table_columns(table)
        if (name := field_name(table, column)) is not None
    }
    return {
        PAYLOAD: {"bytes": "blob", **dict(sorted(fields.items()))},
        DELIVERY: {name: "varchar" for name in sorted(_DELIVERY_COLUMNS)},
    }


def raw_lineage() -> dict[str, ModelLineage]:
    """Where raw columns come from: a payload's field, the delivery, or the decoder's count of positions in the
    bytes.
    """
    return {
        f"raw.{table}": ModelLineage(
            {column: {_raw_edge(table, column)} for column in raw_table_columns(table)}, reads={PAYLOAD, DELIVERY})
        for table in raw_table_names()
    }


def _raw_edge(table: str, column: str) -> Edge:
    field = field_name(table, column)
    if field is not None:
        return Edge(PAYLOAD, field, DIRECT, IDENTITY)
    if column in _DELIVERY_COLUMNS:
        return Edge(DELIVERY, column, DIRECT, IDENTITY)
    return Edge(PAYLOAD, "bytes", DIRECT, TRANSFORMATION, masking=column == "content_hash", keeps=False)


def identity_lineage() -> dict[str, ModelLineage]:
    """Where the identity engine's columns come from: the features that it compares, and stewards' decisions."""
    return {
        asset: ModelLineage(
            {column: set(_identity_edges(column)) for column, _ in columns},
            {Edge("identity.decision", column, INDIRECT, JOIN, keeps=False) for column in ("decision",)}
            | {Edge("canonical.patient_survivor", ROWS, INDIRECT, JOIN, keeps=False)},
            reads={_FEATURES, "identity.decision", "canonical.patient_survivor"})
        for asset, columns in IDENTITY_TABLES.items() if asset not in _DECIDED_BY_PEOPLE
    }


def _identity_edges(column: str) -> Iterable[Edge]:
    if column in _KEYS:
        return [Edge(_FEATURES, _KEYS[column])]
    return [Edge(_FEATURES, feature, DIRECT, TRANSFORMATION, keeps=False) for feature in _EVIDENCE.get(column, ())]


def restated_asset(version_asset: str) -> str | None:
    """The side table of a version table; None for any other asset."""
    return version_asset.removesuffix("_version") + "_restated" if version_asset.endswith("_version") else None


def restated_lineage(version_asset: str, columns: Mapping[str, str]) -> ModelLineage:
    """A side table's rows are version rows as they were; the run that moved them is nobody's value."""
    edges: dict[str, set[Edge]] = {column: {Edge(version_asset, column)} for column in columns}
    return ModelLineage({**edges, **{column: set() for column in RESTATED_COLUMNS}}, reads={version_asset})
