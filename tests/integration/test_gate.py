"""The gate on a small warehouse: what holds a partition, what frees it, what consumers are told, and what no text shows."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlglot

from assets.stores.control import create_control
from assets.stores.duckdb_warehouse import DuckDBStore, DuckDBWarehouse
from assets.stores.keys import Keys
from checks import reading
from checks.gate import GateResult, apply_gate, hold, judge, release
from checks.reading import run_scope
from checks.resources import VERSION_TABLES
from checks.table_verdicts import judge_table
from checks.verdict import Verdict
from tests.integration.gate_world import DAY, RESOURCES, GateWorld
from transforms.errors import ConfigurationError

NORTH, SOUTH = ("north", DAY), ("south", DAY)
CANARY = "ZZCANARYZZ"


@pytest.fixture(scope="module")
def warehouse_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two facilities, each with a patient, one delivery and rows of some resources, all in order."""
    path = tmp_path_factory.mktemp("gate") / "LAKE.duckdb"
    made = GateWorld(path)
    for facility in ("north", "south"):
        made.admit(facility)
        made.deliver(facility, units=3)
        for resource in ("patient", "encounter", "observation"):
            made.say(resource, facility, rows=2)
    made.connection.close()
    return path


@pytest.fixture
def world(warehouse_file: Path, tmp_path: Path) -> Iterator[GateWorld]:
    """A copy of that warehouse."""
    path = Path(shutil.copy(warehouse_file, tmp_path))
    opened = GateWorld(path)
    yield opened
    opened.connection.close()


def pass_gate(world: GateWorld, name: str, *partitions: tuple[str, date]) -> GateResult:
    """Begin a run, judge its partitions and apply the gate."""
    run_seq = world.run(name, *partitions)
    return apply_gate(world.warehouse, name, run_seq, judge(world.warehouse, name, partitions))


def failing(verdicts: list[Verdict]) -> dict[tuple[str, str, str], tuple[int, bool]]:
    """(asset, check, facility) -> failing rows and whether the partition is held, for verdicts that failed."""
    return {(one.asset, one.check_name, one.facility_id): (one.failed_rows, one.holds) for one in verdicts if not one.has_passed}


def held(world: GateWorld) -> set[tuple[str, date]]:
    """Partitions that readers leave out, by the condition that the models use."""
    return set(world.rows("select distinct facility_id, batch_date from LAKE.control.held_partition where is_released = false"))


def log(world: GateWorld, run_seq: int) -> set[tuple[str, str, str]]:
    """Object, key and facility of a run's entries in the change log."""
    return set(world.rows("select object, fact_key, facility_id from LAKE.control.change_log where run_seq = ?", run_seq))


def everything_said(world: GateWorld, facility: str) -> set[tuple[str, str, str]]:
    """All version keys and unit contents of a facility, as the change log must name them."""
    said = set()
    for resource in RESOURCES:
        for (key,) in world.rows(f"select fact_key from LAKE.canonical.{resource}_version where facility_id = ?", facility):
            said.add((f"{resource}_version", key, facility))
    for (content,) in world.rows("select content_hash from LAKE.canonical.unit where facility_id = ?", facility):
        said.add(("unit", content, facility))
    return said


def spoil(world: GateWorld, facility: str = "north") -> None:
    """Let one observation of a facility lose its key's form."""
    world.rows("update LAKE.canonical.observation_version set unit_id = 'broken' where rowid = "
               "(select min(rowid) from LAKE.canonical.observation_version where facility_id = ?)", facility)


def mend(world: GateWorld) -> None:
    """Give every broken key its form back."""
    world.rows("update LAKE.canonical.observation_version set unit_id = md5('mended') where unit_id = 'broken'")


def test_rows_in_order_pass_every_check(world: GateWorld) -> None:
    """With nothing wrong every verdict passes, nothing is held and no consumer is told anything."""
    run_seq = world.run("r1", NORTH, SOUTH)
    verdicts = judge(world.warehouse, "r1", [NORTH, SOUTH])
    assert failing(verdicts) == {}
    assert {one.check_name for one in verdicts} == {"schema", "plausibility", "referential", "reconciliation"} | {"null_rate"}
    assert apply_gate(world.warehouse, "r1", run_seq, verdicts) == GateResult({}, (), ())
    assert log(world, run_seq) == set()


