"""What each mart answers, on current tables written by hand; the expected numbers are worked out on paper."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from tests.sql.marts_world import MartsWorld, days, stay

BATCH = date(2026, 3, 1)
JAN = [date(2026, 1, 1), *days(date(2026, 1, 1), 31)]  # JAN[5] is 5 January


def test_summary_counts_what_belongs_to_an_encounter(world: MartsWorld) -> None:
    """An encounter's row counts its valid observations, conditions and orders, and measures the stay to hundredths of an hour."""
    world.put("encounter", "e1", BATCH, **stay("p1", JAN[3], JAN[5], period_start="2026-01-03T22:15:00Z", period_end="2026-01-05T09:40:18Z",
                                               location_point_of_care="4W", discharge_disposition_code="01"))
    for key, status in {"o1": "final", "o2": "preliminary", "o3": "cancelled", "o4": "entered-in-error"}.items():
        world.put("observation", key, BATCH, encounter_key="e1", service_date=JAN[4], status=status)
    world.put("observation", "o5", BATCH, encounter_key="other", service_date=JAN[3], status="final")
    world.put("service_request", "s1", BATCH, encounter_key="e1", service_date=JAN[3], status="active")
    world.put("service_request", "s2", BATCH, encounter_key="e1", service_date=JAN[3], status="revoked")
    for key, recorded, code, verified in [("c1", "2026-01-05", "I10", None), ("c2", "2026-01-04", "E11.9", "confirmed"),
                                          ("c3", "2026-01-03", "J18.9", "refuted")]:
        world.put("condition", key, BATCH, encounter_key="e1", recorded_date=recorded, code_code=code, verification_status=verified,
                  code_system="http://hl7.org/fhir/sid/icd-10-cm")
    world.link("p1", "human-1", "north", BATCH)
    world.run("mart_encounter_summary")
    assert world.rows("mart_encounter_summary", "facility_id", "service_date", "encounter_key", "person_id", "patient_key", "started_at",
                      "length_of_stay_hours", "is_inpatient_stay", "is_open", "observation_count", "condition_count", "order_count",
                      "primary_condition_code") == [
        # 22:15:00 on the 3rd to 09:40:18 on the 5th: 35 h 25 min 18 s = 35.42166 h
        ("north", JAN[3], "e1", "human-1", "p1", datetime(2026, 1, 3, 22, 15), Decimal("35.42"), True, False, 2, 2, 1, "E11.9")]


def test_summary_leaves_out_what_never_took_place(world: MartsWorld) -> None:
    """Deleted, cancelled and wrongly entered encounters have no row; a date without a time of day measures no length."""
    world.put("encounter", "deleted", BATCH, **stay("p1", JAN[3], JAN[4]), is_deleted=True)
    world.put("encounter", "cancelled", BATCH, **stay("p1", JAN[3], JAN[4], status="cancelled"))
    world.put("encounter", "wrong", BATCH, **stay("p1", JAN[3], JAN[4], status="entered-in-error"))
    world.put("encounter", "dates", BATCH, **stay("p1", JAN[3], JAN[4], period_start="2026-01-03", period_end="2026-01-04"))
    world.put("encounter", "backwards", BATCH, **stay("p1", JAN[3], JAN[2]))
    world.put("encounter", "tie", BATCH, **stay("p1", JAN[3], JAN[3], period_end="2026-01-03T12:00:18Z"))
    world.run("mart_encounter_summary")
    assert world.rows("mart_encounter_summary", "encounter_key", "length_of_stay_hours") == [
        ("backwards", None), ("dates", None), ("tie", Decimal("0.01"))]  # 18 s = 0.005 h, half goes up


def test_turnaround_measures_reports_and_lone_results(world: MartsWorld) -> None:
    """A final report, and a final result that answers an order without a report, have their minutes from order to result."""
    world.put("service_request", "s1", BATCH, identifier_value="P1", authored_on="2026-01-03T08:00:00Z", priority="stat", status="active",
              service_date=JAN[3])
    world.put("encounter", "e1", BATCH, **stay("p1", JAN[3], JAN[5]))
    answer: dict[str, Any] = {"based_on_identifier_value": "P1", "effective_datetime": "2026-01-03T08:20:30Z",
              "issued": "2026-01-03T09:00:00Z", "service_date": JAN[3], "encounter_key": "e1"}
    world.put("diagnostic_report", "final", BATCH, **answer, status="final")
    world.put("diagnostic_report", "draft", BATCH, **answer, status="preliminary")
    world.put("diagnostic_report", "unordered", BATCH, **{**answer, "based_on_identifier_value": "P9"}, status="corrected")
    world.put("diagnostic_report", "dateless", BATCH, **{**answer, "effective_datetime": "2026-01-03"}, status="final")
    world.put("diagnostic_report", "reversed", BATCH, **{**answer, "issued": "2026-01-03T08:10:30Z"}, status="amended")
    world.put("observation", "lone", BATCH, **answer, status="final")
    world.put("observation", "reported", BATCH, **answer, status="final", report_identifier_value="R1")
    world.put("observation", "vital", BATCH, **{**answer, "based_on_identifier_value": None}, status="final")
    world.run("mart_lab_turnaround")
    order = ("s1", "stat", "IMP")
    assert world.rows("mart_lab_turnaround", "result_key", "result_kind", "order_key", "priority", "class_code",
                      "order_to_collection_minutes", "collection_to_result_minutes", "order_to_result_minutes", "has_reversed_times") == [
        ("dateless", "diagnostic_report", *order, None, None, Decimal("60.00"), False),
        ("final", "diagnostic_report", *order, Decimal("20.50"), Decimal("39.50"), Decimal("60.00"), False),
        ("lone", "observation", *order, Decimal("20.50"), Decimal("39.50"), Decimal("60.00"), False),
        ("reversed", "diagnostic_report", *order, Decimal("20.50"), Decimal("-10.00"), Decimal("10.50"), True),
        ("unordered", "diagnostic_report", None, None, "IMP", None, Decimal("39.50"), None, False),
    ]


