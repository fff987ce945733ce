"""Dagster's event log as the product keeps it: the same tables and rows as Dagster's own, and one look for each table."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import DagsterEvent, DagsterEventType
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log import SqliteEventLogStorage

from orchestration.event_log import PooledEventLog


def entry(run_id: str) -> EventLogEntry:
    """An event of a run."""
    event = DagsterEvent(DagsterEventType.RUN_START.value, job_name="pipeline", message="begun")
    return EventLogEntry(error_info=None, level=20, user_message="begun", run_id=run_id, timestamp=time.time(), step_key=None,
                         job_name="pipeline", dagster_event=event)


def tables(place: Path) -> list[tuple[str, str]]:
    """Name and SQL of everything that a SQLite file defines, and the revision that it is at."""
    with sqlite3.connect(place) as connection:
        found = connection.execute("select name, coalesce(sql, '') from sqlite_master order by name").fetchall()
        return found + connection.execute("select 'revision', version_num from alembic_version").fetchall()


def test_a_runs_file_is_as_dagster_makes_it(tmp_path: Path) -> None:
    """The files of the first run and of later ones define what Dagster's own storage defines, in WAL mode, and hold their own events only."""
    ours, theirs = PooledEventLog(str(tmp_path / "ours")), SqliteEventLogStorage(str(tmp_path / "theirs"))
    for run_id in ("first", "second"):
        ours.store_event(entry(run_id))
        theirs.store_event(entry(run_id))
        assert tables(tmp_path / "ours" / f"{run_id}.db") == tables(tmp_path / "theirs" / f"{run_id}.db")
        assert [one.run_id for one in ours.get_logs_for_run(run_id)] == [run_id]
        with sqlite3.connect(tmp_path / "ours" / f"{run_id}.db") as connection:
            assert connection.execute("pragma journal_mode").fetchone() == ("wal",)
    assert sorted(ours.get_all_run_ids()) == ["first", "second"]
    ours.dispose()


def test_a_file_that_is_there_is_kept(tmp_path: Path) -> None:
    """A second process that meets a run's file reads its events: it does not begin the file anew."""
    first = PooledEventLog(str(tmp_path))
    first.store_event(entry("run"))
    first.dispose()
    second = PooledEventLog(str(tmp_path))
    second.store_event(entry("run"))
    assert len(second.get_logs_for_run("run")) == 2
    second.dispose()


def test_a_table_is_looked_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that exists is known, one that does not is looked for again, since a migration may make it."""
    log = PooledEventLog(str(tmp_path))
    assert log.has_table("asset_check_executions")
    assert not log.has_table("of_tomorrow")
    with sqlite3.connect(tmp_path / "index.db") as connection:
        connection.execute("create table of_tomorrow (a)")
    assert log.has_table("of_tomorrow")
    monkeypatch.setattr(log, "_connect", lambda shard: pytest.fail("looked again"))
    assert log.has_table("asset_check_executions")
    monkeypatch.undo()
    log.dispose()


def test_checks_of_a_run_are_read_as_they_were_reported(tmp_path: Path) -> None:
    """A check that a run evaluates is in the index as its last execution, with the run's file made from the empty one."""
    with dg.instance_for_test(overrides={"event_log_storage": {
        "module": "orchestration.event_log", "class": "PooledEventLog", "config": {"base_dir": str(tmp_path)},
    }}) as instance:
        @dg.asset_check(asset="table", name="rows")
        def rows() -> dg.AssetCheckResult:
            return dg.AssetCheckResult(passed=False)

        key = dg.AssetCheckKey(dg.AssetKey("table"), "rows")
        for _ in range(2):
            run = dg.Definitions(asset_checks=[rows], jobs=[dg.define_asset_job("all", selection=dg.AssetSelection.all_asset_checks())])
            done = run.resolve_job_def("all").execute_in_process(instance=instance)
            latest = instance.event_log_storage.get_latest_asset_check_execution_by_key([key])[key]
            assert (latest.run_id, latest.status.value) == (done.run_id, "FAILED")