def test_a_failing_blocking_check_holds_its_partition_alone(world: GateWorld) -> None:
    """One broken key holds its facility's partition, its neighbour stays published, and all that it said is put into the change log."""
    spoil(world)
    result = pass_gate(world, "r1", NORTH, SOUTH)
    assert result.held == {NORTH: (("canonical.observation_version", "schema"),)}
    assert result.newly_held == (NORTH,)
    assert held(world) == {NORTH}
    assert log(world, 1) == everything_said(world, "north")


def test_a_partition_that_passes_again_is_published(world: GateWorld) -> None:
    """Once the rows are mended the hold is gone and every consumer is told to look again, in the run that found it."""
    spoil(world)
    pass_gate(world, "r1", NORTH, SOUTH)
    mend(world)
    result = pass_gate(world, "r2", NORTH)
    assert (result.held, result.newly_published) == ({}, (NORTH,))
    assert world.rows("select count(*) from LAKE.control.held_partition") == [(0,)]
    assert log(world, 2) == everything_said(world, "north")


def test_a_run_of_other_partitions_leaves_a_hold_alone(world: GateWorld) -> None:
    """Judging one partition neither frees nor hides the hold of another."""
    spoil(world)
    pass_gate(world, "r1", NORTH, SOUTH)
    result = pass_gate(world, "r2", SOUTH)
    assert (result.newly_published, held(world), log(world, 2)) == ((), {NORTH}, set())


def test_judging_again_changes_nothing(world: GateWorld) -> None:
    """The same rows judged twice leave the same verdicts and holds, and tell consumers nothing the second time."""
    spoil(world)
    pass_gate(world, "r1", NORTH, SOUTH)
    tables = ("select * exclude (run_id) from LAKE.control.verdict order by all", "select * from LAKE.control.held_partition order by all")
    before = [world.rows(sql) for sql in tables]
    pass_gate(world, "r2", NORTH, SOUTH)
    assert [world.rows(sql) for sql in tables] == before
    assert log(world, 2) == set()


