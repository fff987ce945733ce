"""The product's tables equal the generator's truth, compared on source identifiers; every difference is named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# Truth and product under the same column names. `?` columns of the truth that say whether an answer is decidable are not compared.
COMPARISONS = {
    "ledger": (
        "select facility_id, batch_date, source, unit_kind, record_type, units, canonical, duplicate, superseded, quarantined, "
        "ignored_by_rule from truth_ledger",
        "select facility_id, batch_date, source, unit_kind, record_type, units, canonical, duplicate, superseded, quarantined, "
        "ignored_by_rule from LAKE.canonical.ledger",
    ),
    "patient": (
        "select facility_id, identifier_value, name_family, name_given, gender, birth_date, coalesce(active, true) from truth_patients "
        "where is_current",
        "select facility_id, identifier_value, name_family, name_given, gender, birth_date, coalesce(active, true) "
        "from LAKE.canonical.patient where not is_deleted and maintains = 1",
    ),
    "encounter": (
        "select facility_id, identifier_value, class_code, status, period_start, period_end, service_date, service_end_date "
        "from truth_encounters",
        "select facility_id, identifier_value, class_code, status, try_cast(replace(period_start, 'Z', '') as timestamp), "
        "try_cast(replace(period_end, 'Z', '') as timestamp), service_date, service_end_date "
        "from LAKE.canonical.encounter where not is_deleted",
    ),
    "result value": (
        "select facility_id, identifier_value, order_identifier_value, loinc, cast(value as decimal(28, 9)), value_string, unit_ucum, "
        "status from truth_results where identifier_value is not null and not is_deleted",
        "select observation.facility_id, observation.identifier_value, observation.based_on_identifier_value, observation.code_code, "
        "value_quantity_value, value_string, value_quantity_unit, status from LAKE.canonical.observation observation "
        "where not is_deleted and observation.identifier_value in (select identifier_value from truth_results)",
    ),
    "encounter summary": (
        "select facility_id, service_date, encounter_identifier_value, class_code, status, is_inpatient_stay, is_open, started_at, ended_at, "
        "service_end_date, cast(length_of_stay_hours as decimal(18, 2)), observation_count, order_count, condition_count "
        "from truth_expected_encounter_summary",
        "select mart.facility_id, mart.service_date, encounter.identifier_value, mart.class_code, mart.status, mart.is_inpatient_stay, "
        "mart.is_open, mart.started_at, mart.ended_at, mart.service_end_date, cast(mart.length_of_stay_hours as decimal(18, 2)), "
        "mart.observation_count, mart.order_count, mart.condition_count "
        "from LAKE.marts.mart_encounter_summary mart join LAKE.canonical.encounter encounter on encounter.fact_key = mart.encounter_key",
    ),
    "readmission": (
        "select facility_id, service_date, encounter_identifier_value, is_readmitted, days_to_readmission, readmission_facility_id, "
        "readmission_date from truth_expected_readmission where not is_identity_hard",
        "select mart.facility_id, mart.service_date, encounter.identifier_value, mart.is_readmitted, mart.days_to_readmission, "
        "mart.readmission_facility_id, mart.readmission_date from LAKE.marts.mart_readmission mart "
        "join LAKE.canonical.encounter encounter on encounter.fact_key = mart.index_encounter_key "
        "where (mart.facility_id, encounter.identifier_value) in "
        "(select (facility_id, encounter_identifier_value) from truth_expected_readmission where not is_identity_hard)",
    ),
    "daily census": (
        "select facility_id, service_date, location_point_of_care, inpatients, open_stays from truth_expected_daily_census",
        "select facility_id, service_date, location_point_of_care, inpatients, open_stays from LAKE.marts.mart_daily_census",
    ),
    "facility volume": (
        "select facility_id, service_date, class_code, encounters, results, orders from truth_expected_facility_volume",
        "select facility_id, service_date, class_code, encounters, results, orders from LAKE.marts.mart_facility_volume",
    ),
    "lab turnaround": (
        "select facility_id, service_date, result_kind, result_identifier_value, status, collected_at, resulted_at, "
        "cast(collection_to_result_minutes as decimal(18, 2)) from truth_expected_lab_turnaround",
        "select mart.facility_id, mart.service_date, mart.result_kind, "
        "coalesce(report.identifier_value, observation.identifier_value), mart.status, mart.collected_at, mart.resulted_at, "
        "cast(mart.collection_to_result_minutes as decimal(18, 2)) from LAKE.marts.mart_lab_turnaround mart "
        "left join LAKE.canonical.diagnostic_report report on report.fact_key = mart.result_key "
        "left join LAKE.canonical.observation observation on observation.fact_key = mart.result_key",
    ),
    "claim": (
        "select facility_id, identifier_value, type, status, total_value, subscriber_id, diagnosis_code, item_count, billable_period_start, "
        "billable_period_end, frequency_code, related_claim_reference from truth_claims",
        "select facility_id, identifier_value, type, status, total_value, subscriber_id, diagnosis_code, item_count, billable_period_start, "
        "billable_period_end, frequency_code, related_claim_reference from LAKE.canonical.claim "
        "where not is_deleted and identifier_system like 'urn:x12:%'",
    ),
    "claim payment": (
        "select facility_id, claim_identifier_value, payer_claim_control_number, claim_status_code, submitted_amount, payment_amount, "
        "patient_responsibility_amount, trace_number, payment_date from truth_claim_payments",
        "select facility_id, claim_identifier_value, payer_claim_control_number, claim_status_code, submitted_amount, payment_amount, "
        "patient_responsibility_amount, trace_number, payment_date from LAKE.canonical.explanation_of_benefit where not is_deleted",
    ),
    "payment": (
        "select facility_id, payment_identifier_value, payment_amount_value, payment_date, carried_forward from truth_payments",
        "select said.facility_id, said.payment_identifier_value, said.payment_amount_value, said.payment_date, forward.amount_value "
        "from LAKE.canonical.payment_reconciliation said left join LAKE.canonical.payment_reconciliation_detail forward "
        "on forward.facility_id = said.facility_id and forward.payment_identifier_value = said.payment_identifier_value "
        "and forward.type_code = 'FB' where not said.is_deleted",
    ),
    "coverage eligibility": (
        "select facility_id, kind, trace_number, subscriber_id, serviced_date, eligibility_code, outcome from truth_eligibilities",
        "select facility_id, kind, trace_number, subscriber_id, serviced_date, eligibility_code, outcome "
        "from LAKE.canonical.coverage_eligibility where not is_deleted",
    ),
    "allergy of a summary": (
        "select facility_id, identifier_value, code_code, code_system, clinical_status, onset_date from truth_allergies",
        "select facility_id, identifier_value, code_code, code_system, clinical_status, onset_datetime "
        "from LAKE.canonical.allergy_intolerance where not is_deleted and identifier_system like 'urn:oid:2.999.7.%'",
    ),
    "immunization": (
        "select facility_id, identifier_value, vaccine_code, status, occurrence_date from truth_immunizations",
        "select facility_id, identifier_value, vaccine_code_code, status, occurrence_datetime from LAKE.canonical.immunization "
        "where not is_deleted",
    ),
    "problem of a summary": (
        "select facility_id, identifier_value, code_code, clinical_status, onset_date from truth_problems",
        "select facility_id, identifier_value, code_code, clinical_status, onset_datetime from LAKE.canonical.condition "
        "where not is_deleted and identifier_system like 'urn:oid:2.999.7.%'",
    ),
    "imaging study": (
        "select facility_id, identifier_value, accession_identifier_value, patient_identifier_value, number_of_series, number_of_instances, "
        "modalities, started, description from truth_imaging_studies",
        "select said.facility_id, said.identifier_value, said.accession_identifier_value, patient.identifier_value, said.number_of_series, "
        "said.number_of_instances, said.modalities, try_cast(replace(said.started, 'Z', '') as timestamp), said.description "
        "from LAKE.canonical.imaging_study said join LAKE.canonical.patient patient on patient.fact_key = said.subject_key",
    ),
    "captured prescription": (
        "select facility_id, identifier_value, encounter_identifier_value, medication_code, status, authored_on from truth_prescriptions",
        "select facility_id, identifier_value, encounter_identifier_value, medication_code_code, status, "
        "try_cast(replace(authored_on, 'Z', '') as timestamp) from LAKE.canonical.medication_request "
        "where not is_deleted and facility_id = 'harbor'",
    ),
    "captured procedure": (
        "select facility_id, identifier_value, encounter_identifier_value, code_code, status, performed_at from truth_procedures",
        "select facility_id, identifier_value, encounter_identifier_value, code_code, status, "
        "try_cast(replace(performed_datetime, 'Z', '') as timestamp) from LAKE.canonical.procedure "
        "where not is_deleted and facility_id = 'harbor'",
    ),
    "document": (
        "select facility_id, identifier_value, type_code, patient_identifier_value, 'text/xml' from truth_documents",
        "select said.facility_id, said.identifier_value, said.type_code, patient.identifier_value, said.content_attachment_content_type "
        "from LAKE.canonical.document_reference said join LAKE.canonical.patient patient on patient.fact_key = said.subject_key "
        "where not said.is_deleted and said.identifier_system like 'urn:oid:2.999.7.%' and said.identifier_value like 'D%'",
    ),
}


@pytest.fixture(scope="module")
def warehouse(lake: Any, network: Path) -> Iterator[Any]:
    """The run's warehouse with the truth beside it, as `truth_<table>`."""
    with lake.warehouse.open(read_only=True) as opened:
        for path in sorted((network / "truth").glob("*.parquet")):
            opened.execute(f"create temp view truth_{path.stem} as select * from read_parquet('{path}')")
        yield opened


