"""Which slices a change reaches, and that exactly these are replaced; the expected slices are worked out on paper."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.sql.marts_world import MARTS, MartsWorld, days, md5_key, stay

JAN = [date(2026, 1, 1), *days(date(2026, 1, 1), 31)]  # JAN[5] is 5 January
MAR = [date(2026, 3, 1), *days(date(2026, 3, 1), 31)]


def built(world: MartsWorld, mart: str) -> dict[tuple[str, date], int]:
    """Slices of a mart with the run that last built them."""
    found = world.execute("select facility_id, service_date, built_seq from control.slice_state where mart = ?", mart)
    return {(facility, day): run_seq for facility, day, run_seq in found}


def test_moved_encounter_leaves_no_ghost_row(world: MartsWorld) -> None:
    """An encounter whose date is corrected leaves its old slice, which is built again though no row of the batch names it."""
    world.put("encounter", "e1", MAR[1], **stay("p1", JAN[3], JAN[4]))
    world.run("mart_encounter_summary")
    world.put("encounter", "e1", MAR[2], **stay("p1", JAN[8], JAN[9]))
    world.run("mart_encounter_summary")
    assert world.touched("mart_encounter_summary") == {("north", JAN[3]), ("north", JAN[8])}
    assert world.rows("mart_encounter_summary", "service_date", "encounter_key") == [(JAN[8], "e1")]
    assert built(world, "mart_encounter_summary") == {("north", JAN[3]): 2, ("north", JAN[8]): 2}


def test_moved_stay_leaves_no_ghost_row(world: MartsWorld) -> None:
    """A stay that a correction shortens, moves and turns into an outpatient visit leaves every day it had before."""
    models = ("touch_mart_readmission", "touch_mart_daily_census", "mart_readmission", "mart_daily_census")
    world.put("encounter", "e1", MAR[1], **stay("p1", JAN[3], JAN[6]))
    world.run("", select=models)
    world.put("encounter", "e1", MAR[2], **stay("p1", JAN[4], JAN[5]))
    world.run("", select=models)
    assert world.rows("mart_readmission", "service_date") == [(JAN[5],)]
    assert world.rows("mart_daily_census", "service_date") == [(JAN[4],)]
    world.put("encounter", "e1", MAR[3], **stay("p1", JAN[4], JAN[5], class_code="AMB"))
    world.run("", select=models)
    assert world.rows("mart_readmission", "service_date") + world.rows("mart_daily_census", "service_date") == []


def test_emptied_batch_leaves_no_row(world: MartsWorld) -> None:
    """Records that a re-delivered batch no longer holds disappear from every mart they were counted in."""
    world.put("encounter", "e1", MAR[1], **stay("p1", JAN[3], JAN[5]))
    world.put("diagnostic_report", "d1", MAR[1], service_date=JAN[4], status="final")
    world.put("observation", "o1", MAR[1], service_date=JAN[4], status="final", encounter_key="e1")
    models = (*(f"touch_{mart}" for mart in MARTS), *MARTS)
    world.run("", ("north", MAR[1]), select=models)
    assert all(world.rows(mart, "service_date") for mart in MARTS)
    for resource, key in [("encounter", "e1"), ("diagnostic_report", "d1"), ("observation", "o1")]:
        world.vanish(resource, key, "north", MAR[1])
    world.run("", ("north", MAR[1]), select=models)
    assert {mart: world.rows(mart, "service_date") for mart in MARTS} == {mart: [] for mart in MARTS}


def test_readmission_at_another_facility_touches_the_index(world: MartsWorld) -> None:
    """A stay that arrives at one facility rebuilds the discharge slice of another, where the same human left 30 days before."""
    world.put("encounter", "index", MAR[1], **stay("p1", JAN[1], JAN[3]))
    world.put("encounter", "early", MAR[1], facility_id="west", **stay("p3", date(2025, 12, 20), date(2026, 1, 1)))
    world.link("p1", "human-1", "north", MAR[1])
    world.link("p2", "human-1", "south", MAR[1])
    world.link("p3", "human-1", "west", MAR[1])
    world.run("mart_readmission")
    world.put("encounter", "return", MAR[2], facility_id="south", **stay("p2", date(2026, 2, 2), date(2026, 2, 5)))
    world.run("mart_readmission", ("south", MAR[2]))
    assert world.touched("mart_readmission") == {("north", JAN[3]), ("south", date(2026, 2, 5))}  # 1 January is 32 days back
    columns = ("facility_id", "readmission_encounter_key")
    assert world.rows("mart_readmission", *columns) == [("north", "return"), ("south", None), ("west", "index")]
    world.put("encounter", "return", MAR[3], facility_id="south", **stay("p2", date(2026, 2, 20), date(2026, 2, 25)))
    world.run("mart_readmission", ("south", MAR[3]))
    assert ("north", JAN[3]) in world.touched("mart_readmission")
    assert world.rows("mart_readmission", *columns) == [("north", None), ("south", None), ("west", "index")]


def test_relinked_person_rebuilds_both_humans(world: MartsWorld) -> None:
    """A record that moves from one human to another changes the readmissions of both, and its own encounters' person."""
    world.put("encounter", "index a", MAR[1], **stay("p1", JAN[1], JAN[3]))
    world.put("encounter", "index b", MAR[1], facility_id="south", **stay("p2", JAN[1], JAN[4]))
    world.put("encounter", "return", MAR[1], facility_id="west", **stay("p3", JAN[10], JAN[12]))
    for patient, person, facility in [("p1", "human-1", "north"), ("p2", "human-2", "south"), ("p3", "human-1", "west")]:
        world.link(patient, person, facility, MAR[1])
    models = ("touch_mart_readmission", "mart_readmission", "touch_mart_encounter_summary", "mart_encounter_summary")
    world.run("", select=models)
    assert world.rows("mart_readmission", "index_encounter_key", "readmission_encounter_key") == [
        ("index a", "return"), ("index b", None), ("return", None)]
    world.link("p3", "human-2", "west", MAR[2])
    world.run("", select=models)
    assert world.touched("mart_readmission") == {("north", JAN[3]), ("south", JAN[4]), ("west", JAN[12])}
    assert world.touched("mart_encounter_summary") == {("west", JAN[10])}
    assert world.rows("mart_readmission", "index_encounter_key", "readmission_encounter_key", "person_id") == [
        ("index a", None, "human-1"), ("index b", "return", "human-2"), ("return", None, "human-2")]
    assert world.rows("mart_encounter_summary", "encounter_key", "person_id") == [
        ("index a", "human-1"), ("index b", "human-2"), ("return", "human-2")]
    world.link("p3", None, "west", MAR[3])
    world.run("", select=models)
    assert world.rows("mart_readmission", "index_encounter_key", "readmission_encounter_key") == [
        ("index a", None), ("index b", None), ("return", None)]


