"""What each check fails on, what it counts, and what no verdict shows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
import sqlglot

from assets.stores.duckdb_warehouse import DuckDBWarehouse
from checks import reading, table_verdicts
from checks.gate import apply_gate, judge, release
from checks.reading import run_scope
from checks.resources import VERSION_TABLES
from checks.table_schema import TableSchema
from checks.table_verdicts import judge_table
from tests.integration.gate_runs import NORTH, SOUTH, failing, pass_gate, spoil
from tests.integration.gate_world import DAY, GateWorld

CANARY = "ZZCANARYZZ"
BREAKS: dict[str, tuple[str, tuple[str, str, int, bool]]] = {
    "unit lost": ("delete from LAKE.raw.raw_unit where facility_id = 'north' and unit_ordinal = 3",
                  ("raw.raw_unit", "reconciliation", 1, True)),
    "unit invented": ("update LAKE.raw.raw_delivery set received_units = 2 where facility_id = 'north'",
                      ("raw.raw_unit", "reconciliation", 1, True)),
    "record lost": ("delete from LAKE.raw.raw_fhir__resource where facility_id = 'north' and unit_ordinal = 3",
                    ("raw.raw_unit", "reconciliation", 1, True)),
    "record of no unit": ("update LAKE.raw.raw_fhir__resource set unit_id = md5('nobody') where facility_id = 'north' and unit_ordinal = 3",
                          ("raw.raw_fhir__resource", "referential", 1, True)),
    "raw row twice": ("insert into LAKE.raw.raw_fhir__resource select * from LAKE.raw.raw_fhir__resource "
                      "where facility_id = 'north' and unit_ordinal = 3", ("raw.raw_fhir__resource", "schema", 2, True)),
    "control total off": ("update LAKE.raw.raw_delivery set control_total = 4 where facility_id = 'north'",
                          ("raw.raw_delivery", "control_total", 1, False)),
    "patient unknown": ("update LAKE.canonical.encounter_version set subject_key = md5('nobody') where facility_id = 'north'",
                        ("canonical.encounter_version", "referential", 2, False)),
    "encounter unknown": ("update LAKE.canonical.observation_version set encounter_key = md5('nobody') where facility_id = 'north'",
                          ("canonical.observation_version", "referential", 2, False)),
    "born after the batch": ("update LAKE.canonical.patient_version set birth_date = '2026-02' where facility_id = 'north'",
                             ("canonical.patient_version", "plausibility", 3, False)),
    "fact flag lost": ("update LAKE.canonical.encounter_version set is_fact = null where facility_id = 'north'",
                       ("canonical.encounter_version", "schema", 2, True)),
    "code of no set": ("update LAKE.canonical.patient_version set gender = 'femme' where facility_id = 'north'",
                       ("canonical.patient_version", "schema", 3, True)),
}


@pytest.mark.parametrize("name", BREAKS)
def test_each_check_fails_on_what_it_is_for(world: GateWorld, name: str) -> None:
    """Each check reports exactly the rows that were broken for it, at that facility, and blocks only where it should."""
    statement, (asset, check, rows, holds) = BREAKS[name]
    world.rows(statement)
    world.run("r1", NORTH, SOUTH)
    found = failing(judge(world.warehouse, "r1", [NORTH, SOUTH]))
    assert found.get((asset, check, "north")) == (rows, holds)
    assert {facility for _, _, facility in found} == {"north"}


def test_a_few_wrong_values_are_shown_and_do_not_hold(world: GateWorld) -> None:
    """One wrong code among 101 rows fails without blocking; two are more than one in a hundred and hold."""
    world.say("service_request", "north", rows=100)
    world.say("service_request", "north", priority="soon")
    world.run("r1", NORTH)
    key = ("canonical.service_request_version", "schema", "north")
    assert failing(judge(world.warehouse, "r1", [NORTH])) == {key: (1, False)}
    world.say("service_request", "north", priority="soon")
    assert failing(judge(world.warehouse, "r1", [NORTH])) == {key: (2, True)}


def test_a_changed_mix_of_codes_is_shown(world: GateWorld) -> None:
    """A facility whose results turn from final to preliminary overnight fails `drift`; one that stays as it was passes."""
    yesterday = DAY - timedelta(days=1)
    for facility in ("north", "south"):
        world.admit(facility, yesterday)
        world.say("observation", facility, yesterday, rows=120)
    world.say("observation", "north", rows=120, status="preliminary")
    world.say("observation", "south", rows=120)
    world.run("r1", NORTH, SOUTH)
    verdicts = judge(world.warehouse, "r1", [NORTH, SOUTH])
    assert failing(verdicts) == {("canonical.observation_version", "drift", "north"): (120, False)}
    assert {one.facility_id for one in verdicts if one.check_name == "drift" and one.has_passed} == {"south"}


def test_a_local_code_never_seen_before_is_shown(world: GateWorld) -> None:
    """A code that no map knows fails `new_code` on the day that it first comes, and passes where the facility has sent it before or has no past."""
    yesterday = DAY - timedelta(days=1)
    for facility in ("north", "south"):
        world.admit(facility, yesterday)
        world.say("observation", facility, yesterday, rows=120)
    world.say("observation", "south", yesterday, code_code=None, code_system=None, code_local_code="GLUX")
    for facility in ("north", "south", "west"):
        world.say("observation", facility, rows=3, code_code=None, code_system=None, code_local_code="GLUX")
        world.say("observation", facility, code_local_code="MAPPED")
    world.run("r1", NORTH, SOUTH, ("west", DAY))
    found = {one.facility_id: (one.has_passed, one.failed_rows, one.is_blocking, one.description.partition(": ")[2])
             for one in judge(world.warehouse, "r1", [NORTH, SOUTH, ("west", DAY)]) if one.check_name == "new_code"}
    assert found["north"] == (False, 3, False, "code_local_code brings codes that are new here and known to no map (1).")
    assert found["south"][:2] == (True, 0)
    assert "west" not in found


def test_failures_do_not_outlive_their_rows(world: GateWorld) -> None:
    """A table whose failing rows were re-landed away is passed, and the partition published."""
    spoil(world)
    pass_gate(world, "r1", NORTH)
    world.rows("delete from LAKE.canonical.observation_version where facility_id = 'north'")
    assert pass_gate(world, "r2", NORTH).newly_published == (NORTH,)
    assert world.rows("select count(*) from LAKE.control.verdict where not has_passed") == [(0,)]


@pytest.mark.parametrize("limit", [1, 3, 7])
def test_parts_of_any_size_count_the_same(world: GateWorld, monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    """Reading a table in small parts, single partitions cut by a hash of the key, finds the same breaches, duplicates among them."""
    world.rows("insert into LAKE.canonical.patient_version select * from LAKE.canonical.patient_version "
               "where facility_id = 'south' limit 1")
    world.say("patient", "north", gender="femme")
    totals = {NORTH: 4, SOUTH: 4}
    world.run("r1", NORTH, SOUTH)
    table = VERSION_TABLES["canonical.patient_version"]
    whole = list(judge_table(world.warehouse, table, totals, run_scope("r1"), may_block=True))
    assert failing(whole) == {(table.asset, "schema", "north"): (1, True), (table.asset, "schema", "south"): (2, True)}
    monkeypatch.setattr(reading, "PART_ROWS", limit)
    cut = list(reading.parts({NORTH: 3, SOUTH: 4}))
    assert {part.bucket is not None for part in cut} == {1: {True}, 3: {False, True}, 7: {False}}[limit]
    assert list(judge_table(world.warehouse, table, totals, run_scope("r1"), may_block=True)) == whole


def test_columns_only_asked_to_be_there_are_counted_not_read(world: GateWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a large table, columns that need only be there are found empty by counting: the same verdicts, and filled ones are not fetched."""
    world.rows("update LAKE.canonical.patient_version set is_deleted = null where facility_id = 'south'")
    totals = {NORTH: 3, SOUTH: 4}
    world.run("r1", NORTH, SOUTH)
    table = VERSION_TABLES["canonical.patient_version"]
    read = list(judge_table(world.warehouse, table, totals, run_scope("r1"), may_block=True))
    assert (table.asset, "schema", "south") in failing(read)
    fetched: list[str] = []
    monkeypatch.setattr(table_verdicts, "COUNTED_FROM", 0)

    def record_frames(warehouse: DuckDBWarehouse, schema: TableSchema, columns: list[str], *rest: Any) -> Iterator[pl.DataFrame]:
        fetched.extend(columns)
        yield from reading.frames(warehouse, schema, columns, *rest)

    monkeypatch.setattr(table_verdicts, "frames", record_frames)
    assert list(judge_table(world.warehouse, table, totals, run_scope("r1"), may_block=True)) == read
    assert "is_deleted" in fetched
    assert "is_fact" not in fetched


