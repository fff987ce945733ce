"""What is judged after the gate: current tables, the ledger and mart slices. Nothing of it holds a partition; a slice may be kept back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from assets.stores.control import create_tables
from checks.gate import judge_current, write_verdicts
from checks.ledger import judge_ledger
from checks.slices import publish_slices
from checks.verdict import Verdict
from tests.integration.gate_world import DAY, GateWorld, contract

NORTH, SOUTH = ("north", DAY), ("south", DAY)
MONDAY, TUESDAY = date(2026, 1, 5), date(2026, 1, 6)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GateWorld]:
    """An empty warehouse with a run over two partitions."""
    opened = GateWorld(tmp_path / "LAKE.duckdb")
    opened.run("r1", NORTH, SOUTH)
    yield opened
    opened.connection.close()


def summary(verdicts: list[Verdict]) -> set[tuple[str, str, str, date, int, int, bool]]:
    """Verdicts as rows that compare."""
    return {(one.asset, one.check_name, *one.partition, one.failed_rows, one.total_rows, one.holds) for one in verdicts}


def test_one_fact_twice_in_a_current_table_is_caught(world: GateWorld) -> None:
    """A current table with two rows of one fact fails at the facility that has them; it holds nothing."""
    header, content = contract("encounter")
    columns = {**dict(header), **{name: kind for name, kind in content if not name.endswith("_mark")}, "current_hash": "varchar"}
    create_tables(world.warehouse, "canonical", {"encounter": columns})
    for facility in ("north", "south"):
        world.say("encounter", facility, rows=2, status="in-progress")
    named = ", ".join(f'"{name}"' for name in columns if name != "current_hash")
    world.rows(f"insert into LAKE.canonical.encounter ({named}, current_hash) "
               f"select {named}, row_hash from LAKE.canonical.encounter_version")
    world.rows("update LAKE.canonical.encounter set fact_key = md5('one') where facility_id = 'north'")
    assert summary(judge_current(world.warehouse, "r1", [NORTH, SOUTH])) == {
        ("canonical.encounter", "schema", "north", DAY, 2, 2, False), ("canonical.encounter", "plausibility", "north", DAY, 0, 2, False),
        ("canonical.encounter", "schema", "south", DAY, 0, 2, False), ("canonical.encounter", "plausibility", "south", DAY, 0, 2, False),
    }


def test_a_unit_without_an_outcome_unbalances_its_partition(world: GateWorld) -> None:
    """Received 3 and accounted 2 fails with one unit; missing and surplus units of two feeds do not cancel out."""
    assert judge_ledger(world.warehouse, "r1", [NORTH, SOUTH]) == []
    counts = dict.fromkeys(("received", "canonical", "duplicate", "superseded", "quarantined", "ignored_by_rule"), "bigint")
    create_tables(world.warehouse, "canonical", {"reconciliation": {
        "facility_id": "varchar", "batch_date": "date", "source": "varchar", **counts}})
    for row in (("north", "adt", 3, 2, 0, 0, 0, 0), ("north", "bulk", 4, 3, 1, 0, 1, 0), ("south", "bulk", 5, 1, 1, 1, 1, 1)):
        world.rows(f"insert into LAKE.canonical.reconciliation values ({', '.join('?' * 9)})", row[0], DAY, *row[1:])
    verdicts = judge_ledger(world.warehouse, "r1", [NORTH, SOUTH, ("east", DAY)])
    assert summary(verdicts) == {
        ("canonical.ledger", "ledger", "north", DAY, 2, 7, False), ("canonical.ledger", "ledger", "south", DAY, 0, 5, False),
        ("canonical.ledger", "ledger", "east", DAY, 0, 0, False),
    }


def test_slices_that_a_run_built_are_judged(world: GateWorld) -> None:
    """Only the run's candidate slices are judged, each by its service date; one that came out empty passes, one that fails is blocked."""
    columns = {"facility_id": "varchar", "service_date": "date", "class_code": "varchar", "location_point_of_care": "varchar",
               "inpatients": "bigint", "open_stays": "bigint"}
    create_tables(world.warehouse, "marts", {"mart_daily_census": columns})
    create_tables(world.warehouse, "staging", {"candidate_mart_daily_census": columns})
    for facility, day, seq in (("north", MONDAY, 1), ("north", TUESDAY, 1), ("south", MONDAY, 1), ("south", TUESDAY, 0)):
        world.rows("insert into LAKE.control.candidate_slice values ('mart_daily_census', ?, ?, ?)", facility, day, seq)
    rows = (("north", MONDAY, "IMP", "4 West", 2, 3), ("north", MONDAY, "IMP", "5 West", 2, 1), ("south", TUESDAY, "AMB", "4 West", 1, 1))
    for row in rows:
        world.rows("insert into LAKE.staging.candidate_mart_daily_census values (?, ?, ?, ?, ?, ?)", *row)
    verdicts = publish_slices(world.warehouse, "r1", 1)
    assert summary(verdicts) == {
        ("marts.mart_daily_census", "schema", "north", MONDAY, 1, 2, True),
        ("marts.mart_daily_census", "schema", "north", TUESDAY, 0, 0, False),
        ("marts.mart_daily_census", "schema", "south", MONDAY, 0, 0, False),
    }
    assert [one.description for one in verdicts if not one.has_passed] == ["1 of 2: open_stays is more than inpatients (1)."]


def test_written_verdicts_replace_their_own_kind_only(world: GateWorld) -> None:
    """Writing replaces the verdict of the same asset, check and partition and leaves every other, other facilities' among them."""
    def one(facility: str, check: str, failed: int) -> Verdict:
        return Verdict("canonical.patient", check, facility, DAY, False, not failed, failed, 9, "words")

    write_verdicts(world.warehouse, "r1", [one("north", "schema", 1), one("north", "drift", 1), one("south", "schema", 1)])
    write_verdicts(world.warehouse, "r2", [one("north", "schema", 0)])
    assert set(world.rows("select facility_id, check_name, failed_rows, has_passed, run_id from LAKE.control.verdict")) == {
        ("north", "schema", 0, True, "r2"), ("north", "drift", 1, False, "r1"), ("south", "schema", 1, False, "r1"),
    }