def test_new_batch_date_adds_days_of_open_stays(world: MartsWorld) -> None:
    """When a facility's newest batch date advances, its open stays count on the new days, though no record of theirs came."""
    world.put("encounter", "open", JAN[5], **stay("p1", JAN[4], None))
    world.put("encounter", "future end", JAN[5], **stay("p2", JAN[4], JAN[7]))
    world.put("encounter", "elsewhere", JAN[5], facility_id="south", **stay("p3", JAN[4], None))
    world.run("mart_daily_census")
    census = ("facility_id", "service_date", "inpatients")
    assert world.rows("mart_daily_census", *census) == [
        ("north", JAN[4], 2), ("north", JAN[5], 2), ("south", JAN[4], 1), ("south", JAN[5], 1)]
    world.delivered("north", JAN[8])
    world.run("mart_daily_census", ("north", JAN[8]))
    assert world.touched("mart_daily_census") == {("north", JAN[6]), ("north", JAN[7]), ("north", JAN[8])}
    assert world.rows("mart_daily_census", *census) == [
        ("north", JAN[4], 2), ("north", JAN[5], 2), ("north", JAN[6], 2), ("north", JAN[7], 1), ("north", JAN[8], 1),
        ("south", JAN[4], 1), ("south", JAN[5], 1)]
    world.delivered("north", JAN[6])  # a late batch adds no day
    world.run("mart_daily_census", ("north", JAN[6]))
    assert world.touched("mart_daily_census") == set()
    world.put("encounter", "open", JAN[6], **stay("p1", JAN[4], JAN[5]))
    world.run("mart_daily_census", ("north", JAN[6]))
    assert world.rows("mart_daily_census", *census) == [
        ("north", JAN[4], 2), ("north", JAN[5], 1), ("north", JAN[6], 1), ("south", JAN[4], 1), ("south", JAN[5], 1)]


