"""A slice is judged before it replaces the published one: the marts' models as the product runs them, on a small warehouse."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from assets.stores.control import create_control
from assets.stores.duckdb_warehouse import DuckDBWarehouse
from checks.slices import publish_slices
from orchestration.rebuild import touches
from tests.sql.marts_world import MartsWorld, days, stay

JAN = [date(2026, 1, 1), *days(date(2026, 1, 1), 31)]  # JAN[5] is 5 January
CENSUS = "mart_daily_census"


@pytest.fixture
def world(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[MartsWorld]:
    """A warehouse with two patients in hospital from 3 to 5 January, built and published by run 1."""
    monkeypatch.setenv("LAKEHOUSE_SLICES_ARE_JUDGED", "yes")
    scratch = MartsWorld(tmp_path, tmp_path_factory.getbasetemp() / "marts_project", monkeypatch)
    create_control(DuckDBWarehouse(scratch.connection))
    for key in ("e1", "e2"):
        scratch.put("encounter", key, JAN[5], **stay(f"p{key}", JAN[3], JAN[5], location_point_of_care="4 West"))
    scratch.run(CENSUS)
    yield scratch
    scratch.close()


def _publish(world: MartsWorld) -> dict[date, bool]:
    """Judge and publish what the last run built; gives for each slice whether it was published."""
    seq = world.run_seq - 1
    verdicts = publish_slices(DuckDBWarehouse(world.connection), f"run-{seq}", seq)
    return {one.batch_date: not one.holds for one in verdicts if one.check_name == "schema"}


def _published(world: MartsWorld) -> list[tuple[Any, ...]]:
    return world.rows(CENSUS, "service_date", "inpatients")


def _state(world: MartsWorld) -> dict[date, tuple[int, int]]:
    rows = world.execute("select service_date, built_seq, published_seq from control.slice_state where mart = ?", CENSUS)
    return {day: (built, published) for day, built, published in rows}


def test_nothing_is_published_before_it_is_judged(world: MartsWorld) -> None:
    """After the models ran the mart is as it was; judged, its slices stand with the run that built and published them."""
    assert _published(world) == []
    assert _state(world) == {}
    assert _publish(world) == {JAN[3]: True, JAN[4]: True}
    assert _published(world) == [(JAN[3], 2), (JAN[4], 2)]
    assert _state(world) == {JAN[3]: (1, 1), JAN[4]: (1, 1)}
    assert world.execute("select table_name from information_schema.tables where table_name like 'candidate_mart%'") == []
    assert world.execute("select * from control.candidate_slice") == []


def test_a_failing_candidate_leaves_the_last_good_slice(world: MartsWorld) -> None:
    """A slice whose candidate breaks the mart's promise stays as it was, built and not published; its neighbour is replaced."""
    _publish(world)
    world.put("encounter", "e3", JAN[6], **stay("pe3", JAN[3], JAN[5], location_point_of_care="4 West"))
    world.run(CENSUS)
    # Stands for a model that went wrong: more open stays than patients.
    world.execute(f"update staging.candidate_{CENSUS} set open_stays = inpatients + 1 where service_date = ?", JAN[4])
    assert _publish(world) == {JAN[3]: True, JAN[4]: False}
    assert _published(world) == [(JAN[3], 3), (JAN[4], 2)]
    assert _state(world) == {JAN[3]: (2, 2), JAN[4]: (2, 1)}
    world.run(CENSUS)
    assert _publish(world) == {}
    assert _published(world) == [(JAN[3], 3), (JAN[4], 2)]


def test_a_stale_slice_is_built_again_when_asked_for(world: MartsWorld) -> None:
    """Slices put on the work list by hand are rebuilt whichever batch they came from, and one that passes now is published."""
    _publish(world)
    world.put("encounter", "e3", JAN[6], **stay("pe3", JAN[3], JAN[5], location_point_of_care="4 West"))
    world.run(CENSUS)
    world.execute(f"update staging.candidate_{CENSUS} set open_stays = inpatients + 1")
    assert _publish(world) == {JAN[3]: False, JAN[4]: False}
    DuckDBWarehouse(world.connection).load("control.touched_slice", touches("north", [JAN[4], JAN[9]], world.run_seq))
    world.run(CENSUS)
    assert _publish(world) == {JAN[4]: True, JAN[9]: True}
    assert _published(world) == [(JAN[3], 2), (JAN[4], 3)]
    assert _state(world) == {JAN[3]: (2, 1), JAN[4]: (3, 3), JAN[9]: (3, 3)}


def test_a_run_that_died_before_publishing_leaves_its_slices_pending(world: MartsWorld) -> None:
    """Candidates that nobody judged are built again by the next run, whatever it is about."""
    world.run(CENSUS)
    assert _publish(world) == {JAN[3]: True, JAN[4]: True}
    assert _state(world) == {JAN[3]: (2, 2), JAN[4]: (2, 2)}
