"""A held partition stops itself only; a touched slice is never lost and never keeps a ghost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from assets.stores.catalog_reading import read_catalog
from checks.gate import release
from orchestration.generate import generate
from tests.pipeline_runs import land_network, run
from tests.steps import run_steps
from transforms.synthetic.registry_text import registry_text

DAY, NEXT = date(2026, 1, 5), date(2026, 1, 6)
RECEIVED = datetime(2026, 1, 20, 6, tzinfo=UTC)


def _rows(root: Any, sql: str, *parameters: Any) -> list[dict[str, Any]]:
    with root.warehouse.open(read_only=True) as warehouse:
        return list(warehouse.query(sql, parameters).to_pylist())


def _land(root: Any, facility: str, source: str, day: date, text: str, name: str) -> None:
    root.landing.land(text.encode(), facility_id=facility, source=source, batch_date=day, original_name=name, received_time=RECEIVED)


def _message(event: str, time: str, number: str, visit: str, admit: str, discharge: str = "", patient_class: str = "I", mrn_text: str = "ALDERTON^MARIBEL") -> str:
    pv1 = ["PV1", "1", patient_class, "4E^401^A"] + [""] * 15 + [f"{visit}^^^LSD^VN"] + [""] * 24 + [admit, discharge]
    return "\r".join([
        f"MSH|^~\\&|ADT|LSD|LAKE|HUB|{time}||ADT^{event}|{visit}{event}{time}|P|2.5.1",
        f"EVN|{event}|{time}",
        f"PID|1||{number}^^^LSD^MR||{mrn_text}||19800214|F|||1 Elm St^^Axton^NJ^10024||5551234567",
        "|".join(pv1),
    ]) + "\r"


@pytest.fixture
def hospital(tmp_path: Path, open_built_root: Callable[..., Any]) -> Any:
    """An empty root with the five demo facilities; messages go to lakeside."""
    registry = tmp_path / "facilities.yaml"
    registry.write_text(registry_text(5))
    return open_built_root(tmp_path / "root", registry)


def _authority(root: Any) -> str:
    return str(root.registry.entry("lakeside", DAY).default_authority)


def test_a_moved_encounter_leaves_no_ghost(hospital: Any) -> None:
    """A correction that moves a visit from one day to another takes it out of the old slice."""
    root, settings = hospital
    authority = _authority(root)
    first = _message("A04", "20260105090000", "77001", "V77001", "20260103090000", patient_class="O").replace("LSD", authority)
    _land(root, "lakeside", "adt_oru", DAY, first, "a.hl7")
    run(root, settings, [("lakeside", DAY)])
    assert [str(row["service_date"]) for row in _rows(root, "select service_date from LAKE.marts.mart_encounter_summary")] == ["2026-01-03"]
    moved = _message("A08", "20260106090000", "77001", "V77001", "20260104090000", patient_class="O").replace("LSD", authority)
    _land(root, "lakeside", "adt_oru", NEXT, moved, "b.hl7")
    run(root, settings, [("lakeside", NEXT)])
    assert [str(row["service_date"]) for row in _rows(root, "select service_date from LAKE.marts.mart_encounter_summary")] == ["2026-01-04"]
    # The catalog says how far the correction reached: the old and the new day in each mart of encounters.
    corrected = read_catalog(root.home, "select facts, slices, oldest_service_date from correction where resource = 'encounter'")
    touched = _rows(root, "select distinct mart, service_date from LAKE.control.touched_slice where by_batch_date = ?", NEXT)
    assert corrected == [{"facts": 1, "slices": len(touched), "oldest_service_date": "2026-01-03"}]
    assert {("mart_encounter_summary", date(2026, 1, 3)), ("mart_encounter_summary", date(2026, 1, 4))} <= {
        (row["mart"], row["service_date"]) for row in touched}
    written = "select batch_date, rows from materialization where asset = 'marts.mart_encounter_summary' order by batch_date"
    assert read_catalog(root.home, written) == [{"batch_date": "2026-01-05", "rows": 1}, {"batch_date": "2026-01-06", "rows": 1}]


def test_a_batch_that_becomes_empty_leaves_every_slice(hospital: Any) -> None:
    """When a partition's delivery is gone and it is run again, its rows leave every table and slice."""
    root, _ = hospital
    _land(root, "lakeside", "adt_oru", DAY,
          _message("A04", "20260105090000", "77001", "V77001", "20260103090000", patient_class="O").replace("LSD", _authority(root)), "a.hl7")
    run_steps(root, "first", [("lakeside", DAY)])
    for path in (root.home / "landing" / "delivery" / "lakeside" / DAY.isoformat()).iterdir():
        path.unlink()
    run_steps(root, "second", [("lakeside", DAY)])
    for table in ("canonical.encounter", "canonical.patient", "canonical.unit_outcome", "marts.mart_encounter_summary", "identity.link"):
        assert _rows(root, f"select * from LAKE.{table}") == [], table