def test_booked_stay_counts_once_its_day_comes(world: MartsWorld) -> None:
    """A stay that is to begin after the newest batch date touches no day yet; it counts when the date has advanced to it."""
    world.put("encounter", "booked", JAN[5], **stay("p1", JAN[8], None))
    world.run("mart_daily_census")
    assert world.touched("mart_daily_census") == set()
    world.delivered("north", JAN[9])
    world.run("mart_daily_census")
    assert world.rows("mart_daily_census", "service_date") == [(JAN[8],), (JAN[9],)]


@pytest.mark.parametrize("restates", [False, True], ids=["a newer record", "the record restated"])
def test_part_that_moves_between_encounters_recounts_both(world: MartsWorld, restates: bool) -> None:
    """An observation that a record takes from one encounter to another is counted anew in both, wherever the old key is still written."""
    world.put("encounter", "e1", MAR[1], **stay("p1", JAN[3], JAN[4]))
    world.put("encounter", "e2", MAR[1], **stay("p1", JAN[6], JAN[7]))
    world.put("observation", "o1", MAR[1], encounter_key="e1", service_date=JAN[3], status="final")
    world.run("mart_encounter_summary")
    world.put("observation", "o1", MAR[2], restates=restates, encounter_key="e2", service_date=JAN[3], status="final")
    world.run("mart_encounter_summary")
    assert world.touched("mart_encounter_summary") == {("north", JAN[3]), ("north", JAN[6])}
    assert world.rows("mart_encounter_summary", "encounter_key", "observation_count") == [("e1", 0), ("e2", 1)]


def test_late_condition_and_order_reach_their_encounter(world: MartsWorld) -> None:
    """A condition or order that arrives later, with a date of its own, rebuilds the slice of its encounter."""
    world.put("encounter", "e1", MAR[1], **stay("p1", JAN[3], JAN[9]))
    world.run("mart_encounter_summary")
    world.put("condition", "c1", MAR[2], encounter_key="e1", service_date=JAN[8], code_code="I10")
    world.put("service_request", "s1", MAR[2], encounter_key="e1", service_date=JAN[8], status="active")
    world.run("mart_encounter_summary", ("north", MAR[2]))
    assert world.touched("mart_encounter_summary") == {("north", JAN[3])}
    assert world.rows("mart_encounter_summary", "condition_count", "order_count", "primary_condition_code") == [(1, 1, "I10")]


def test_order_reaches_results_of_other_days(world: MartsWorld) -> None:
    """An order that arrives after its result, or that changes its number, rebuilds the slices of the results that name it or named it."""
    for key, number, day in [("d1", "P1", JAN[3]), ("d2", "P2", JAN[4])]:
        world.put("diagnostic_report", key, MAR[1], based_on_identifier_value=number, service_date=day, status="final")
    world.put("diagnostic_report", "d3", MAR[1], facility_id="south", based_on_identifier_value="P1", service_date=JAN[3], status="final")
    world.run("mart_lab_turnaround")
    world.put("service_request", "s1", MAR[2], identifier_value="P1", service_date=JAN[1], status="active")
    world.run("mart_lab_turnaround")
    assert world.touched("mart_lab_turnaround") == {("north", JAN[3])}
    assert world.rows("mart_lab_turnaround", "result_key", "order_key") == [("d1", "s1"), ("d2", None), ("d3", None)]
    world.put("service_request", "s1", MAR[3], restates=True, identifier_value="P2", service_date=JAN[1], status="active")
    world.run("mart_lab_turnaround")
    assert world.rows("mart_lab_turnaround", "result_key", "order_key") == [("d1", None), ("d2", "s1"), ("d3", None)]


