"""The gate on a small warehouse: what holds a partition, what frees it and what consumers are told."""

from __future__ import annotations

import pyarrow as pa
import pytest

from assets.stores.duckdb_warehouse import DuckDBWarehouse
from checks.gate import GateResult, apply_gate, judge
from tests.integration.gate_runs import NORTH, SOUTH, everything_said, failing, held, log, mend, pass_gate, spoil
from tests.integration.gate_world import GateWorld


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


def test_a_lost_column_holds_every_partition_of_the_table(world: GateWorld) -> None:
    """A version table without a promised column fails whole, naming the column."""
    world.rows("alter table LAKE.canonical.encounter_version drop column location_bed")
    world.run("r1", NORTH, SOUTH)
    verdicts = [one for one in judge(world.warehouse, "r1", [NORTH, SOUTH]) if not one.has_passed]
    assert [(one.facility_id, one.failed_rows, one.holds) for one in verdicts] == [("north", 2, True), ("south", 2, True)]
    assert verdicts[0].description == "2 of 2: location_bed is missing."


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
