"""Only persons that changed cause work downstream: which slices a steward's decision reaches, from the decision to the published marts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from assets.root import Root
from assets.stores.identity_decisions import Decision
from orchestration.anew import forget_tables
from orchestration.generate import generate
from orchestration.settings import Settings
from orchestration.stewardship import decide
from tests.pipeline_runs import land_network, landed_partitions
from tests.steps import run_steps

MARTS = ("mart_daily_census", "mart_encounter_summary", "mart_facility_volume", "mart_lab_turnaround", "mart_readmission")
# A partition to which nothing was delivered: its run has nothing to do but what the decision changed.
NOTHING_CAME = [("lakeside", date(2026, 1, 31))]
# Two people: one was discharged, the other admitted elsewhere within 30 days.
STRANGERS = """
select discharged.subject_key as discharged, admitted.subject_key as admitted, readmission.index_encounter_key, admitted.fact_key
from LAKE.marts.mart_readmission readmission
join LAKE.canonical.encounter discharged on discharged.fact_key = readmission.index_encounter_key
join LAKE.canonical.encounter admitted on admitted.facility_id <> discharged.facility_id and admitted.class_code = 'IMP'
  and date_diff('day', discharged.service_end_date, admitted.service_date) between 1 and 29
join LAKE.identity.link l on l.patient_key = discharged.subject_key
join LAKE.identity.link r on r.patient_key = admitted.subject_key and r.person_id <> l.person_id
where not readmission.is_readmitted
order by 1, 2 limit 1
"""
Slice = tuple[str, str, date]


def rows_of(root: Root, sql: str) -> list[dict[str, Any]]:
    """Rows of a query."""
    with root.warehouse.open(read_only=True) as warehouse:
        return [dict(row) for row in warehouse.query(sql).to_pylist()]


def slices(root: Root) -> dict[Slice, list[str]]:
    """What each published slice says; slices without rows are left out."""
    said: dict[Slice, list[str]] = {}
    for mart in MARTS:
        for row in rows_of(root, f"select * from LAKE.marts.{mart} order by all"):
            said.setdefault((mart, row["facility_id"], row["service_date"]), []).append(repr(row))
    return said


def built(root: Root) -> dict[Slice, tuple[int, int]]:
    """The run that last built each slice, and the one whose rows are published."""
    return {(row["mart"], row["facility_id"], row["service_date"]): (row["built_seq"], row["published_seq"])
            for row in rows_of(root, "select * from LAKE.control.slice_state")}


def reached(root: Root, run_seq: int) -> set[Slice]:
    """The slices that hold a fact of a person whose records a run moved, worked out from links and facts, not by the touch models."""
    moved = (f"select old_subject_key as person_id from LAKE.control.change_log where run_seq = {run_seq} and object = 'link' union "
             f"select new_subject_key from LAKE.control.change_log where run_seq = {run_seq} and object = 'link'")
    concerned = (f"select link.patient_key from LAKE.identity.link link where link.person_id in ({moved}) union select log.fact_key "
                 f"from LAKE.control.change_log log where log.run_seq = {run_seq} and log.object = 'link'")
    keys = (f"select patient_key from LAKE.canonical.patient_survivor where survivor_key in ({concerned}) union {concerned}")
    found: set[Slice] = set()
    for mart, tables, day in (("mart_encounter_summary", ["encounter"], "service_date"), ("mart_facility_volume", ["encounter"], "service_date"),
                              ("mart_readmission", ["encounter"], "service_end_date"),
                              ("mart_lab_turnaround", ["observation", "diagnostic_report"], "service_date")):
        for table in tables:
            found |= {(mart, row["facility_id"], row["day"]) for row in rows_of(
                root, f"select distinct facility_id, {day} as day from LAKE.canonical.{table} where subject_key in ({keys}) and {day} is not null")}
    return found


@pytest.fixture(scope="module")
def lived(open_built_root: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> tuple[Root, Settings]:
    """Three facilities and two days, from received bytes to marts."""
    folder = tmp_path_factory.mktemp("persons")
    generate(folder / "network", seed=1, people=40, days=2, facilities=3)
    root, settings = open_built_root(folder / "root", facilities=folder / "network" / "facilities.yaml")
    land_network(root, folder / "network")
    run_steps(root, "first", landed_partitions(root))
    return root, settings


def test_a_decision_rewrites_the_slices_of_its_persons_and_no_other(lived: tuple[Root, Settings]) -> None:
    """Joining two people makes one's admission the other's readmission, parting them takes it back: slices without a fact of theirs keep
    rows and state, no fact is logged as changed, and marts that are built anew say the same."""
    root, settings = lived
    pair = rows_of(root, STRANGERS)[0]
    before = slices(root)
    seen, number = [before], 0
    for decision, run_id in (("link", "joined"), ("cannot_link", "parted")):
        states = built(root)
        left, right = sorted((pair["discharged"], pair["admitted"]))
        decided = decide(root, settings, Decision(left, right, decision, "ana", "seen on paper", number))
        assert decided is not None
        number = decided[0]
        run = run_steps(root, run_id, NOTHING_CAME, since="version")
        rewritten = {one for one, state in built(root).items() if state != states.get(one)}
        after = slices(root)
        changed = {one for one in {*seen[-1], *after} if seen[-1].get(one) != after.get(one)}
        decided_seq = run.run_seq - 1
        logged = {row["object"] for row in rows_of(root, f"select distinct object from LAKE.control.change_log where run_seq >= {decided_seq}")}
        # the setup of the first run logs its registry under the number of the second
        assert logged - {"reference"} == {"link"}
        assert changed <= rewritten <= reached(root, decided_seq)
        assert {mart for mart, _, _ in changed} >= {"mart_readmission", "mart_encounter_summary"}
        assert all(state == (run.run_seq, run.run_seq) for one, state in built(root).items() if one in rewritten)
        assert len(rewritten) < len(states) / 2
        seen.append(after)
        stay = rows_of(root, f"select * from LAKE.marts.mart_readmission where index_encounter_key = '{pair['index_encounter_key']}'")[0]
        assert stay["is_readmitted"] is (decision == "link")
        assert (stay["readmission_encounter_key"] == pair["fact_key"]) is (decision == "link")
    assert seen[2] == before
    forget_tables(root, settings, [f"marts.{mart}" for mart in MARTS])
    run_steps(root, "anew", NOTHING_CAME, since="version")
    assert slices(root) == before
