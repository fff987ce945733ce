"""What OBX says, as an observation: every value type, units, codes, times and keys (HL7 v2.5.1 ch. 2A and 7)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.sql.hl7_messages import OBR, PID, REGISTRY, message, oru

DBT_PARTS = ("staging/hl7v2",)

GLUCOSE = "2345-7^Glucose SerPl^LN"


def obx(kind: str, value: str, unit: str = "", test: str = GLUCOSE, status: str = "F", sub: str = "", at: str = "") -> str:
    """One OBX."""
    return f"OBX|1|{kind}|{test}|{sub}|{value}|{unit}|||||{status}|||{at}"


# name -> (OBX, what the one observation says, flags)
SAID: dict[str, tuple[str, dict[str, Any], str | None]] = {
    "number keeps its scale": (obx("NM", "95.50", "mg/dL"), {
        "value_quantity_value": Decimal("95.5"), "value_quantity_value_source": "95.50", "value_quantity_unit": "mg/dL",
        "value_quantity_comparator": None, "value_string": None, "code_code": "2345-7", "code_system": "http://loinc.org",
        "code_text": "Glucose SerPl", "code_local_code": None, "status": "final"}, None),
    "sign": (obx("NM", "+140"), {"value_quantity_value": Decimal(140), "value_quantity_unit": None}, None),
    "comparator": (obx("NM", ">200", "mg/dL"), {
        "value_quantity_value": Decimal(200), "value_quantity_comparator": ">"}, "hl7.nm_not_numeric"),
    "comparator with blank": (obx("NM", "< 0.10", "mg/dL"), {
        "value_quantity_value": Decimal("0.1"), "value_quantity_value_source": "0.10",
        "value_quantity_comparator": "<"}, "hl7.nm_not_numeric"),
    "word": (obx("NM", "HEMOLYZED", "mmol/L"), {
        "value_quantity_value": None, "value_string": "HEMOLYZED", "value_quantity_unit": None}, "hl7.nm_not_numeric"),
    "thousands mark": (obx("NM", "1,200", "umol/L"), {
        "value_quantity_value": None, "value_string": "1,200"}, "hl7.nm_not_numeric"),
    "exponent": (obx("NM", "1.3e1"), {"value_quantity_value": None, "value_string": "1.3e1"}, "hl7.nm_not_numeric"),
    "more digits than a decimal holds": (obx("NM", "12345678901234567890"), {
        "value_quantity_value": None, "value_string": "12345678901234567890"}, None),
    "ratio": (obx("SN", "^1^:^128"), {
        "value_ratio_numerator_value": Decimal(1), "value_ratio_denominator_value": Decimal(128),
        "value_quantity_value": None}, None),
    "range": (obx("SN", "^10^-^20", "/[HPF]"), {
        "value_range_low_value": Decimal(10), "value_range_high_value": Decimal(20), "value_quantity_unit": "/[HPF]"}, None),
    "structured comparator": (obx("SN", ">^100", "mm/h"), {
        "value_quantity_value": Decimal(100), "value_quantity_comparator": ">", "value_quantity_unit": "mm/h"}, None),
    "not equal": (obx("SN", "<>^5"), {
        "value_quantity_value": None, "value_quantity_comparator": None, "value_string": "<>5"}, None),
    "text": (obx("ST", "Amber"), {"value_string": "Amber", "value_quantity_value": None}, None),
    "lines": (obx("TX", "first line~second line~~fourth line"), {
        "value_string": "first line\nsecond line\n\nfourth line"}, None),
    "standard code": (obx("CE", "112144000^Blood group A^SCT"), {
        "value_codeable_concept_code": "112144000", "value_codeable_concept_system": "http://snomed.info/sct",
        "value_codeable_concept_text": "Blood group A"}, None),
    "alternate standard code": (obx("CWE", "POS^Positive^L^165747007^RhD positive^SCT"), {
        "value_codeable_concept_code": "165747007", "value_codeable_concept_system": "http://snomed.info/sct"}, None),
    "local answer": (obx("CWE", "POS^Positive^L"), {
        "value_codeable_concept_code": None, "value_codeable_concept_text": "Positive"}, "code.unmapped_local"),
    "date": (obx("TS", "20241105"), {"value_datetime": "2024-11-05"}, None),
    "attachment": (obx("ED", "^AP^PDF^Base64^JVBERi0xLjQ="), {"value_string": None, "value_quantity_value": None}, None),
    "deleted": (obx("NM", '""', "mmol/L", status="D"), {"status": "entered-in-error", "value_quantity_value": None}, None),
    "wrong patient": (obx("NM", "5", status="W"), {"status": "entered-in-error", "value_quantity_value": None}, None),
    "not obtainable": (obx("NM", "", status="X"), {"status": "cancelled", "data_absent_reason_code": "unknown"}, None),
    "corrected": (obx("NM", "95", status="C"), {"status": "corrected"}, None),
    "spelling of a unit": (obx("NM", "95", "mg/dl"), {
        "value_quantity_unit": "mg/dL", "value_quantity_unit_source": "mg/dl"}, None),
    "thousands, not kelvin": (obx("NM", "7.2", "K/uL"), {"value_quantity_unit": "10*3/uL"}, None),
    "pressure": (obx("NM", "120", "mmHg"), {"value_quantity_unit": "mm[Hg]"}, None),
    "temperature": (obx("NM", "98.6", "DEG F"), {"value_quantity_unit": "[degF]"}, None),
    "unit without a code": (obx("NM", "12", "Ehrl U"), {
        "value_quantity_value": Decimal(12), "value_quantity_unit": None, "value_quantity_unit_source": "Ehrl U"}, "unit.not_ucum"),
    "annotated unit": (obx("NM", "70", "{beats}/min^^UCUM"), {"value_quantity_unit": "{beats}/min"}, None),
    "unit declared beside the local one": (obx("NM", "70", "schlaege^^L^/min^^UCUM"), {"value_quantity_unit": "/min"}, None),
    "alternate standard test": (obx("NM", "95", test=f"GLU^Glucose^99NGH^{GLUCOSE}"), {
        "code_code": "2345-7", "code_local_code": "GLU", "code_local_system": "99NGH", "code_translations": "99NGH|GLU"}, None),
    "mapped test": (obx("NM", "4.1", test="K^Potassium^L"), {
        "code_code": "2823-3", "code_system": "http://loinc.org", "code_local_code": "K"}, None),
    "unmapped test": (obx("NM", "7", test="XFOO^In-house assay^99NGH"), {
        "code_code": None, "code_system": None, "code_local_code": "XFOO", "code_text": "In-house assay"}, "code.unmapped_local"),
    "code that looks like LOINC": (obx("NM", "1", test="2345-7^Looks like LOINC^99NGH"), {
        "code_code": None, "code_local_code": "2345-7"}, "code.unmapped_local"),
    "time of the order": (obx("NM", "1"), {
        "effective_datetime": "2024-05-10T12:00:00Z", "issued": "2024-05-10T13:00:00Z", "service_date": date(2024, 5, 10)}, None),
    "year": (obx("NM", "1", at="2024"), {"effective_datetime": "2024", "service_date": date(2024, 1, 1)}, None),
    "month": (obx("NM", "1", at="202405"), {"effective_datetime": "2024-05"}, None),
    "day": (obx("NM", "1", at="20240510"), {"effective_datetime": "2024-05-10", "service_date": date(2024, 5, 10)}, None),
    "hour": (obx("NM", "1", at="2024051013"), {"effective_datetime": "2024-05-10T17:00:00Z"}, None),
    "minute": (obx("NM", "1", at="202405101330"), {"effective_datetime": "2024-05-10T17:30:00Z"}, None),
    "fraction": (obx("NM", "1", at="20240510133045.1234"), {"effective_datetime": "2024-05-10T17:30:45.1234Z"}, None),
    "offset counts": (obx("NM", "1", at="202405102230-0700"), {
        "effective_datetime": "2024-05-11T05:30:00Z", "service_date": date(2024, 5, 11)}, None),
    "half-hour offset": (obx("NM", "1", at="20240510133045.5+0530"), {"effective_datetime": "2024-05-10T08:00:45.5Z"}, None),
    "gap": (obx("NM", "1", at="20240310023000"), {"effective_datetime": "2024-03-10T07:30:00Z"}, "time.nonexistent_local"),
    "overlap": (obx("NM", "1", at="20241103013000"), {"effective_datetime": "2024-11-03T05:30:00Z"}, "time.ambiguous_local"),
    "offset in the overlap": (obx("NM", "1", at="20241103013000-0500"), {"effective_datetime": "2024-11-03T06:30:00Z"}, None),
}
WRONG_TIMES = ("202402300800", "20241345", "2024-05-10", "00000000", "2024051024", "20240510T10", "202405101330+1500")


@pytest.fixture(scope="module")
def observations(shared_scratch) -> dict[str, list[dict[str, Any]]]:
    """Observations of every message, by the name that the message was delivered under, in OBX and repetition order."""
    shared_scratch.register(REGISTRY)
    messages = {name: oru(segment) for name, (segment, _, _) in SAID.items()}
    messages |= {f"wrong {at}": oru(obx("NM", "1", at=at)) for at in WRONG_TIMES}
    messages |= {
        "repetitions": oru(obx("NM", "60~72", "/min"), obx("CE", "112283007^E. coli^SCT~3092008^S. aureus^SCT", test="600-7^Bld Cult^LN")),
        "same test again": oru(obx("NM", "1"), obx("NM", "2"), obx("NM", "3", sub="2"), obx("NM", "4", test="K^Potassium^L")),
        "final": oru(obx("NM", "950")),
        "correction": oru(obx("NM", "95", status="C").replace("OBX|1", "OBX|7"),
                          obr=OBR.replace("20240510090000", "20240510120000"), sent="20240510120500-0400"),
        "other wording": oru(obx("NM", "95", test="2345-7^Glucose^LN")),
        "no filler number": oru(obx("NM", "1"), obr=OBR.replace("|F1|", "||")),
        "two groups": message("ORU^R01", PID, OBR, obx("NM", "1"), OBR.replace("|P1|F1|", "|P2|F2|"), obx("NM", "2")),
    }
    deliveries = {shared_scratch.deliver("north_general", "adt", "2026-01-05", text, name).delivery_id: name
                  for name, text in messages.items()}
    shared_scratch.build("staging.hl7v2")
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in messages}
    for row in shared_scratch.rows("select * from staging.stg_hl7v2__observation order by record_locator, value_quantity_value"):
        found[deliveries[row["delivery_id"]]].append(row)
    return found


@pytest.mark.parametrize("name", SAID)
def test_an_obx_says_what_its_type_and_text_mean(observations, name) -> None:
    """One OBX becomes one observation with the columns and flags that its value type, unit, code and time call for."""
    _, expected, flags = SAID[name]
    (row,) = observations[name]
    assert {column: row[column] for column in expected} == expected
    assert row["flags"] == flags
    assert row["reject_code"] is None


@pytest.mark.parametrize("at", WRONG_TIMES)
def test_a_time_that_does_not_exist_refuses_the_message(observations, at) -> None:
    """A month 13, a 30 February or a text that is no DTM is neither dropped nor rolled over."""
    (row,) = observations[f"wrong {at}"]
    assert (row["reject_code"], row["effective_datetime"]) == ("time.invalid", "2024-05-10T12:00:00Z")


def test_numeric_and_coded_repetitions_are_observations_of_their_own(observations) -> None:
    """Each repetition of a number or code is an observation with its own key."""
    rows = observations["repetitions"]
    assert sorted(str(row["value_quantity_value"] or row["value_codeable_concept_code"]) for row in rows) == [
        "112283007", "3092008", "60.000000000", "72.000000000"]
    assert len({row["fact_key"] for row in rows}) == 4


def test_the_same_test_again_is_told_apart_by_sub_id_or_occurrence(observations) -> None:
    """OBX-4 and the occurrence within the order join the key, so no value hides another."""
    assert len({row["fact_key"] for row in observations["same test again"]}) == 4


def test_the_key_is_order_test_and_sub_id_never_set_id_or_wording(observations) -> None:
    """A correction under another OBX-1, or with another wording, is a version of the same observation, and newer."""
    (final,), (correction,), (wording,) = observations["final"], observations["correction"], observations["other wording"]
    assert final["fact_key"] == correction["fact_key"] == wording["fact_key"]
    assert final["source_time"] < correction["source_time"]


def test_results_without_a_filler_number_hang_on_the_placers(observations) -> None:
    """Without OBR-3 the placer's number is the key, and it is not mistaken for a filler's."""
    (row,) = observations["no filler number"]
    assert row["fact_key"] != observations["final"][0]["fact_key"]
    assert (row["report_identifier_value"], row["based_on_identifier_value"]) == (None, "P1")


def test_each_obx_belongs_to_the_obr_before_it(observations) -> None:
    """In a message of two order groups each observation carries its own report and order."""
    assert [(row["report_identifier_value"], row["based_on_identifier_value"]) for row in observations["two groups"]] == [
        ("F1", "P1"), ("F2", "P2")]


def test_observations_are_facts_of_their_patient(observations) -> None:
    """An observation counts for its unit's outcome and refers to the patient by the key that ADT gives the patient."""
    rows = [row for rows in observations.values() for row in rows]
    assert {(row["is_fact"], row["is_deleted"], row["maintains"]) for row in rows} == {(True, False, 1)}
    assert len({row["subject_key"] for row in rows}) == 1