def test_class_of_an_encounter_reaches_its_results_and_orders(world: MartsWorld) -> None:
    """When an encounter's class changes, results and orders of other days move to the new class."""
    world.put("encounter", "e1", MAR[1], **stay("p1", JAN[3], JAN[9], class_code="EMER"))
    world.put("observation", "o1", MAR[1], encounter_key="e1", service_date=JAN[5], status="final")
    world.put("service_request", "s1", MAR[1], encounter_key="e1", service_date=JAN[6], status="active")
    world.put("diagnostic_report", "d1", MAR[1], encounter_key="e1", service_date=JAN[5], status="final")
    models = ("touch_mart_facility_volume", "mart_facility_volume", "touch_mart_lab_turnaround", "mart_lab_turnaround")
    world.run("", select=models)
    world.put("encounter", "e1", MAR[2], **stay("p1", JAN[3], JAN[9]))
    world.run("", select=models)
    assert world.touched("mart_facility_volume") == {("north", JAN[3]), ("north", JAN[5]), ("north", JAN[6])}
    assert world.rows("mart_facility_volume", "service_date", "class_code", "encounters", "results", "orders") == [
        (JAN[3], "IMP", 1, 0, 0), (JAN[5], "IMP", 0, 1, 0), (JAN[6], "IMP", 0, 0, 1)]
    assert world.rows("mart_lab_turnaround", "class_code") == [("IMP",)]


def test_merge_and_unmerge_reach_facts_under_every_record_of_the_chain(world: MartsWorld) -> None:
    """A merge shows the facts of all records that it joins under the survivor; taking it back gives them their own record again."""
    for key, day in [("first", JAN[3]), ("second", JAN[4]), ("third", JAN[5])]:
        world.put("encounter", f"of {key}", MAR[1], **stay(key, day, day))
    world.put("patient_link", "l1", MAR[1], subject_key="first", other_key="second", type="replaced-by")
    world.run("mart_encounter_summary")
    columns = ("encounter_key", "patient_key")
    assert world.rows("mart_encounter_summary", *columns) == [("of first", "second"), ("of second", "second"), ("of third", "third")]
    world.put("patient_link", "l2", MAR[2], subject_key="second", other_key="third", type="replaced-by")
    world.run("mart_encounter_summary")
    assert world.rows("mart_encounter_summary", *columns) == [("of first", "third"), ("of second", "third"), ("of third", "third")]
    world.vanish("patient_link", "l2", "north", MAR[2])
    world.run("mart_encounter_summary")
    assert world.rows("mart_encounter_summary", *columns) == [("of first", "second"), ("of second", "second"), ("of third", "third")]


def test_facts_meet_their_encounter_by_number(world: MartsWorld) -> None:
    """Facts whose key is no encounter's belong to the one encounter of their facility that bears their visit number."""
    models = ("touch_mart_encounter_summary", "mart_encounter_summary", "touch_mart_facility_volume", "mart_facility_volume",
              "touch_mart_lab_turnaround", "mart_lab_turnaround")
    named: dict[str, Any] = {"encounter_key": "v-key", "encounter_identifier_value": "V1", "service_date": JAN[4], "status": "final"}
    world.put("observation", "o1", MAR[1], **named)
    world.put("observation", "o2", MAR[1], facility_id="south", **{**named, "encounter_key": "south v-key"})
    world.put("diagnostic_report", "d1", MAR[1], **named)
    world.run("", select=models)
    assert world.rows("mart_facility_volume", "facility_id", "class_code", "results") == [("north", "unknown", 1), ("south", "unknown", 1)]
    world.put("encounter", "by id", MAR[2], **stay("p1", JAN[3], JAN[4], identifier_value="V1"))
    world.run("", select=models)
    assert world.rows("mart_encounter_summary", "encounter_key", "observation_count") == [("by id", 1)]
    assert world.rows("mart_lab_turnaround", "result_key", "encounter_key", "class_code") == [("d1", "by id", "IMP")]
    assert ("north", JAN[4], "IMP", 1) in world.rows("mart_facility_volume", "facility_id", "service_date", "class_code", "results")
    world.put("encounter", "twin", MAR[3], **stay("p2", JAN[8], JAN[9], identifier_value="V1"))
    world.run("", select=models)  # two bear the number: neither is meant
    assert world.rows("mart_encounter_summary", "encounter_key", "observation_count") == [("by id", 0), ("twin", 0)]
    assert world.rows("mart_lab_turnaround", "result_key", "encounter_key", "class_code") == [("d1", None, None)]
    world.put("encounter", "v-key", MAR[4], **stay("p1", JAN[3], JAN[4], identifier_value="V1"))
    world.run("", select=models)  # the key is an encounter's own: it decides
    assert world.rows("mart_encounter_summary", "encounter_key", "observation_count") == [("by id", 0), ("twin", 0), ("v-key", 1)]
    world.vanish("encounter", "v-key", "north", MAR[4])
    world.put("encounter", "twin", MAR[5], **stay("p2", JAN[8], JAN[9], identifier_value="V2"))
    world.run("", select=models)
    assert world.rows("mart_encounter_summary", "encounter_key", "observation_count") == [("by id", 1), ("twin", 0)]
    assert world.rows("mart_lab_turnaround", "result_key", "encounter_key", "class_code") == [("d1", "by id", "IMP")]


