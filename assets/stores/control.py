"""The control tables: what a run may touch, what changed, who has seen it, what is held.

Models read and write them inside their own transactions (`macros/scoped.sql`); here they are made, a run is begun in them,
and holds are set and released.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

import pyarrow as pa

from assets.stores.warehouse import Warehouse
from transforms.errors import ConfigurationError

SCHEMAS = ("raw", "ref", "control", "staging", "canonical", "identity", "marts")

CONTROL_TABLES: Mapping[str, Mapping[str, str]] = {
    "run": {"run_id": "varchar", "run_seq": "bigint"},
    "run_scope": {"run_id": "varchar", "facility_id": "varchar", "batch_date": "date"},
    "change_log": {
        "run_seq": "bigint", "object": "varchar", "fact_key": "varchar", "facility_id": "varchar", "batch_date": "date",
        "old_from": "date", "old_to": "date", "new_from": "date", "new_to": "date",
        "old_subject_key": "varchar", "new_subject_key": "varchar",
    },
    "consumer": {"consumer": "varchar", "run_seq": "bigint"},
    "held_partition": {
        "facility_id": "varchar", "batch_date": "date", "asset": "varchar", "reason": "varchar", "run_id": "varchar",
        "is_released": "boolean",
    },
    "touched_slice": {
        "mart": "varchar", "facility_id": "varchar", "service_date": "date", "by_facility_id": "varchar", "by_batch_date": "date",
        "run_seq": "bigint",
    },
    "candidate_slice": {"mart": "varchar", "facility_id": "varchar", "service_date": "date", "run_seq": "bigint"},
    "slice_state": {
        "mart": "varchar", "facility_id": "varchar", "service_date": "date", "built_seq": "bigint", "published_seq": "bigint",
    },
    "verdict": {
        "asset": "varchar", "check_name": "varchar", "facility_id": "varchar", "batch_date": "date", "is_blocking": "boolean",
        "has_passed": "boolean", "failed_rows": "bigint", "total_rows": "bigint", "description": "varchar", "run_id": "varchar",
    },
    "outcome_move": {
        "run_seq": "bigint", "unit_id": "varchar", "facility_id": "varchar", "batch_date": "date", "old_outcome": "varchar",
        "new_outcome": "varchar", "old_reason": "varchar", "new_reason": "varchar",
    },
    "shaped_model": {"model": "varchar", "project": "varchar"},
    "raw_file": {"run_id": "varchar", "raw_table": "varchar", "facility_id": "varchar", "batch_date": "date", "file_name": "varchar"},
}

Partition = tuple[str, date]


def create_tables(warehouse: Warehouse, schema: str, tables: Mapping[str, Mapping[str, str]]) -> None:
    """Create a schema and its missing tables; existing ones stay as they are."""
    warehouse.execute(f"create schema if not exists LAKE.{schema}")
    for name, columns in tables.items():
        listed = ", ".join(_defined(column, kind) for column, kind in columns.items())
        warehouse.execute(f"create table if not exists LAKE.{schema}.{name} ({listed})")


def ready_tables(warehouse: Warehouse, schema: str, tables: Mapping[str, Mapping[str, str]]) -> None:
    """Create the missing tables of a schema; give those of an earlier version of the product the columns that they lack, null in old rows.

    A column that no table of this version has stays and is written no more. DDL: never inside a transaction.
    Raises ConfigurationError, before anything is added, where a column has another type.
    """
    create_tables(warehouse, schema, tables)
    found = warehouse.query("select lower(table_name) as name, lower(column_name) as column_name, lower(data_type) as kind "
                            "from information_schema.columns where table_catalog = 'LAKE' and lower(table_schema) = ?", [schema])
    held = {(row["name"], row["column_name"]): row["kind"] for row in found.to_pylist()}
    wanted = {(name, column): kind for name, columns in tables.items() for column, kind in columns.items()}
    other = [f"{schema}.{name}.{column} ({held[name, column]}, now {kind})"
             for (name, column), kind in wanted.items() if _family(held.get((name, column), kind)) not in (None, _family(kind))]
    if other:
        raise ConfigurationError(f"The warehouse was made by an earlier version: {', '.join(other)}. Nothing was changed. "
                                 "Remedy: run that version, or move warehouse/ away and run `lakehouse materialize` (docs/upgrading.md).")
    for (name, column), kind in wanted.items():
        if (name, column) not in held:
            warehouse.execute(f"alter table LAKE.{schema}.{name} add column {_defined(column, kind)}")


# What the engines call the types of `CONTROL_TABLES` and the like: one word for those that hold the same. Any other name is taken as it is.
_FAMILIES = {
    "varchar": ("text", "character varying"), "bigint": ("integer", "number", "decimal"), "double": ("float", "real"),
    "timestamp": ("timestamp_ntz", "timestamp without time zone"), "varchar[]": ("array",), "boolean": (), "date": (),
}


def _family(kind: str) -> str | None:
    return next((family for family, also in _FAMILIES.items() if kind == family or kind in also), None)


def _defined(column: str, kind: str) -> str:
    return f'"{column}" {kind}' if column == "use" else f"{column} {kind}"


def create_control(warehouse: Warehouse) -> None:
    """Create all schemas, and make the control tables ready."""
    for schema in SCHEMAS:
        warehouse.execute(f"create schema if not exists LAKE.{schema}")
    ready_tables(warehouse, "control", CONTROL_TABLES)


def begin_run(warehouse: Warehouse, run_id: str, partitions: Iterable[Partition]) -> int:
    """Record a run and its partitions; give its ordinal. A run that is begun again keeps its ordinal."""
    scope = sorted(set(partitions))
    with warehouse.transaction():
        known = warehouse.query("select run_seq from LAKE.control.run where run_id = ?", [run_id]).to_pylist()
        if known:
            run_seq = int(known[0]["run_seq"])
        else:
            newest = warehouse.query("select coalesce(max(run_seq), 0) as run_seq from LAKE.control.run").to_pylist()
            run_seq = int(newest[0]["run_seq"]) + 1
            warehouse.execute("insert into LAKE.control.run (run_id, run_seq) values (?, ?)", [run_id, run_seq])
        # Scopes of earlier runs serve nobody: a run reads its own only.
        warehouse.execute("delete from LAKE.control.run_scope")
        warehouse.load("control.run_scope", pa.table({
            "run_id": pa.array([run_id] * len(scope), pa.string()),
            "facility_id": pa.array([facility for facility, _ in scope], pa.string()),
            "batch_date": pa.array([day for _, day in scope], pa.date32()),
        }))
    return run_seq


def replace_reference(warehouse: Warehouse, tables: Mapping[str, pa.Table]) -> None:
    """Replace the registry's tables in schema `ref`, all in one transaction."""
    for name, table in tables.items():
        ready_tables(warehouse, "ref", {name: columns_of(table.schema)})
    with warehouse.transaction():
        for name, table in tables.items():
            warehouse.execute(f"delete from LAKE.ref.{name}")
            if table.num_rows:
                warehouse.load(f"ref.{name}", table)


def _sql_type(kind: pa.DataType) -> str:
    if pa.types.is_date(kind):
        return "date"
    if pa.types.is_timestamp(kind):
        return "timestamp"
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_integer(kind):
        return "bigint"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return "varchar[]"
    return "varchar"


def columns_of(schema: pa.Schema) -> dict[str, str]:
    """Give an Arrow schema's columns with their SQL types."""
    return {field.name: _sql_type(field.type) for field in schema}
