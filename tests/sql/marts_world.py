"""A small warehouse whose current tables a test writes by hand, and the marts' models run on it in process.

What belongs here: the tables that marts read, one method for each thing that may happen to them, and the dbt invocation on a copy of the
project that holds the marts alone. Not here: expected answers.
"""

from __future__ import annotations

import hashlib
import shutil
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import jinja2
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

PROJECT = Path(__file__).parents[2] / "transforms" / "dbt"
RESOURCES = ("encounter", "observation", "diagnostic_report", "service_request", "condition", "patient",
             "patient_link", "patient_identifier")
MARTS = ("mart_encounter_summary", "mart_lab_turnaround", "mart_readmission", "mart_daily_census", "mart_facility_volume")
FIRST = ("patient_survivor", "patient_person", "facility_newest_batch", "disposition_group")
OTHER_TABLES = """
create schema control; create schema canonical; create schema identity; create schema raw; create schema marts;
create table control.run_scope (run_id varchar, facility_id varchar, batch_date date);
create table control.change_log (run_seq bigint, object varchar, fact_key varchar, facility_id varchar, batch_date date, old_from date,
  old_to date, new_from date, new_to date, old_subject_key varchar, new_subject_key varchar);
create table control.consumer (consumer varchar, run_seq bigint);
create table control.touched_slice (mart varchar, facility_id varchar, service_date date, by_facility_id varchar, by_batch_date date,
  run_seq bigint);
create table control.slice_state (mart varchar, facility_id varchar, service_date date, built_seq bigint, published_seq bigint);
create table identity.link (patient_key varchar, facility_id varchar, person_id varchar);
create table raw.raw_delivery (facility_id varchar, batch_date date);
"""


@cache
def contract(resource: str) -> dict[str, str]:
    """Columns of a canonical resource with their types, as `macros/resource_contract.sql` states them."""
    text = (PROJECT / "macros" / "resource_contract.sql").read_text()
    given: list[Any] = []
    environment = jinja2.Environment(extensions=["jinja2.ext.do"], autoescape=False)  # noqa: S701 - SQL, not HTML
    environment.globals["return"] = given.append
    module: Any = environment.from_string(text).module
    module.header_columns()
    module.resource_contract(resource)
    return {column[0]: column[1] for column in [*given[0], *given[1]]}


@cache
def parsed_project(folder: Path) -> Any:
    """Copy the marts, their macros and sources into a project of their own, and parse it; upstream models are empty stand-ins."""
    shutil.copytree(PROJECT / "macros", folder / "macros")
    shutil.copytree(PROJECT / "models" / "marts", folder / "models" / "marts")
    for path in (PROJECT / "dbt_project.yml", PROJECT / "profiles.yml"):
        shutil.copy(path, folder)
    shutil.copy(PROJECT / "models" / "sources.yml", folder / "models")
    (folder / "models" / "identity.yml").write_text(
        "version: 2\nsources: [{name: identity, database: LAKE, schema: identity, tables: [{name: link}]}]\n")
    stand_ins = [*RESOURCES, *(f"{resource}_version" for resource in RESOURCES), "unit", "person"]
    (folder / "models" / "canonical" / "current").mkdir(parents=True)
    shutil.copy(PROJECT / "models" / "canonical" / "current" / "patient_survivor.sql", folder / "models" / "canonical" / "current")
    for name in stand_ins:
        (folder / "models" / "canonical" / f"{name}.sql").write_text("select 1 as stand_in")
    outcome = dbtRunner().invoke([*_flags(folder), "parse", *_where(folder)])
    assert outcome.success, outcome.exception
    return outcome.result