def test_number_that_leads_to_a_record_brings_its_facts_along(world: MartsWorld) -> None:
    """When a record known by a logical id appears, facts under the key of its business identifier come to its human, and leave with it."""
    number = md5_key("north", "patient", "urn:mrn", "17")
    world.put("encounter", "e1", MAR[1], **stay(number, JAN[3], JAN[4]))
    world.put("encounter", "e2", MAR[1], **stay("fhir-1", JAN[9], JAN[10]))
    models = ("touch_mart_encounter_summary", "mart_encounter_summary", "touch_mart_readmission", "mart_readmission")
    world.run("", ("north", MAR[1]), select=models)
    assert world.rows("mart_readmission", "index_encounter_key", "readmission_encounter_key") == [("e1", None), ("e2", None)]
    world.put("patient", "fhir-1", MAR[2], id="1")
    world.put("patient_identifier", "i1", MAR[2], subject_key="fhir-1", system="urn:mrn", value="17")
    world.link("fhir-1", "human-1", "north", MAR[2])
    world.run("", ("north", MAR[2]), select=models)
    assert world.rows("mart_encounter_summary", "encounter_key", "patient_key", "person_id") == [
        ("e1", "fhir-1", "human-1"), ("e2", "fhir-1", "human-1")]
    assert world.rows("mart_readmission", "index_encounter_key", "readmission_encounter_key") == [("e1", "e2"), ("e2", None)]
    assert world.execute("select fact_key, facility_id, batch_date, old_subject_key, new_subject_key from control.change_log "
                         "where object = 'patient_survivor'") == [(number, "north", MAR[2], None, "fhir-1")]
    world.vanish("patient_identifier", "i1", "north", MAR[2])
    world.run("", ("north", MAR[2]), select=models)
    assert world.rows("mart_encounter_summary", "encounter_key", "patient_key", "person_id") == [
        ("e1", number, None), ("e2", "fhir-1", "human-1")]
    assert world.rows("mart_readmission", "index_encounter_key", "readmission_encounter_key") == [("e1", None), ("e2", None)]


def test_first_link_takes_a_merged_record_from_its_survivor(world: MartsWorld) -> None:
    """A merged record without a link counts as its survivor; its first link, to another human, rebuilds the survivor's discharges."""
    world.put("encounter", "index", MAR[1], **stay("survivor", JAN[1], JAN[3]))
    world.put("encounter", "return", MAR[1], **stay("former", JAN[9], JAN[12]))
    world.put("patient_link", "l1", MAR[1], subject_key="former", other_key="survivor", type="replaced-by")
    world.run("mart_readmission")
    assert world.rows("mart_readmission", "index_encounter_key", "readmission_encounter_key") == [("index", "return"), ("return", None)]
    world.link("former", "human-1", "north", MAR[2])
    world.run("mart_readmission")
    assert world.touched("mart_readmission") == {("north", JAN[3]), ("north", JAN[12])}
    assert world.rows("mart_readmission", "index_encounter_key", "readmission_encounter_key") == [("index", None), ("return", None)]


