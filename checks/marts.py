"""Verdicts on mart slices: each mart's rows against its promise, by facility and service date.

Not blocking yet: the verdict is shown, the slice stands. A mart's slices are those that the run built (`control.slice_state`).
"""

from __future__ import annotations

from assets.stores.control import Partition
from assets.stores.warehouse import Warehouse, existing_tables
from checks.reading import Scope, as_day
from checks.schemas import MART_TABLES
from checks.table_schema import TableSchema
from checks.table_verdicts import judge_table
from checks.verdict import Verdict, in_order


def judge_slices(warehouse: Warehouse, run_seq: int) -> list[Verdict]:
    """Judge the slices that run `run_seq` built, in every mart that exists; a slice without rows passes."""
    tables = existing_tables(warehouse)
    verdicts: list[Verdict] = []
    for asset, schema in MART_TABLES.items():
        if asset in tables:
            verdicts += judge_table(warehouse, schema, _built(warehouse, schema, run_seq), _scope(schema, run_seq), may_block=False)
    return in_order(verdicts)


def _scope(schema: TableSchema, run_seq: int) -> Scope:
    return Scope(
        "exists (select 1 from LAKE.control.slice_state state where state.mart = ? and state.built_seq = ? "
        "and state.facility_id = said.facility_id and state.service_date = said.service_date)", (schema.asset.split(".")[1], run_seq),
    )


def _built(warehouse: Warehouse, schema: TableSchema, run_seq: int) -> dict[Partition, int]:
    """Give the slices of one mart that a run built, with their rows."""
    mart = schema.asset.split(".")[1]
    rows = warehouse.query(
        f"select state.facility_id, state.service_date, count(said.facility_id) as n from LAKE.control.slice_state state "
        f"left join LAKE.{schema.asset} said on said.facility_id = state.facility_id and said.service_date = state.service_date "
        "where state.mart = ? and state.built_seq = ? group by state.facility_id, state.service_date", [mart, run_seq],
    ).to_pylist()
    return {(row["facility_id"], as_day(row["service_date"])): int(row["n"]) for row in rows}