def test_a_failed_write_leaves_no_half_gate(world: GateWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where writing the holds fails, neither verdicts nor change-log entries of the attempt stay."""
    spoil(world)
    load = DuckDBWarehouse.load

    def broken(self: DuckDBWarehouse, table: str, rows: pa.Table) -> None:
        if table == "control.held_partition":
            raise OSError("disk full")
        load(self, table, rows)

    monkeypatch.setattr(DuckDBWarehouse, "load", broken)
    with pytest.raises(OSError, match="disk full"):
        pass_gate(world, "r1", NORTH)
    assert world.rows("select count(*) from LAKE.control.verdict") == [(0,)]
    assert world.rows("select count(*) from LAKE.control.change_log") == [(0,)]


def test_a_release_stands_while_the_same_rows_fail(world: GateWorld) -> None:
    """A steward's release publishes the partition, tells consumers, and survives a judgement that finds the same."""
    spoil(world)
    pass_gate(world, "r1", NORTH)
    decision = release(world.warehouse, "r2", world.run("r2", NORTH), *NORTH, "checked by telephone", "steward@x.example")
    assert (decision.kind, decision.causes) == ("hold.release", (("canonical.observation_version", "schema"),))
    assert held(world) == set()
    assert log(world, 2) == everything_said(world, "north")
    result = pass_gate(world, "r3", NORTH)
    assert (result.held, held(world), log(world, 3)) == ({}, set(), set())


def test_a_release_does_not_cover_more_failing_rows(world: GateWorld) -> None:
    """A released partition whose failing rows grow is held again."""
    spoil(world)
    pass_gate(world, "r1", NORTH)
    release(world.warehouse, "r2", world.run("r2", NORTH), *NORTH, "one row, known", "steward@x.example")
    spoil(world)
    world.say("observation", "north", unit_id="broken")
    assert pass_gate(world, "r3", NORTH).newly_held == (NORTH,)


def test_a_release_does_not_cover_another_check(world: GateWorld) -> None:
    """A released partition in which another check fails is held for that one."""
    spoil(world)
    pass_gate(world, "r1", NORTH)
    release(world.warehouse, "r2", world.run("r2", NORTH), *NORTH, "known", "steward@x.example")
    world.deliver("north", units=1, received=2)
    assert pass_gate(world, "r3", NORTH).held == {NORTH: (("raw.raw_unit", "reconciliation"),)}


def test_a_release_ends_with_its_cause(world: GateWorld) -> None:
    """A check that passes takes its release along: failing again later, it holds again."""
    spoil(world)
    pass_gate(world, "r1", NORTH)
    release(world.warehouse, "r2", world.run("r2", NORTH), *NORTH, "known", "steward@x.example")
    mend(world)
    pass_gate(world, "r3", NORTH)
    spoil(world)
    assert pass_gate(world, "r4", NORTH).newly_held == (NORTH,)


def test_only_what_is_held_can_be_released(world: GateWorld) -> None:
    """Releasing a partition that is not held is refused, naming its coordinates."""
    world.run("r1", NORTH)
    with pytest.raises(ConfigurationError, match=r"north, 2026-01-05: this partition is not held"):
        release(world.warehouse, "r1", 1, *NORTH, "why not", "steward@x.example")


def test_a_hold_by_hand_outlives_passing_checks(world: GateWorld) -> None:
    """A person's hold takes effect at once, stays while all checks pass, and ends by release alone."""
    decision = hold(world.warehouse, "r1", world.run("r1", NORTH), *NORTH, "sender asked", "steward@x.example")
    assert (decision.kind, held(world), log(world, 1)) == ("hold.put", {NORTH}, everything_said(world, "north"))
    assert pass_gate(world, "r2", NORTH).newly_published == ()
    assert held(world) == {NORTH}
    release(world.warehouse, "r3", world.run("r3", NORTH), *NORTH, "sender is done", "steward@x.example")
    assert held(world) == set()
    assert log(world, 3) == everything_said(world, "north")
    hold(world.warehouse, "r4", world.run("r4", NORTH), *NORTH, "again", "steward@x.example")
    assert held(world) == {NORTH}


def test_what_a_person_wrote_is_in_no_table(world: GateWorld) -> None:
    """The reason of a decision stays out of the warehouse and of the decision's own rendering: it goes into the erasable detail only."""
    decision = hold(world.warehouse, "r1", world.run("r1", NORTH), *NORTH, CANARY, "steward@x.example")
    assert decision.reason == CANARY
    assert CANARY not in repr(decision)
    assert CANARY not in repr(world.rows("select * from LAKE.control.held_partition"))


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


def test_a_partition_is_held_before_anything_was_run(tmp_path: Path) -> None:
    """An order to hold is kept in a warehouse that has no table of units yet, and there is nothing to log."""
    store = DuckDBStore(tmp_path, Keys(bytes(32)))
    with store.open() as warehouse:
        create_control(warehouse)
        hold(warehouse, "before", 1, "lakeside", DAY, "codes look wrong", "d.steward")
        assert [held["facility_id"] for held in warehouse.query("select facility_id from LAKE.control.held_partition").to_pylist()] == ["lakeside"]
        assert warehouse.query("select 1 from LAKE.control.change_log").num_rows == 0


def test_a_lost_column_holds_every_partition_of_the_table(world: GateWorld) -> None:
    """A version table without a promised column fails whole, naming the column."""
    world.rows("alter table LAKE.canonical.encounter_version drop column location_bed")
    world.run("r1", NORTH, SOUTH)
    verdicts = [one for one in judge(world.warehouse, "r1", [NORTH, SOUTH]) if not one.has_passed]
    assert [(one.facility_id, one.failed_rows, one.holds) for one in verdicts] == [("north", 2, True), ("south", 2, True)]
    assert verdicts[0].description == "2 of 2: location_bed is missing."


def test_a_few_wrong_values_are_shown_and_do_not_hold(world: GateWorld) -> None:
    """One wrong code among 101 rows fails without blocking; two are more than one in a hundred and hold."""
    world.say("service_request", "north", rows=100)
    world.say("service_request", "north", priority="soon")
    world.run("r1", NORTH)
    key = ("canonical.service_request_version", "schema", "north")
    assert failing(judge(world.warehouse, "r1", [NORTH])) == {key: (1, False)}
    world.say("service_request", "north", priority="soon")
    assert failing(judge(world.warehouse, "r1", [NORTH])) == {key: (2, True)}


def test_empty_names_hold_a_large_partition(world: GateWorld) -> None:
    """More than half of enough patients without a family name hold the partition; records that do not speak of names do not count."""
    world.say("patient", "north", rows=60)
    world.say("patient", "north", rows=200, name_family=None, name_given=None, name_mark=None)
    world.run("r1", NORTH)
    assert failing(judge(world.warehouse, "r1", [NORTH])) == {}
    world.say("patient", "north", rows=70, name_family=None, name_given=None, name_mark="N")
    verdicts = judge(world.warehouse, "r1", [NORTH])
    assert failing(verdicts) == {("canonical.patient_version", "null_rate", "north"): (70, True)}
    assert [one.description for one in verdicts if not one.has_passed] == ["70 of 333: name_family empty in 70 of 133, limit 50%."]


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
