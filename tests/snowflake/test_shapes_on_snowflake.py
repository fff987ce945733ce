"""Tables on the Snowflake double that an earlier project made: columns come, by DDL of their own, and what cannot be reached is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from assets.root import Root
from assets.stores.control import SCHEMAS, create_tables
from tests.snowflake.conftest import MARKS, Double
from tests.sql.marts_world import contract
from transforms.errors import ConfigurationError
from transforms.synthetic.registry_text import registry_text

pytestmark = MARKS
DAY = date(2026, 1, 5)
# a table of each kind that grows: derived by key, with its side table, and what they read
PERSONS, VERSIONS = ("feature_rule", "patient_features", "person"), ("imaging_instance_version",)
READ = {
    "canonical": {"patient": contract("patient"), "patient_identifier": contract("patient_identifier"),
                  "unit": {"unit_id": "varchar", "own_reason_kind": "varchar"}},
    "staging": {"stg_dicom__imaging_instance": contract("imaging_instance") | {"reject_code": "varchar"}},
}
PATIENTS = """insert into LAKE.canonical.patient (fact_key, facility_id, is_deleted, name_family, name_given, birth_date, source_time)
select 'a', 'lakeside', false, 'Oak', 'Ann', '1970-01-02', cast('2026-01-01' as timestamp) union all
select 'b', 'lakeside', false, 'Elm', 'Ben', '1980-01-02', cast('2026-01-02' as timestamp)"""
LINKS = "insert into LAKE.identity.link (patient_key, facility_id, person_id) values ('a', 'lakeside', 'p'), ('b', 'lakeside', 'q')"
# rows of another partition: no run of these tests touches them
OTHERS = """insert into LAKE.canonical.imaging_instance_{} (record_id, fact_key, facility_id, batch_date, row_hash)
values ('r', 'f', 'harbor', '2026-01-01', 'h')"""


@dataclass(frozen=True)
class Lake:
    """A root on the double, with two persons and a version row."""

    root: Root
    double: Double

    def execute(self, *statements: str) -> None:
        """Execute statements one after the other."""
        with self.root.warehouse.open() as warehouse:
            for one in statements:
                warehouse.execute(one)

    def rows(self, table: str) -> list[str]:
        """Rows of a table, each as text, column by column in the order of their names."""
        with self.root.warehouse.open(read_only=True) as warehouse:
            return sorted(str(sorted(row.items())) for row in warehouse.query(f"select * from LAKE.{table}").to_pylist())

    def build(self, run_id: str, *models: str) -> list[str]:
        """Build models in a run over a partition to which nothing was delivered; give what was sent, each in lower case and on one line."""
        run, before = self.root.begin(run_id, [("lakeside", DAY)]), len(self.double.statements())
        self.root.build(run, [f"model.lakehouse.{one}" for one in models])
        return [" ".join(one.lower().split()) for one in self.double.statements()[before:]]

    def age(self, **dropped: str) -> None:
        """Make tables what an earlier project left: each without a column, none known to have its shape."""
        self.execute(*(f"alter table LAKE.{table.replace('__', '.')} drop column {column}" for table, column in dropped.items()),
                     "update LAKE.control.shaped_model set project = 'earlier'")


@pytest.fixture
def lake(double: Double, open_test_root: Callable[..., Any], tmp_path: Path) -> Iterator[Lake]:
    """Persons and versions, built by the present project; other tests' schemas are gone, and so are these afterwards."""
    (tmp_path / "facilities.yaml").write_text(registry_text(5), encoding="utf-8")
    root, _ = open_test_root(tmp_path / "root", tmp_path / "facilities.yaml", **double.settings())
    lake, drop = Lake(root, double), [f"drop schema if exists LAKE.{schema} cascade" for schema in SCHEMAS]
    lake.execute(*drop)
    with root.warehouse.open() as warehouse:
        for schema, tables in READ.items():
            create_tables(warehouse, schema, tables)
    run = root.begin("first", [("lakeside", DAY)])
    lake.execute(PATIENTS, LINKS, *(
        f"insert into LAKE.control.change_log (run_seq, object, fact_key, facility_id) values ({run.run_seq}, 'patient', '{key}', 'lakeside')" for key in "ab"))
    root.build(run, [f"model.lakehouse.{one}" for one in (*PERSONS, *VERSIONS)])
    lake.execute(OTHERS.format("version"), OTHERS.format("restated"))
    yield lake
    lake.execute(*drop)


def test_columns_come_with_their_values_by_ddl_of_their_own(lake: Lake) -> None:
    """Each column that a table lacks comes once, outside any transaction, and the next run does not look again: persons get their values, rows
    of versions that no run touches are null in it, and restated rows have it too."""
    before = {table: lake.rows(table) for table in ("identity.person", "canonical.imaging_instance_version", "canonical.imaging_instance_restated")}
    assert [len(rows) for rows in before.values()] == [2, 1, 1]
    lake.age(identity__person="name_rule", canonical__imaging_instance_version="modality", canonical__imaging_instance_restated="modality")
    sent = lake.build("second", "person", *VERSIONS)
    assert {table: lake.rows(table) for table in before} == before
    added = [place for place, text in enumerate(sent) if text.startswith("alter table") and " add column " in text]
    assert len(added) == len([text for text in sent if text.startswith("alter")]) == 3
    for place in added:
        bounds = [text.split()[0] for text in sent[:place] if text.startswith(("begin", "commit", "rollback"))]
        assert bounds[-1:] != ["begin"]
    assert not any(text.startswith("alter") or "__shape" in text for text in lake.build("third", "person", *VERSIONS))


def test_a_column_that_vanished_is_refused(lake: Lake) -> None:
    """What rows hold in a column that the model has no more cannot be told: the table stays, and the error says what helps."""
    lake.age()
    lake.execute("alter table LAKE.identity.person add column shoe_size integer")
    before = lake.rows("identity.person")
    with pytest.raises(ConfigurationError, match=r"identity.person .*: shoe_size \(no longer there\).* --anew identity.person"):
        lake.build("second", "person")
    assert lake.rows("identity.person") == before
