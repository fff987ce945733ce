"""Orders, reports, and what a visit message says beside the visit (HL7 v2.5.1 ch. 3, 4, 6 and 7)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from tests.sql.hl7_messages import OBR, PID, REGISTRY, adt, message, oru, pv1

DBT_PARTS = ("staging/hl7v2",)
MODELS = ("service_request", "diagnostic_report", "observation", "condition", "allergy_intolerance", "procedure", "coverage", "medication_request")
ORM_OBR = "OBR|1|P1||24323-8^Comprehensive metabolic panel^LN"
COMMENT = "OBX|1|ST|8251-1^Comment^LN||x||||||F"


def orm(orc: str, *segments: str, sent: str = "20240510071000-0400") -> bytes:
    """An order message of one group."""
    return message("ORM^O01^ORM_O01", PID, pv1(), orc, *segments, sent=sent)


MESSAGES: dict[str, bytes] = {
    "new": orm("ORC|NW|P1|||||||20240510070000|||88^BIRCH^ANN", ORM_OBR + "|" + "|" * 21 + "|^^^^^S"),
    "cancel request": orm("ORC|CA|P1|||||||20240510080000-0400", ORM_OBR),
    "cancelled": orm("ORC|CR|P1|F1||||||20240510081000-0400", ORM_OBR.replace("|P1||", "|P1|F1|")),
    "status changed": orm("ORC|SC|P1|||CM", ORM_OBR),
    "number of another placer": orm("ORC|NW|P1^ELSE", ORM_OBR),
    "number of a registered placer": orm("ORC|NW|P1^OE", ORM_OBR),
    "local panel": orm("ORC|NW|P2", ORM_OBR.replace("P1", "P2").replace("24323-8^Comprehensive metabolic panel^LN", "BMP^Basic^L")),
    "drug": orm("ORC|NW|P3|||||||20240510070000-0400", "RXO|197361^Amlodipine 5 MG^RXNORM||||||^once daily"),
    "drug encoded": orm("ORC|OD|P3|||||||20240511070000-0400", "RXO|197361^Amlodipine 5 MG^RXNORM",
                        "RXE|^^^20240510^20240610|308136^Amlodipine 10 MG^RXNORM"),
    "laboratory order": message("OML^O21", PID, "ORC|NW|P8", ORM_OBR.replace("P1", "P8")),
    "clinical order": message("OMG^O19", PID, "ORC|NW|P9", ORM_OBR.replace("P1", "P9")),
    "no such order time": orm("ORC|NW|P1|||||||20240231", ORM_OBR),
    "report": oru(COMMENT),
    "report without its own time": oru(COMMENT, obr="OBR|1|P1|F1|24323-8^CMP^LN" + "|" * 21 + "P", sent="20240510090500-0400"),
    "report cancelled": oru(COMMENT, obr=OBR.replace("|||F", "|||X")),
    "no such report time": oru(COMMENT, obr=OBR.replace("20240510090000", "20241310090000")),
    "diagnoses": adt("A08", PID, pv1(), "DG1|1||E11.9^Type 2 diabetes^I10||20240510|F", "DG1|2||E119^^I10C|||W",
                     "DG1|3||401.9^Hypertension^I9C|||A", "DG1|4|I10|Z00.0|||F", "DG1|5||XX^Odd^L",
                     "DG1|6||R05^^I10|||F" + "|" * 15 + "D"),
    "allergies": adt("A31", PID, "AL1|1|DA|7980^Penicillin^RXNORM|SV|rash|20240301", "AL1|2|FA|^^^PNT^Peanuts^L", "AL1|3|DA||MO"),
    "an allergy again": adt("A08", PID, pv1(), "AL1|1||7980^PENICILLIN V^RXNORM"),
    "procedure": adt("A03", PID, pv1(), "PR1|1||99213^Office visit^C4||20240510103000"),
    "insurance": adt("A01", PID, pv1(), "IN1|1|PPO^Choice|77|Acme Health" + "|" * 8 + "20240101" + "|" * 24 + "POL-1"),
    "person": adt("A31", PID, "PV1|1|N", "DG1|1||E11.9^Type 2 diabetes^I10"),
}


@pytest.fixture(scope="module")
def staged(shared_scratch) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Model -> message name -> rows in the order of their segments."""
    shared_scratch.register(REGISTRY)
    deliveries = {shared_scratch.deliver("north_general", "adt", "2026-01-05", text, name).delivery_id: name
                  for name, text in MESSAGES.items()}
    shared_scratch.build("staging.hl7v2")
    found: dict[str, dict[str, list[dict[str, Any]]]] = {model: {name: [] for name in MESSAGES} for model in MODELS}
    for model in MODELS:
        for row in shared_scratch.rows(f"select * from staging.stg_hl7v2__{model} order by length(record_locator), record_locator"):
            found[model][deliveries[row["delivery_id"]]].append(row)
    return found


