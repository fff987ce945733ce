"""Dagster's events written in batches."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationPlanned
from dagster._core.events import AssetMaterializationPlannedData, DagsterEvent, DagsterEventType, StepMaterializationData
from dagster._core.events.log import EventLogEntry
from dagster._core.execution.plan.objects import StepSuccessData
from dagster._core.storage.event_log import SqliteEventLogStorage

from orchestration.event_log import PooledEventLog

TABLES = ("event_logs", "asset_keys", "asset_event_tags", "asset_check_executions")


def entries() -> list[EventLogEntry]:
    """Events of a run over two partitions and two assets, each planned again after it was materialized and checked, one of them with a
    result; those in between are of the run and of a step."""
    said = []
    for asset in ("patient", "encounter"):
        for facility in ("harbor", "mesa"):
            key = dg.MultiPartitionKey({"date": "2026-01-05", "facility": facility})
            planned = AssetMaterializationPlannedData(dg.AssetKey(["canonical", asset]), partition=key)
            made = dg.AssetMaterialization(["canonical", asset], partition=key, metadata={"rows": 3}, tags={"dagster/data_version": facility})
            said += [(DagsterEventType.ASSET_MATERIALIZATION_PLANNED, planned), (DagsterEventType.ASSET_MATERIALIZATION, StepMaterializationData(made))]
        said += [said[-2], (DagsterEventType.RUN_START, None), (DagsterEventType.STEP_SUCCESS, StepSuccessData(1.0))]
        checked = dg.AssetKey(["canonical", asset])
        said.append((DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED, AssetCheckEvaluationPlanned(asset_key=checked, check_name="rows")))
        if asset == "patient":
            said.append((DagsterEventType.ASSET_CHECK_EVALUATION, dg.AssetCheckEvaluation(asset_key=checked, check_name="rows", passed=False, metadata={})))
    return [
        EventLogEntry(error_info=None, level=20, user_message="", run_id="run", timestamp=1_767_600_000.0 + second, step_key=None, job_name="pipeline",
                      dagster_event=DagsterEvent(kind.value, job_name="pipeline", event_specific_data=data, message=""))
        for second, (kind, data) in enumerate(said)
    ]


def rows(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """Everything that the run's file and the index hold, but when a row was written."""
    found = {}
    for file in ("run", "index"):
        with sqlite3.connect(folder / f"{file}.db") as connection:
            for table in TABLES:
                columns = [name for _, name, *_ in connection.execute(f"pragma table_info({table})") if name != "create_timestamp"]
                found[f"{file}.{table}"] = connection.execute(f"select {', '.join(columns)} from {table} order by 1").fetchall()
    return found


def test_a_batch_leaves_the_rows_that_dagster_leaves(tmp_path: Path) -> None:
    """Events written together give the rows, ids and states of assets that Dagster's own storage gives, one event after the other."""
    ours, theirs = PooledEventLog(str(tmp_path / "ours")), SqliteEventLogStorage(str(tmp_path / "theirs"))
    ours.store_event_batch(entries()[:6])
    ours.store_event_batch(entries()[6:-3])
    for entry in entries()[-3:]:
        ours.store_event(entry)
    for entry in entries():
        theirs.store_event(entry)
    assert rows(tmp_path / "ours") == rows(tmp_path / "theirs")
    assert [len(rows(tmp_path / "ours")[f"{file}.event_logs"]) for file in ("run", "index")] == [17, 15]
    ours.dispose()
    theirs.dispose()


@pytest.mark.parametrize("wiped", [False, True])
def test_last_materializations_are_those_that_dagster_gives(tmp_path: Path, wiped: bool) -> None:
    """Records of assets that were made, that were only planned and that were wiped are those of Dagster's own storage over the same files."""
    ours = PooledEventLog(str(tmp_path))
    ours.store_event_batch(entries())
    planned = AssetMaterializationPlannedData(dg.AssetKey(["canonical", "condition"]))
    ours.store_event(entries()[0]._replace(dagster_event=DagsterEvent(
        DagsterEventType.ASSET_MATERIALIZATION_PLANNED.value, job_name="pipeline", event_specific_data=planned, message="")))
    keys = [dg.AssetKey(["canonical", name]) for name in ("patient", "encounter", "condition", "unknown")]
    if wiped:
        ours.wipe_asset(keys[0])
    theirs = SqliteEventLogStorage(str(tmp_path))
    assert ours.get_asset_records(keys) == theirs.get_asset_records(keys)
    made = {one.asset_entry.asset_key.path[1] for one in ours.get_asset_records(keys) if one.asset_entry.last_materialization_record}
    assert made == {"encounter"} if wiped else {"encounter", "patient"}
    ours.dispose()
    theirs.dispose()
