"""Decisions about holds: what a release covers, when it ends, and a hold by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from assets.stores.control import create_control
from assets.stores.duckdb_warehouse import DuckDBStore
from assets.stores.keys import Keys
from checks.gate import hold, release
from tests.integration.gate_runs import NORTH, everything_said, held, log, mend, pass_gate, spoil
from tests.integration.gate_world import DAY, GateWorld
from transforms.errors import ConfigurationError

CANARY = "ZZCANARYZZ"


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


def test_a_partition_is_held_before_anything_was_run(tmp_path: Path) -> None:
    """An order to hold is kept in a warehouse that has no table of units yet, and there is nothing to log."""
    store = DuckDBStore(tmp_path, Keys(bytes(32)))
    with store.open() as warehouse:
        create_control(warehouse)
        hold(warehouse, "before", 1, "lakeside", DAY, "codes look wrong", "d.steward")
        assert [held["facility_id"] for held in warehouse.query("select facility_id from LAKE.control.held_partition").to_pylist()] == ["lakeside"]
        assert warehouse.query("select 1 from LAKE.control.change_log").num_rows == 0