def only(rows: list[dict[str, Any]], *columns: str) -> Any:
    """The one row's columns."""
    (row,) = rows
    return tuple(row[column] for column in columns) if len(columns) > 1 else row[columns[0]]


def test_an_order_is_known_by_its_placer_number(staged) -> None:
    """ORC-2 is the order's number; a namespace makes it another order, registered or not."""
    row = only(staged["service_request"]["new"], "identifier_value", "code_code", "code_system", "authored_on", "priority",
               "requester_display", "encounter_identifier_value", "is_fact", "service_date")
    assert row == ("P1", "24323-8", "http://loinc.org", "2024-05-10T11:00:00Z", "stat", "ANN BIRCH", "V1", True, date(2024, 5, 10))
    same = {only(staged["service_request"][name], "fact_key") for name in ("new", "cancel request", "cancelled", "status changed")}
    other = {only(staged["service_request"][name], "fact_key") for name in ("number of another placer", "number of a registered placer")}
    assert (len(same), len(other), same & other) == (1, 2, set())
    assert only(staged["service_request"]["number of a registered placer"], "identifier_system") == "https://ngh.example.org/id/order"


def test_an_order_is_revoked_when_cancellation_is_confirmed_not_when_it_is_asked_for(staged) -> None:
    """ORC-1 decides (table 0119: NW and CA active, CR revoked); where it only says 'changed', ORC-5 does."""
    status = {name: only(staged["service_request"][name], "status") for name in ("new", "cancel request", "cancelled", "status changed")}
    assert status == {"new": "active", "cancel request": "active", "cancelled": "revoked", "status changed": "completed"}
    assert only(staged["service_request"]["cancelled"], "authored_on") is None


def test_source_times_of_orders_and_reports(staged) -> None:
    """ORC-9 dates an order and OBR-22 a report; MSH-7 stands in where they are missing."""
    times = [only(staged["service_request"][name], "source_time") for name in ("cancel request", "number of another placer")]
    assert times == [datetime(2024, 5, 10, 12), datetime(2024, 5, 10, 11, 10)]
    times = [only(staged["diagnostic_report"][name], "source_time") for name in ("report", "report without its own time")]
    assert times == [datetime(2024, 5, 10, 13), datetime(2024, 5, 10, 13, 5)]


def test_a_report_answers_its_order(staged) -> None:
    """OBR-3 is the report's number, OBR-2 the order that it answers, OBR-25 its status (table 0123)."""
    assert only(staged["diagnostic_report"]["report"], "identifier_value", "based_on_identifier_value", "status", "issued",
                "effective_datetime", "is_fact") == ("F1", "P1", "final", "2024-05-10T13:00:00Z", "2024-05-10T12:00:00Z", True)
    statuses = [only(staged["diagnostic_report"][name], "status") for name in ("report without its own time", "report cancelled")]
    assert statuses == ["preliminary", "cancelled"]