def test_turnaround_takes_the_newest_of_equal_order_numbers(world: MartsWorld) -> None:
    """Where a facility sent one order number twice, the order that is newest by source time and still stands is the one meant."""
    for key, day, status in [("old", 1, "active"), ("new", 2, "active"), ("wrong", 3, "entered-in-error")]:
        world.put("service_request", key, BATCH, identifier_value="P1", source_time=datetime(2026, 1, day), status=status)
    world.put("service_request", "elsewhere", BATCH, facility_id="south", identifier_value="P1", source_time=datetime(2026, 1, 9),
              status="active")
    world.put("diagnostic_report", "d1", BATCH, based_on_identifier_value="P1", service_date=JAN[3], status="final")
    world.run("mart_lab_turnaround")
    assert world.rows("mart_lab_turnaround", "result_key", "order_key") == [("d1", "new")]


def test_readmission_follows_the_human_across_facilities(world: MartsWorld) -> None:
    """A discharge counts as readmitted where the human's first later stay, at any facility, begins within 30 days of it."""
    world.put("encounter", "index", BATCH, **stay("p1", JAN[1], JAN[3]))
    world.put("encounter", "return", BATCH, facility_id="south", **stay("p2", JAN[20], JAN[22]))
    world.put("encounter", "second", BATCH, **stay("p1", JAN[25], None))
    world.put("encounter", "stranger", BATCH, **stay("p3", JAN[4], JAN[6]))
    for patient, person, facility in [("p1", "human-1", "north"), ("p2", "human-1", "south"), ("p3", "human-2", "north")]:
        world.link(patient, person, facility, BATCH)
    world.run("mart_readmission")
    assert world.rows("mart_readmission", "facility_id", "service_date", "index_encounter_key", "person_id", "is_readmitted",
                      "days_to_readmission", "readmission_facility_id", "readmission_encounter_key", "readmission_date") == [
        ("north", JAN[3], "index", "human-1", True, 17, "south", "return", JAN[20]),
        ("north", JAN[6], "stranger", "human-2", False, None, None, None, None),
        ("south", JAN[22], "return", "human-1", True, 3, "north", "second", JAN[25]),
    ]


def test_what_counts_as_a_readmission(world: MartsWorld) -> None:
    """After a discharge on 3 January at noon UTC, these later encounters are readmissions after so many days, or none."""
    cases: dict[str, tuple[dict[str, Any], int | None]] = {
        "day 30": (stay("", date(2026, 2, 2), None), 30),
        "day 31": (stay("", date(2026, 2, 3), None), None),
        "same instant": (stay("", JAN[3], None, period_start="2026-01-03T12:00:00Z"), 0),
        "before the discharge": (stay("", JAN[3], None, period_start="2026-01-03T11:59:59Z"), None),
        "date alone, same day": (stay("", JAN[3], None, period_start="2026-01-03"), 0),
        "west of midnight": (stay("", JAN[2], None, period_start="2026-01-03T12:30:00Z"), 0),
        "planned": (stay("", JAN[9], None, status="planned"), None),
        "cancelled": (stay("", JAN[9], None, status="cancelled"), None),
        "deleted": (stay("", JAN[9], None, is_deleted=True), None),
        "outpatient": (stay("", JAN[9], JAN[9], class_code="AMB"), None),
        "acute": (stay("", JAN[9], JAN[10], class_code="ACUTE"), 6),
    }
    for name, (later, _) in cases.items():
        world.put("encounter", name, BATCH, **stay(name, JAN[1], JAN[3]))
        world.put("encounter", f"after {name}", BATCH, facility_id="south", **{**later, "subject_key": name})
    world.run("mart_readmission")
    found = world.execute("select index_encounter_key, days_to_readmission from marts.mart_readmission where facility_id = 'north'")
    assert dict(found) == {name: days_after for name, (_, days_after) in cases.items()}