def test_a_crash_between_current_and_mart_leaves_the_slice_pending(hospital: Any) -> None:
    """What a run did not finish, the next run of any partition does."""
    root, _ = hospital
    authority = _authority(root)
    _land(root, "lakeside", "adt_oru", DAY,
          _message("A04", "20260105090000", "77001", "V77001", "20260103090000", patient_class="O").replace("LSD", authority), "a.hl7")
    run_steps(root, "killed", [("lakeside", DAY)], until="current")
    assert _rows(root, "select * from LAKE.marts.mart_encounter_summary") == []
    run_steps(root, "first", [("harbor", DAY)])
    assert [str(row["service_date"]) for row in _rows(root, "select service_date from LAKE.marts.mart_encounter_summary")] == ["2026-01-03"]


@pytest.mark.parametrize("is_known", [False, True], ids=["new there", "known there"])
def test_a_readmission_elsewhere_rebuilds_the_index_facility(tmp_path: Path, open_built_root: Callable[..., Any], is_known: bool) -> None:
    """The stay of the same human at another facility turns the index facility's answer, whether or not that stay makes the person known."""
    registry = tmp_path / "facilities.yaml"
    registry.write_text(registry_text(7))
    root, _ = open_built_root(tmp_path / "root", registry)
    second = next(one for one in root.registry.facility_ids
                  if one != "lakeside" and "adt_oru" in root.registry.entry(one, DAY).sources)
    index = _message("A03", "20260105180000", "77001", "V77001", "20260102090000", "20260105170000")
    _land(root, "lakeside", "adt_oru", DAY, index.replace("LSD", _authority(root)), "a.hl7")
    authority = str(root.registry.entry(second, NEXT).default_authority)
    if is_known:
        visit = _message("A04", "20260105090000", "88001", "V88000", "20260105090000", patient_class="O").replace("LSD", authority)
        _land(root, second, "adt_oru", DAY, visit, "c.hl7")
    run_steps(root, "first", [("lakeside", DAY), (second, DAY)])
    assert [row["is_readmitted"] for row in _rows(root, "select is_readmitted from LAKE.marts.mart_readmission")] == [False]
    assert len(_rows(root, "select * from LAKE.identity.link")) == 1 + is_known
    again = _message("A01", "20260106120000", "88001", "V88001", "20260106110000").replace("LSD", authority)
    _land(root, second, "adt_oru", NEXT, again, "b.hl7")
    run_steps(root, "second", [(second, NEXT)])
    rows = _rows(root, "select facility_id, is_readmitted, readmission_facility_id from LAKE.marts.mart_readmission")
    assert rows == [{"facility_id": "lakeside", "is_readmitted": True, "readmission_facility_id": second}]


def _facilities(root: Any, sql: str, *parameters: Any) -> set[str]:
    return {str(row["facility_id"]) for row in _rows(root, sql, *parameters)}


