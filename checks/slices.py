"""Mart slices: each candidate is judged against its mart's promise, then replaces the published slice, or does not.

A mart's model leaves the slices it built in `staging.candidate_<mart>` and their names in `control.candidate_slice`. A slice whose
blocking check fails stays as it was published last: built, not published, which is what "stale" means. All that happens to one mart
is one transaction. Not here: which slices are built (dbt), what a mart promises (`mart_tables`).
"""

from __future__ import annotations

from dataclasses import replace

from assets.root import Run
from assets.session import Session
from assets.stores.control import Partition
from assets.stores.crash_points import reach
from assets.stores.warehouse import Warehouse, existing_tables
from checks.gate import write_verdicts
from checks.reading import Scope, as_day
from checks.schemas import MART_TABLES
from checks.table_schema import TableSchema
from checks.table_verdicts import judge_table
from checks.verdict import Verdict, in_order
from checks.verdict_recording import record_verdicts


def publish_run(session: Session, run: Run) -> None:
    """Judge and publish what the run's marts built, and tell the catalog."""
    with session.root.warehouse.open() as warehouse:
        verdicts = publish_slices(warehouse, run.run_id, run.run_seq)
    reach("mart.published")
    record_verdicts(session.root, run, verdicts)
    session.verdicts.extend(verdicts)


def publish_slices(warehouse: Warehouse, run_id: str, run_seq: int) -> list[Verdict]:
    """Judge the candidates of run `run_seq` in every mart and publish those that pass; a slice without rows passes."""
    tables = existing_tables(warehouse)
    verdicts: list[Verdict] = []
    for asset, schema in MART_TABLES.items():
        mart = asset.split(".")[1]
        if asset in tables and f"staging.candidate_{mart}" in tables:
            found = _judge(warehouse, mart, schema, run_seq)
            with warehouse.transaction():
                write_verdicts(warehouse, run_id, found)
                _publish(warehouse, mart, run_seq)
                reach("mart.publishing")
            # It may hold patient data and nobody reads it any more.
            warehouse.execute(f"drop table LAKE.staging.candidate_{mart}")
            verdicts += found
    return in_order(verdicts)


def _judge(warehouse: Warehouse, mart: str, schema: TableSchema, run_seq: int) -> list[Verdict]:
    candidate = replace(schema, asset=f"staging.candidate_{mart}")
    mine = "slice.facility_id = said.facility_id and slice.service_date = said.service_date"
    scope = Scope(f"exists (select 1 from {_CANDIDATES} and {mine})", (mart, run_seq))
    built = _built(warehouse, mart, run_seq)
    return [replace(one, asset=schema.asset) for one in judge_table(warehouse, candidate, built, scope, may_block=True)]


def _built(warehouse: Warehouse, mart: str, run_seq: int) -> dict[Partition, int]:
    """Give the candidate slices of one mart with their rows."""
    rows = warehouse.query(
        "select slice.facility_id, slice.service_date, count(said.facility_id) as n from LAKE.control.candidate_slice slice "
        f"left join LAKE.staging.candidate_{mart} said on said.facility_id = slice.facility_id and said.service_date = slice.service_date "
        "where slice.mart = ? and slice.run_seq = ? group by slice.facility_id, slice.service_date", [mart, run_seq],
    ).to_pylist()
    return {(row["facility_id"], as_day(row["service_date"])): int(row["n"]) for row in rows}


def _publish(warehouse: Warehouse, mart: str, run_seq: int) -> None:
    """Replace the slices that pass, whole, and move `slice_state` with them. Runs inside the caller's transaction."""
    this_run = [mart, run_seq]
    warehouse.execute(f"update LAKE.control.slice_state set built_seq = ? where mart = ? and {_is_among(_CANDIDATES)}",
                      [run_seq, mart, *this_run])
    warehouse.execute(
        "insert into LAKE.control.slice_state (mart, facility_id, service_date, built_seq) "
        f"select slice.mart, slice.facility_id, slice.service_date, slice.run_seq from {_CANDIDATES} and not exists ("
        "select 1 from LAKE.control.slice_state known where known.mart = slice.mart and known.facility_id = slice.facility_id "
        "and known.service_date = slice.service_date)", this_run,
    )
    passed = [*this_run, f"marts.{mart}"]
    warehouse.execute(f"delete from LAKE.marts.{mart} where {_is_among(_PASSED)}", passed)
    listed = ", ".join(
        row["column_name"].lower() for row in warehouse.query(
            "select column_name from information_schema.columns where table_catalog = 'LAKE' and lower(table_schema) = 'marts' "
            "and lower(table_name) = ? order by ordinal_position", [mart]).to_pylist()
    )
    warehouse.execute(
        f"insert into LAKE.marts.{mart} ({listed}) select {listed} from LAKE.staging.candidate_{mart} where {_is_among(_PASSED)}", passed)
    warehouse.execute(f"update LAKE.control.slice_state set published_seq = ? where mart = ? and {_is_among(_PASSED)}",
                      [run_seq, mart, *passed])
    warehouse.execute("delete from LAKE.control.candidate_slice where mart = ?", [mart])


def _is_among(slices: str) -> str:
    return f"(facility_id, service_date) in (select slice.facility_id, slice.service_date from {slices})"


# The run's candidate slices of one mart, and those of them that no blocking verdict keeps back. They bind mart, run (and asset).
_CANDIDATES = "LAKE.control.candidate_slice slice where slice.mart = ? and slice.run_seq = ?"
_PASSED = (
    f"{_CANDIDATES} and not exists (select 1 from LAKE.control.verdict verdict where verdict.asset = ? "
    "and verdict.facility_id = slice.facility_id and verdict.batch_date = slice.service_date and verdict.is_blocking = true "
    "and verdict.has_passed = false)"
)
