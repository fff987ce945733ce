"""Columns of the tables that no model makes: raw, registry, identity and terminology tables, from where each is declared.

Not here: the control tables, which belong to the stores above; the caller gives their columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lineage.declared import payload_columns
from transforms.decode.raw_schema import raw_table_columns, raw_table_names
from transforms.errors import ContractError
from transforms.facilities.registry_tables import registry_schema
from transforms.identity.tables import TABLES as IDENTITY_TABLES
from transforms.terminology.concept_map import CONCEPT_MAP


def source_schemas(
    sources: Iterable[str], others: Mapping[str, Mapping[str, str]]
) -> dict[str, Mapping[str, str]]:
    """Columns (name -> type) of all raw and identity tables and of the named sources, `schema.table` each.

    `others` are columns that the caller knows, control tables among them. Raises ContractError for a source that
    nobody declares.
    """
    schemas: dict[str, Mapping[str, str]] = dict(payload_columns())
    schemas.update({f"raw.{name}": raw_table_columns(name) for name in raw_table_names()})
    schemas.update({asset: dict(columns) for asset, columns in IDENTITY_TABLES.items()})
    schemas["ref.concept_map"] = dict.fromkeys(CONCEPT_MAP.names, "varchar")
    schemas.update(others)
    for source in sources:
        if source in schemas:
            continue
        schema, _, table = source.partition(".")
        if schema != "ref":
            raise ContractError(f"the columns of source {source} are not declared")
        try:
            schemas[source] = {field.name: "varchar" for field in registry_schema(table)}
        except KeyError as fault:
            raise ContractError(f"the columns of source {source} are not declared") from fault
    return schemas