def test_one_of_120_facilities_is_held_and_the_others_publish(tmp_path: Path, open_built_root: Callable[..., Any]) -> None:
    """A facility whose batch fails a blocking check is held with its last good slices in place; the other 119 publish."""
    out = tmp_path / "network"
    generate(out, seed=3, people=240, days=2, facilities=120, start=DAY, progress=None)
    root, _ = open_built_root(tmp_path / "root", out / "facilities.yaml")
    arrivals = land_network(root, out)
    broken = next(one.facility_id for one in arrivals if one.source.startswith("adt_oru"))
    first, second = sorted({one.batch_date for one in arrivals})[:2]
    run_steps(root, "first", [(facility, first) for facility in root.registry.facility_ids])
    before = _rows(root, "select * from LAKE.marts.mart_encounter_summary where facility_id = ? order by encounter_key", broken)
    assert before
    # The raw completeness check is blocking: a delivery that claims a unit more than was decoded stands for a decoder that lost one.
    everybody = [(facility, second) for facility in root.registry.facility_ids]
    run_steps(root, "second", everybody, until="raw")
    with root.warehouse.open() as warehouse:
        warehouse.execute("update LAKE.raw.raw_delivery set received_units = received_units + 1 where facility_id = ? and batch_date = ?",
                          [broken, second])
    run_steps(root, "second", everybody, since="version")
    held = _rows(root, "select distinct facility_id, batch_date from LAKE.control.held_partition where is_released = false")
    assert held == [{"facility_id": broken, "batch_date": second}]
    assert _rows(root, "select * from LAKE.marts.mart_encounter_summary where facility_id = ? order by encounter_key", broken) == before
    sent = _facilities(root, "select distinct facility_id from LAKE.raw.raw_unit where batch_date = ?", second)
    assert len(sent) > 100
    outcomes = "select distinct facility_id from LAKE.canonical.unit_outcome where batch_date = ? and coalesce(reason, '')"
    assert _facilities(root, f"{outcomes} = 'partition.held'", second) == {broken}
    assert _facilities(root, f"{outcomes} <> 'partition.held'", second) >= sent - {broken}
    assert broken not in _facilities(root, f"{outcomes} = '' and outcome <> 'ignored_by_rule'", second)
    released = root.begin("released", [(broken, second)])
    with root.warehouse.open() as warehouse:
        release(warehouse, "released", released.run_seq, broken, second, "counted by hand", "d.steward")
    run_steps(root, "released", [(broken, second)], since="current")
    assert _rows(root, "select * from LAKE.control.held_partition where is_released = false") == []
    assert broken in _facilities(root, f"{outcomes} = '' and outcome = 'canonical'", second)


def test_a_later_batch_moves_an_earlier_unit_and_no_sum(hospital: Any) -> None:
    """A superseding message moves the older unit between outcomes; its partition's sum stays, and the move is recorded."""
    root, _ = hospital
    authority = _authority(root)
    _land(root, "lakeside", "adt_oru", DAY,
          _message("A04", "20260105090000", "77001", "V77001", "20260103090000", patient_class="O").replace("LSD", authority), "a.hl7")
    run_steps(root, "first", [("lakeside", DAY)])
    ledger = "select canonical, superseded, units from LAKE.canonical.ledger where batch_date = ?"
    assert _rows(root, ledger, DAY) == [{"canonical": 1, "superseded": 0, "units": 1}]
    _land(root, "lakeside", "adt_oru", NEXT,
          _message("A08", "20260106090000", "77001", "V77001", "20260103100000", patient_class="O").replace("LSD", authority), "b.hl7")
    run_steps(root, "second", [("lakeside", NEXT)])
    assert _rows(root, ledger, DAY) == [{"canonical": 0, "superseded": 1, "units": 1}]
    moves = _rows(root, "select old_outcome, new_outcome from LAKE.control.outcome_move")
    assert moves == [{"old_outcome": "canonical", "new_outcome": "superseded"}]
