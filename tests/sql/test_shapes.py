"""The shape of a table that an earlier version made: columns come with their values, what cannot be reached is refused."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from assets.stores.shapes import shape_fault
from tests.sql.identity_models import Models


def _two_people(models: Models) -> None:
    models.say("patient", "a", name_family="Kowalchuk", name_given="Alexei", gender="male", birth_date="1961-05-17", source_time=datetime(2026, 1, 1))
    models.say("patient", "b", name_family="Other", name_given="Paula", gender="female", source_time=datetime(2026, 1, 2))
    models.link("p1", "a")
    models.link("p2", "b")
    models.run("patient_features", "person")


@pytest.mark.parametrize(("table", "columns", "again"), [
    ("person", ["name_rule", "name_source_time", "birth_date"], {"person"}),
    ("patient_features", ["members", "family"], {"patient_features", "identity", "person"})])
def test_columns_that_an_earlier_version_had_not_come_with_their_values(models: Models, table: str, columns: list[str], again: set[str]) -> None:
    """A run in which nobody changed gives a table its new columns, all rows their values, and wakes who reads them by the same changes."""
    _two_people(models)
    before = models.rows(f"select * from identity.{table} order by all")
    with models.store.open() as warehouse:
        for column in columns:
            warehouse.execute(f"alter table LAKE.identity.{table} drop column {column}")
        warehouse.execute("insert into LAKE.control.consumer (consumer, run_seq) values ('identity', 1)")
    models.run(table)
    assert sorted(map(_by_name, models.rows(f"select * from identity.{table}"))) == sorted(map(_by_name, before))
    seen = {row["consumer"]: row["run_seq"] for row in models.rows("select consumer, max(run_seq) as run_seq from control.consumer group by consumer")}
    assert {name for name in ("patient_features", "identity", "person") if seen.get(name) != 1} == again


def _by_name(row: dict[str, Any]) -> str:
    return str(sorted(row.items(), key=lambda item: item[0]))


@pytest.mark.parametrize(("altered", "told"), [
    ("add column shoe_size integer", "shoe_size (no longer there)"),
    ("alter column record_count type double", "record_count (double, now bigint)")])
def test_a_column_that_vanished_or_changed_is_refused(models: Models, altered: str, told: str) -> None:
    """A table with a column that its model has no more, or of another type, stays as it is, and the error says what helps."""
    _two_people(models)
    with models.store.open() as warehouse:
        warehouse.execute(f"alter table LAKE.identity.person {altered}")
        warehouse.execute("alter table LAKE.identity.person drop column name_rule")
    before = models.rows("select * from identity.person order by all")
    models.say("patient", "b", name_family="Changed", source_time=datetime(2026, 1, 3))
    with pytest.raises(AssertionError) as refused:
        models.run("person")
    fault = shape_fault(str(refused.value))
    assert fault is not None
    assert f"identity.person was made by an earlier version: {told}." in str(fault)
    assert "lakehouse materialize --anew identity.person" in str(fault)
    assert models.rows("select * from identity.person order by all") == before
