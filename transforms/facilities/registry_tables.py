"""The registry as the tables of schema `ref`, for SQL to join.

Belongs here: one function a table, registry -> rows. Does not belong here: checks (`registry.py`), loading.
All tables carry `facility_id, valid_from, valid_to` (half-open; 9999-12-31 where open). Keys are the names without
schema: `registry_tables(registry)["facility"]` becomes `ref.facility`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa

from transforms.facilities.entry import FacilityEntry, Registry

_Row = tuple[Any, ...]

_EFFECTIVE = [
    pa.field("facility_id", pa.string(), nullable=False),
    pa.field("valid_from", pa.date32(), nullable=False),
    pa.field("valid_to", pa.date32(), nullable=False),
]


def _facility(entry: FacilityEntry) -> Iterator[_Row]:
    yield (
        entry.name, entry.region, entry.owner, entry.timezone, entry.charset, entry.source_system,
        entry.default_authority, entry.default_system,
    )  # fmt: skip


def _authority(entry: FacilityEntry) -> Iterator[_Row]:
    yield from entry.authorities.items()


def _source(entry: FacilityEntry) -> Iterator[_Row]:
    for source in entry.sources.values():
        yield (
            source.source, source.kind, source.resource, source.table, source.mode, source.version_column,
            source.null_value, source.owner, source.op_column, source.sequence_column, source.before_image_prefix,
        )  # fmt: skip


def _source_column(entry: FacilityEntry) -> Iterator[_Row]:
    for source in entry.sources.values():
        for column in source.columns:
            is_key = column.name in source.key
            ordinal = source.key.index(column.name) + 1 if is_key else None
            yield (
                source.source, column.name, column.maps_to, column.type, column.pattern, column.code_system,
                column.datetime_format, column.timezone or entry.timezone, is_key, ordinal,
            )  # fmt: skip


def _contract(entry: FacilityEntry) -> Iterator[_Row]:
    for source in entry.sources.values():
        if source.columns:
            said = repr((source.columns, source.key, source.version_column)).encode()
            yield source.source, str(source.contract_version), hashlib.sha256(said).hexdigest()[:12]


def _value_map(entry: FacilityEntry) -> Iterator[_Row]:
    for source in entry.sources.values():
        for column in source.columns:
            for value, target in column.value_map.items():
                yield source.source, column.maps_to, value, target


def _null_marker(entry: FacilityEntry) -> Iterator[_Row]:
    for source in entry.sources.values():
        for marker in source.null_markers:
            yield source.source, marker


def _code_map(entry: FacilityEntry) -> Iterator[_Row]:
    for map_name, codes in entry.code_maps.items():
        for local_code, (system, code) in codes.items():
            yield map_name, local_code, system, code


def _fhir_base_url(entry: FacilityEntry) -> Iterator[_Row]:
    for url in entry.fhir_base_urls:
        yield (url.rstrip("/"),)


def _extension(entry: FacilityEntry) -> Iterator[_Row]:
    for url in entry.known_extensions:
        yield url, False, None, None
    for url, effect in entry.modifier_extensions.items():
        yield url, True, effect["when"], effect["set_status"]


def _authority_by_oid(entry: FacilityEntry) -> Iterator[_Row]:
    yield from entry.authorities_by_oid.items()


def _issuer(entry: FacilityEntry) -> Iterator[_Row]:
    yield from entry.issuers.items()


def _contact(entry: FacilityEntry) -> Iterator[_Row]:
    for phone in entry.phones:
        yield "phone", phone, None
    for line, postal_code in entry.addresses:
        yield "address", line, postal_code


# Table -> (columns besides the effective dates, rows of an entry). Types: text unless named in _TYPES.
_TABLES: dict[str, tuple[str, Callable[[FacilityEntry], Iterator[_Row]]]] = {
    "facility": (
        "name region owner timezone charset source_system default_authority default_system", _facility),
    "authority": ("namespace system", _authority),
    "source": (
        "source kind resource source_table mode version_column null_value owner op_column sequence_column "
        "before_image_prefix", _source),
    "source_column": (
        "source column_name maps_to type pattern code_system datetime_format timezone is_key key_ordinal",
        _source_column),
    "contract": ("source contract_version digest", _contract),
    "value_map": ("source maps_to source_value target_value", _value_map),
    "null_marker": ("source marker", _null_marker),
    "code_map": ("map_name local_code system code", _code_map),
    "fhir_base_url": ("base_url", _fhir_base_url),
    "authority_by_oid": ("oid system", _authority_by_oid),
    "issuer": ("issuer system", _issuer),
    "facility_contact": ("kind value postal_code", _contact),
    "extension": ("url is_modifier effect_when effect_status", _extension),
}  # fmt: skip
_TYPES = {"is_key": pa.bool_(), "is_modifier": pa.bool_(), "key_ordinal": pa.int32()}


def registry_schema(table: str) -> pa.Schema:
    """Schema of one `ref` table."""
    names = _TABLES[table][0].split()
    return pa.schema([*_EFFECTIVE, *(pa.field(name, _TYPES.get(name, pa.string())) for name in names)])


def registry_tables(registry: Registry) -> dict[str, pa.Table]:
    """All `ref` tables of a registry. `source_column.timezone` is resolved (the facility's where none is registered);
    `extension.effect_when`, `effect_status` are a modifier extension's registered effect."""
    tables: dict[str, pa.Table] = {}
    for table, (_, rows_of) in _TABLES.items():
        schema = registry_schema(table)
        rows = [
            (entry.facility_id, entry.valid_from, entry.valid_to, *row)
            for entry in registry.entries
            for row in rows_of(entry)
        ]
        columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
        tables[table] = pa.Table.from_arrays(
            [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema=schema
        )
    return tables
