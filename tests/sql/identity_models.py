"""A warehouse with hand-written patients, for tests of identity's dbt models: `Models` says what current rows hold and runs models on it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

from assets.stores.control import create_control, replace_reference
from assets.stores.duckdb_warehouse import DuckDBStore
from assets.stores.identity import create_tables
from tests.sql.marts_world import PROJECT, contract
from transforms.facilities.registry import load_registry
from transforms.facilities.registry_tables import registry_tables

QUIET = ["--quiet", "--no-print", "--log-level", "none", "--log-level-file", "none"]
OWN_CONTACTS = """
registry_version: 1
first_batch_date: 2026-01-01
facilities:
- {facility_id: hillside, valid_from: 2026-01-01, name: H, region: r, owner: o, timezone: UTC, charset: utf-8, source_system: s,
   phones: ['+1 (503) 555-0100'], addresses: [{line: '4400 N. Clinic Way', postal_code: 97299-1234}, {line: 'P.O. Box 12', postal_code: '97299'}]}
"""


class Models:
    """A warehouse with hand-written patients, and identity's models run on it."""

    def __init__(self, store: DuckDBStore, folder: Path, manifest: Any) -> None:
        """Create the tables that the models read."""
        self.store, self.folder, self.manifest, self.run_seq = store, folder, manifest, 0
        self.pending: list[tuple[str, list[Any]]] = []
        with store.open() as warehouse:
            create_control(warehouse)
            create_tables(warehouse)
            replace_reference(warehouse, {"facility_contact": registry_tables(load_registry(OWN_CONTACTS))["facility_contact"]})
            for resource in ("patient", "patient_identifier"):
                columns = ", ".join(f'"{name}" {kind}' for name, kind in contract(resource).items())
                warehouse.execute(f"create table canonical.{resource} ({columns})")
        self.dbt("seed")

    def dbt(self, *arguments: str) -> None:
        """Run one dbt command in process."""
        before = dict(os.environ)
        os.environ.update(self.store.environment() | {"LAKEHOUSE_RUN_ID": "r", "LAKEHOUSE_RUN_SEQ": str(self.run_seq)})
        where = ["--project-dir", str(self.folder), "--profiles-dir", str(self.folder), "--target", "local",
                 "--target-path", str(self.folder / "target"), "--log-path", str(self.folder / "logs")]
        try:
            outcome = dbtRunner(manifest=self.manifest).invoke([*QUIET, *arguments, *where])
        finally:
            DuckDBConnectionManager.close_all_connections()
            os.environ.clear()
            os.environ.update(before)
        if not outcome.success:
            raise AssertionError("; ".join(str(result.message) for result in outcome.result.results))

    def say(self, resource: str, key: str, **columns: Any) -> None:
        """Put a current row, as the next run found it."""
        row = {"fact_key": key, "facility_id": "riverside", "is_deleted": False} | columns
        names = ", ".join(f'"{name}"' for name in row)
        self.pending += [
            (f"delete from canonical.{resource} where fact_key = ?", [key]),
            (f"insert into canonical.{resource} ({names}) values ({', '.join('?' * len(row))})", list(row.values())),
            ("insert into control.change_log (run_seq, object, fact_key, facility_id, new_subject_key) values (?, ?, ?, ?, ?)",
             [self.run_seq + 1, resource, key, row["facility_id"], row.get("subject_key")]),
        ]

    def link(self, person: str, *keys: str) -> None:
        """Link records to a person, as the next run found it."""
        for key in keys:
            self.pending += [
                ("insert into control.change_log (run_seq, object, fact_key, old_subject_key, new_subject_key) "
                 "select ?, 'link', ?, max(person_id), ? from identity.link where patient_key = ?", [self.run_seq + 1, key, person, key]),
                ("delete from identity.link where patient_key = ?", [key]),
                ("insert into identity.link (patient_key, facility_id, person_id) values (?, 'riverside', ?)", [key, person]),
            ]

    def run(self, *models: str) -> None:
        """Write what was said and build models as the next run."""
        with self.store.open() as warehouse, warehouse.transaction():
            for statement, values in self.pending:
                warehouse.execute(statement, values)
        self.pending = []
        self.run_seq += 1
        self.dbt("run", "--select", "feature_rule", *models)

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Rows of a query."""
        with self.store.open(read_only=True) as warehouse:
            return [dict(row) for row in warehouse.query(sql).to_pylist()]

    def features(self, key: str) -> dict[str, Any]:
        """Features of one record."""
        return self.rows(f"select * from identity.patient_features where patient_key = '{key}'")[0]


def write_project(folder: Path) -> Any:
    """Write a dbt project of identity's models, with empty stand-ins for what they read, into a folder that there is not; give its manifest."""
    shutil.copytree(PROJECT / "macros", folder / "macros")
    shutil.copytree(PROJECT / "models" / "identity", folder / "models" / "identity")
    (folder / "models" / "canonical").mkdir()
    (folder / "seeds").mkdir()
    shutil.copy(PROJECT / "seeds" / "identity_placeholder.csv", folder / "seeds")
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(PROJECT / name, folder)
    shutil.copy(PROJECT / "models" / "sources.yml", folder / "models")
    for name in ("patient", "patient_identifier"):
        (folder / "models" / "canonical" / f"{name}.sql").write_text("select 1 as stand_in")
    outcome = dbtRunner().invoke([*QUIET, "parse", "--project-dir", str(folder), "--profiles-dir", str(folder), "--target-path",
                                  str(folder / "target"), "--log-path", str(folder / "logs")])
    assert outcome.success, outcome.exception
    return outcome.result