@pytest.mark.parametrize("name", COMPARISONS)
def test_equals_the_truth(warehouse: Any, name: str) -> None:
    """Every row of the truth is in the product and every row of the product in the truth."""
    expected, found = COMPARISONS[name]
    assert warehouse.query(f"select count(*) as n from ({expected})").to_pylist()[0]["n"] > 0
    missing = warehouse.query(f"({expected}) except all ({found})").to_pylist()
    surplus = warehouse.query(f"({found}) except all ({expected})").to_pylist()
    assert not missing, f"{len(missing)} rows of the truth are missing, e.g. {missing[:3]}; surplus {surplus[:3]}"
    assert not surplus, f"{len(surplus)} rows are not in the truth, e.g. {surplus[:3]}"


def test_every_unit_is_accounted_for(warehouse: Any) -> None:
    """Received, counted in the bytes, equals the five outcomes for each facility, date and feed."""
    unbalanced = warehouse.query("select * from LAKE.canonical.reconciliation where not is_balanced").to_pylist()
    assert unbalanced == []


def test_persons_are_the_people(warehouse: Any) -> None:
    """No two people of the truth share a person, and those whose records carry no re-used number are found whole."""
    rows = warehouse.query(
        "select truth.person_no, link.person_id, truth.reuses_number_of_person from truth_patients truth "
        "join LAKE.canonical.patient patient on patient.facility_id = truth.facility_id and patient.identifier_value = truth.identifier_value "
        "join LAKE.identity.link link on link.patient_key = patient.fact_key where truth.is_current"
    ).to_pylist()
    people_of: dict[str, set[int]] = {}
    for row in rows:
        people_of.setdefault(row["person_id"], set()).add(row["person_no"])
    merged = {person: sorted(people) for person, people in people_of.items() if len(people) > 1}
    assert merged == {}