def test_an_order_or_report_with_a_time_that_does_not_exist_is_refused(staged) -> None:
    """A wrong ORC-9 or OBR-22 refuses the order, the report and its observations."""
    refused = [staged["service_request"]["no such order time"], staged["diagnostic_report"]["no such report time"],
               staged["observation"]["no such report time"]]
    assert [only(rows, "reject_code") for rows in refused] == ["time.invalid"] * 3


def test_a_panel_without_a_standard_code_is_flagged(staged) -> None:
    """A local panel that the facility has not mapped keeps its local code."""
    assert only(staged["service_request"]["local panel"], "code_code", "code_local_code", "code_local_system", "code_text", "flags") == (
        None, "BMP", "L", "Basic", "code.unmapped_local")


def test_diagnoses_of_a_visit(staged) -> None:
    """DG1-3 by its coding system: ICD-10-CM gets its point, ICD-9-CM goes by the facility's map, DG1-2 may name the system."""
    columns = ("code_code", "code_local_code", "verification_status", "onset_datetime", "flags")
    assert [tuple(row[column] for column in columns) for row in staged["condition"]["diagnoses"]] == [
        ("E11.9", None, "confirmed", "2024-05-10", None),
        ("E11.9", None, "provisional", None, None),
        ("I10", "401.9", "provisional", None, None),
        ("Z00.0", None, "confirmed", None, None),
        (None, "XX", None, None, "code.unmapped_local"),
        ("R05", None, "entered-in-error", None, None),
    ]
    assert {row["is_fact"] for row in staged["condition"]["diagnoses"]} == {False}
    assert {row["encounter_identifier_value"] for row in staged["condition"]["diagnoses"]} == {"V1"}
    assert staged["condition"]["person"] == []


@pytest.mark.parametrize(("name", "number"), [("laboratory order", "P8"), ("clinical order", "P9")])
def test_an_order_of_another_structure_is_an_order(staged, name: str, number: str) -> None:
    """OML and OMG (HL7 v2.5 and later) say what ORM says."""
    assert only(staged["service_request"][name], "identifier_value", "code_code", "status") == (number, "24323-8", "active")


def test_allergies_of_a_patient(staged) -> None:
    """AL1 is a by-product of any ADT message, active since its date; one without a substance says nothing; sent again it is the same one."""
    columns = ("code_code", "code_local_code", "code_text", "clinical_status", "onset_datetime", "is_fact", "flags")
    assert [tuple(row[column] for column in columns) for row in staged["allergy_intolerance"]["allergies"]] == [
        ("7980", None, "Penicillin", "active", "2024-03-01", False, None),
        (None, "PNT", "Peanuts", "active", None, False, "code.unmapped_local"),
    ]
    again = staged["allergy_intolerance"]["an allergy again"]
    assert [row["fact_key"] for row in again] == [staged["allergy_intolerance"]["allergies"][0]["fact_key"]]


def test_procedures_and_insurances_of_a_visit(staged) -> None:
    """PR1 and IN1 are by-products of the visit message, in the facility's local time and by the plan's own number."""
    assert only(staged["procedure"]["procedure"], "code_code", "code_system", "performed_datetime", "status", "is_fact") == (
        "99213", "http://www.ama-assn.org/go/cpt", "2024-05-10T14:30:00Z", "completed", False)
    assert only(staged["coverage"]["insurance"], "subscriber_id", "payor_display", "period_start", "is_fact") == (
        "POL-1", "Acme Health", "2024-01-01", False)


def test_drugs_of_an_order(staged) -> None:
    """RXO is what was ordered, RXE what the pharmacy made of it: the same request, by the order's number."""
    ordered, encoded = staged["medication_request"]["drug"], staged["medication_request"]["drug encoded"]
    assert only(ordered, "medication_code_code", "status", "dosage_text", "authored_on") == (
        "197361", "active", "once daily", "2024-05-10T11:00:00Z")
    assert only(encoded, "medication_code_code", "status", "dosage_period_start", "dosage_period_end") == (
        "308136", "stopped", "2024-05-10", "2024-06-10")
    assert only(ordered, "fact_key") == only(encoded, "fact_key")
    assert len(staged["service_request"]["drug"]) == 1