class MartsWorld:
    """One scratch warehouse. Each change belongs to the next run's sequence number until `run` closes it."""

    def __init__(self, folder: Path, project: Path, monkeypatch: Any) -> None:
        self.path = folder / "LAKE.duckdb"
        self.project = project
        self.monkeypatch = monkeypatch
        self.run_seq = 1
        self._connection: duckdb.DuckDBPyConnection | None = None
        self.connection.execute(OTHER_TABLES)
        for resource in RESOURCES:
            columns = ", ".join(f"{name} {kind}" for name, kind in contract(resource).items())
            for table in (resource, f"{resource}_version", f"{resource}_restated"):
                self.connection.execute(f"create table canonical.{table} ({columns})")

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The open warehouse; dbt opens it by itself, so `run` closes it before."""
        if self._connection is None:
            self._connection = duckdb.connect(str(self.path))
        return self._connection

    def close(self) -> None:
        """Let go of the warehouse's file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def execute(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run one statement and give its rows."""
        return self.connection.execute(sql, list(values)).fetchall()

    def delivered(self, facility_id: str, batch_date: date) -> None:
        """A facility delivered something on a batch date."""
        self.execute("insert into raw.raw_delivery values (?, ?)", facility_id, batch_date)

    def put(self, resource: str, fact_key: str, batch_date: date, *, restates: bool = False, **columns: Any) -> None:
        """A record of the batch makes this the current row; with `restates`, what earlier records said has been restated away."""
        row = {"is_deleted": False, "facility_id": "north", **columns, "fact_key": fact_key, "batch_date": batch_date}
        self.delivered(row["facility_id"], batch_date)
        old = self._slice(resource, fact_key)
        if restates:
            self._restate(resource, fact_key)
        self.execute(f"delete from canonical.{resource} where fact_key = ?", fact_key)
        for table in (resource, f"{resource}_version"):
            self.execute(f"insert into canonical.{table} ({', '.join(row)}) values ({', '.join('?' * len(row))})", *row.values())
        self._log(resource, fact_key, row["facility_id"], batch_date, old, self._slice(resource, fact_key))

    def vanish(self, resource: str, fact_key: str, facility_id: str, batch_date: date) -> None:
        """The batch no longer holds the only record of a fact: its current row goes, its version is restated."""
        old = self._slice(resource, fact_key)
        self._restate(resource, fact_key)
        self.execute(f"delete from canonical.{resource} where fact_key = ?", fact_key)
        self._log(resource, fact_key, facility_id, batch_date, old, (None, None, None))

    def link(self, patient_key: str, person_id: str | None, facility_id: str, batch_date: date) -> None:
        """Identity links a patient record to a person, or takes its link away."""
        known = self.execute("select person_id from identity.link where patient_key = ?", patient_key)
        self.execute("delete from identity.link where patient_key = ?", patient_key)
        if person_id is not None:
            self.execute("insert into identity.link values (?, ?, ?)", patient_key, facility_id, person_id)
        self._log("link", patient_key, facility_id, batch_date, (None, None, known[0][0] if known else None), (None, None, person_id))

    def run(self, mart: str, *scope: tuple[str, date], select: tuple[str, ...] = (), full_refresh: bool = False) -> None:
        """Run the survivors, the touch model and the mart (or `select`) for the partitions in scope, then close the sequence number."""
        run_id = f"run-{self.run_seq}"
        for facility_id, batch_date in scope:
            self.execute("insert into control.run_scope values (?, ?, ?)", run_id, facility_id, batch_date)
        self.monkeypatch.setenv("LAKEHOUSE_RUN_ID", run_id)
        self.monkeypatch.setenv("LAKEHOUSE_RUN_SEQ", str(self.run_seq))
        self.monkeypatch.setenv("LAKEHOUSE_DEV_COPY", str(self.path))
        self.close()
        names = (*(FIRST if self.run_seq == 1 else FIRST[:1]), *(select or (f"touch_{mart}", mart)))
        refresh = ["--full-refresh"] if full_refresh else []
        try:
            outcome = dbtRunner(manifest=parsed_project(self.project)).invoke(
                [*_flags(self.project), "run", *refresh, "--select", *names, *_where(self.project)])
        finally:
            DuckDBConnectionManager.close_all_connections()
        assert outcome.success, [(result.node.name, result.message) for result in outcome.result.results if result.status != "success"]
        self.run_seq += 1

    def rows(self, mart: str, *columns: str) -> list[tuple[Any, ...]]:
        """Give a mart's rows, sorted."""
        return self.execute(f"select {', '.join(columns)} from marts.{mart} order by all")

    def touched(self, mart: str) -> set[tuple[str, date]]:
        """Slices that the last run touched."""
        return set(self.execute(f"select facility_id, service_date from marts.touch_{mart}"))

    def _restate(self, resource: str, fact_key: str) -> None:
        self.execute(f"insert into canonical.{resource}_restated select * from canonical.{resource}_version where fact_key = ?", fact_key)
        self.execute(f"delete from canonical.{resource}_version where fact_key = ?", fact_key)

    def _slice(self, resource: str, fact_key: str) -> tuple[Any, ...]:
        found = self.execute(f"select service_date, service_end_date, subject_key from canonical.{resource} where fact_key = ?", fact_key)
        return found[0] if found else (None, None, None)

    def _log(self, name: str, fact_key: str, facility_id: str, batch_date: date, old: tuple[Any, ...], new: tuple[Any, ...]) -> None:
        self.execute("insert into control.change_log values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", self.run_seq, name, fact_key, facility_id,
                     batch_date, old[0], old[1], new[0], new[1], old[2], new[2])


def stay(subject_key: str, admitted: date, discharged: date | None, **columns: Any) -> dict[str, Any]:
    """Columns of an inpatient stay from noon to noon UTC."""
    return {
        "subject_key": subject_key, "class_code": "IMP", "status": "in-progress" if discharged is None else "finished",
        "service_date": admitted, "service_end_date": discharged, "period_start": f"{admitted}T12:00:00Z",
        "period_end": None if discharged is None else f"{discharged}T12:00:00Z", **columns,
    }


def md5_key(*parts: str) -> str:
    """The key of a fact: MD5 over its parts."""
    return hashlib.md5("|".join(parts).encode(), usedforsecurity=False).hexdigest()


def days(first: date, count: int) -> list[date]:
    """Consecutive days."""
    return [first + timedelta(days=offset) for offset in range(count)]


def _flags(project: Path) -> list[str]:
    return ["--quiet", "--no-use-colors", "--no-write-json",
            "--log-level", "none", "--log-level-file", "none", "--log-path", str(project / "logs")]


def _where(project: Path) -> list[str]:
    return ["--project-dir", str(project), "--profiles-dir", str(project), "--target", "dev", "--target-path", str(project / "target")]