def test_slice_stays_pending_until_it_is_built(world: MartsWorld) -> None:
    """A run that ends between touches and mart leaves the slices to the next run of whatever partition, and builds them once."""
    world.put("encounter", "e1", MAR[1], **stay("p1", JAN[3], JAN[4]))
    world.run("mart_encounter_summary")
    world.put("encounter", "e2", MAR[2], **stay("p2", JAN[3], JAN[4]))
    world.put("encounter", "e3", MAR[2], **stay("p3", JAN[5], JAN[6]))
    world.run("", ("north", MAR[2]), select=("touch_mart_encounter_summary",))
    world.run("mart_encounter_summary", ("south", MAR[9]))
    assert world.rows("mart_encounter_summary", "encounter_key") == [("e1",), ("e2",), ("e3",)]
    assert built(world, "mart_encounter_summary") == {("north", JAN[3]): 3, ("north", JAN[5]): 3}
    world.run("mart_encounter_summary", ("south", MAR[9]))
    assert built(world, "mart_encounter_summary") == {("north", JAN[3]): 3, ("north", JAN[5]): 3}


def test_asking_again_rebuilds_what_a_partition_ever_touched(world: MartsWorld) -> None:
    """A partition that is run again rebuilds its slices, also those that it touched once and no longer holds; others stay as they are."""
    world.put("encounter", "e1", MAR[1], **stay("p1", JAN[3], JAN[4]))
    world.put("encounter", "e2", MAR[2], **stay("p2", JAN[7], JAN[8]))
    world.run("mart_encounter_summary")
    world.put("encounter", "e1", MAR[1], **stay("p1", JAN[5], JAN[6]))
    world.run("mart_encounter_summary")
    world.run("mart_encounter_summary", ("north", MAR[1]))
    assert world.touched("mart_encounter_summary") == set()
    assert built(world, "mart_encounter_summary") == {("north", JAN[3]): 3, ("north", JAN[5]): 3, ("north", JAN[7]): 1}
    world.run("mart_encounter_summary", full_refresh=True)
    assert set(built(world, "mart_encounter_summary").values()) == {4}
    assert world.rows("mart_encounter_summary", "encounter_key") == [("e1",), ("e2",)]


def test_touches_name_the_partition_that_caused_them(world: MartsWorld) -> None:
    """Each touch names facility and batch date of the change, also where it reaches another facility, and moves the watermark with it."""
    world.put("encounter", "index", MAR[1], **stay("p1", JAN[1], JAN[3]))
    world.link("p1", "human-1", "north", MAR[1])
    world.link("p2", "human-1", "south", MAR[1])
    world.run("mart_readmission")
    world.put("encounter", "return", MAR[2], facility_id="south", **stay("p2", JAN[9], None))
    world.run("mart_readmission")
    columns = "facility_id, service_date, by_facility_id, by_batch_date, run_seq"
    assert world.execute(f"select {columns} from control.touched_slice order by all") == [
        ("north", JAN[3], "north", MAR[1], 1), ("north", JAN[3], "south", MAR[1], 1), ("north", JAN[3], "south", MAR[2], 2)]
    assert world.execute("select consumer, run_seq from control.consumer where consumer like 'touch_%'") == [("touch_mart_readmission", 2)]


def test_fact_without_a_date_reaches_no_slice(world: MartsWorld) -> None:
    """A fact that loses its date leaves its old slice and enters none."""
    world.put("encounter", "e1", MAR[1], **stay("p1", JAN[3], None))
    world.run("mart_encounter_summary")
    undated: dict[str, Any] = {**stay("p1", JAN[3], None), "service_date": None, "period_start": None}
    world.put("encounter", "e1", MAR[2], **undated)
    world.run("mart_encounter_summary")
    assert world.touched("mart_encounter_summary") == {("north", JAN[3])}
    assert world.rows("mart_encounter_summary", "encounter_key") == []