def test_which_discharges_are_measured(world: MartsWorld) -> None:
    """Died, transferred, planned to return, still there, planned or outpatient: no index; unknown dispositions are ordinary discharges."""
    for code in ("20", "exp", "41", "02", "2", "66", "OTHER-HCF", "82", "30"):
        world.put("encounter", f"not {code}", BATCH, **stay("p1", JAN[1], JAN[3], discharge_disposition_code=code))
    for code in ("01", "03", "home", "07", "LOCAL"):
        world.put("encounter", f"is {code}", BATCH, **stay("p1", JAN[1], JAN[3], discharge_disposition_code=code))
    world.put("encounter", "open", BATCH, **stay("p1", JAN[1], None))
    world.put("encounter", "planned", BATCH, **stay("p1", JAN[1], JAN[3], status="planned"))
    world.put("encounter", "emergency", BATCH, **stay("p1", JAN[1], JAN[3], class_code="EMER"))
    world.run("mart_readmission")
    assert world.rows("mart_readmission", "index_encounter_key") == [("is 01",), ("is 03",), ("is 07",), ("is LOCAL",), ("is home",)]


def test_readmission_of_merged_records_without_a_link(world: MartsWorld) -> None:
    """Before identity has seen them, two records that a merge joined are one human, and a record alone is its own."""
    world.put("encounter", "index", BATCH, **stay("former", JAN[1], JAN[3]))
    world.put("encounter", "later", BATCH, **stay("survivor", JAN[9], JAN[10]))
    world.put("patient_link", "l1", BATCH, subject_key="former", other_key="survivor", type="replaced-by")
    world.run("mart_readmission")
    assert world.rows("mart_readmission", "index_encounter_key", "patient_key", "person_id", "readmission_encounter_key") == [
        ("index", "survivor", None, "later"), ("later", "survivor", None, None)]


def test_census_counts_who_is_there_at_the_end_of_each_local_day(world: MartsWorld) -> None:
    """From the admission day to the day before discharge; open stays up to the facility's newest batch date, and no further."""
    world.put("encounter", "closed", JAN[5], **stay("p1", JAN[2], JAN[4], location_point_of_care="4W"))
    world.put("encounter", "open", JAN[5], **stay("p2", JAN[3], None, location_point_of_care="4W"))
    world.put("encounter", "day", JAN[5], **stay("p3", JAN[3], JAN[3]))
    world.put("encounter", "unknown end", JAN[5], **stay("p4", JAN[3], None, status="finished"))
    world.put("encounter", "cancelled", JAN[5], **stay("p5", JAN[3], JAN[5], status="cancelled"))
    world.put("encounter", "outpatient", JAN[5], **stay("p6", JAN[3], None, class_code="AMB"))
    world.put("encounter", "future end", JAN[5], **stay("p7", JAN[5], JAN[9]))
    world.put("encounter", "elsewhere", JAN[4], facility_id="south", **stay("p8", JAN[3], None))
    world.run("mart_daily_census")
    columns = ("facility_id", "service_date", "class_code", "location_point_of_care", "inpatients", "open_stays")
    assert world.rows("mart_daily_census", *columns) == [
        ("north", JAN[2], "IMP", "4W", 1, 0), ("north", JAN[3], "IMP", "4W", 2, 1), ("north", JAN[4], "IMP", "4W", 1, 1),
        ("north", JAN[5], "IMP", "4W", 1, 1), ("north", JAN[5], "IMP", "unknown", 1, 0),
        ("south", JAN[3], "IMP", "unknown", 1, 1), ("south", JAN[4], "IMP", "unknown", 1, 1),
    ]


def test_volume_counts_encounters_humans_results_and_orders(world: MartsWorld) -> None:
    """Encounters and humans by class; results and orders of the day under the class of their encounter, unknown where there is none."""
    for key, patient, kind in [("e1", "p1", "AMB"), ("e2", "p2", "AMB"), ("e3", "p3", "AMB"), ("e4", "p1", "EMER")]:
        world.put("encounter", key, BATCH, **stay(patient, JAN[3], JAN[3], class_code=kind))
    world.put("encounter", "planned", BATCH, **stay("p4", JAN[3], None, status="planned", class_code="AMB"))
    world.link("p1", "human-1", "north", BATCH)
    world.link("p2", "human-1", "north", BATCH)
    for key, encounter, status in [("o1", "e1", "final"), ("o2", "e1", "corrected"), ("o3", "e4", "preliminary"), ("o4", None, "final")]:
        world.put("observation", key, BATCH, encounter_key=encounter, status=status, service_date=JAN[3])
    for key, encounter, status in [("s1", "e4", "active"), ("s2", "e4", "revoked")]:
        world.put("service_request", key, BATCH, encounter_key=encounter, status=status, service_date=JAN[3])
    world.run("mart_facility_volume")
    columns = ("facility_id", "service_date", "class_code", "encounters", "persons", "results", "orders")
    assert world.rows("mart_facility_volume", *columns) == [
        ("north", JAN[3], "AMB", 3, 2, 2, 0), ("north", JAN[3], "EMER", 1, 1, 0, 1), ("north", JAN[3], "unknown", 0, 0, 1, 0)]