def test_every_statement_is_snowflake_sql_too(world: GateWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the gate asks and writes parses in Snowflake's dialect, conditions of partly read tables among it."""
    said: list[str] = []
    query, execute = DuckDBWarehouse.query, DuckDBWarehouse.execute

    def record_query(self: DuckDBWarehouse, sql: str, parameters: Any = ()) -> pa.Table:
        said.append(sql)
        return query(self, sql, parameters)

    def record_execute(self: DuckDBWarehouse, sql: str, parameters: Any = ()) -> None:
        said.append(sql)
        execute(self, sql, parameters)

    spoil(world)
    world.say("observation", "north", rows=100)
    monkeypatch.setattr(reading, "PART_ROWS", 1)
    monkeypatch.setattr(DuckDBWarehouse, "query", record_query)
    monkeypatch.setattr(DuckDBWarehouse, "execute", record_execute)
    run_seq = world.run("r1", NORTH, SOUTH)
    apply_gate(world.warehouse, "r1", run_seq, judge(world.warehouse, "r1", [NORTH, SOUTH]))
    release(world.warehouse, "r1", run_seq, *NORTH, "known", "steward@x.example")
    distinct = set(said)
    assert len(distinct) > 40
    for sql in distinct:
        assert sqlglot.parse_one(sql, read="snowflake") is not None


def test_no_value_leaves_through_verdicts(world: GateWorld, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    """With a marker in every text column that may hold a patient's value, no verdict, hold, log line or output shows it."""
    columns = ("name_family", "name_given", "gender", "birth_date", "telecom_phone", "address_line", "identifier_value", "subject_key",
               "fact_key", "record_locator", "name_mark", "marital_status_code", "race_text")
    world.say("patient", "north", rows=3, **dict.fromkeys(columns, CANARY))
    world.say("observation", "north", rows=3, code_code=CANARY, value_string=CANARY, status=CANARY, code_system=CANARY, issued=CANARY)
    result = pass_gate(world, "r1", NORTH, SOUTH)
    assert result.newly_held == (NORTH,)
    written: list[Any] = [world.rows(f"select * from LAKE.control.{table}") for table in ("verdict", "held_partition")]
    assert CANARY not in repr(written) + repr(result) + caplog.text + "".join(capfd.readouterr())
