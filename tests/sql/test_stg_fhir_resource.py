"""What becomes of each FHIR R4 resource type, and of those that the model does not hold (HL7 FHIR R4, 4.0.1)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tests.sql.fhir_staged import CVX, OBSERVATIONS, P1, PATIENTS, key, picked, said, stage
from tests.sql.staging_tables import StagingTables

DBT_PARTS = ("staging/fhir",)


@pytest.fixture(scope="module")
def built(shared_scratch) -> StagingTables:
    """Staging of all resources, in one run."""
    return stage(shared_scratch)


@pytest.mark.parametrize(("name", "expected"), [
    ("e1", ("EMER", None, None)), ("mapped class", ("IMP", "12", None)), ("unknown class", (None, "77", "code.unmapped_local")),
    ("concept class", ("IMP", "12", None)), ("list class", ("AMB", None, None)), ("word class", ("IMP", "Ward stay", None)),
    ("text class", ("IMP", "Ward stay", None))])
def test_the_class_is_read_in_every_dialect(built, name, expected) -> None:
    """R4 has a Coding; a concept, a list, a word or a text go by the facility's map, and the source code stays."""
    assert said(built, "encounter", name, "class_code", "class_local_code", "flags") == expected


def test_encounters_have_times_places_and_people(built) -> None:
    """Period in UTC with its precision, local days, places by kind, first participant."""
    assert said(built, "encounter", "e1", "period_start", "period_end") == ("2026-01-04T04:00:00Z", "2026-01-05")
    assert said(built, "encounter", "e1", "service_date", "service_end_date") == (date(2026, 1, 3), date(2026, 1, 5))
    assert said(built, "encounter", "e1", "location_point_of_care", "location_room", "location_bed") == ("ICU", None, "B12")
    assert said(built, "encounter", "e1", "practitioner_key", "identifier_value") == (key("clinic", "practitioner", "fhir", "d1"), "Ve1")
    assert said(built, "encounter", "mapped status", "status", "flags") == ("finished", None)
    assert said(built, "encounter", "unknown status", "status", "flags") == (None, "code.unmapped_local")


def test_allergies_keep_codes_texts_and_status(built) -> None:
    """NDC is a standard system, a text status goes by the map, what is absent stays null."""
    columns = ("code_code", "code_local_code", "code_text", "clinical_status", "verification_status")
    assert said(built, "allergy_intolerance", "a1", *columns) == ("00093-4155-73", "12345", None, "active", None)
    assert said(built, "allergy_intolerance", "a2", *columns) == (None, None, "Latex", None, "entered-in-error")


def test_the_other_resources_are_mapped(built) -> None:
    """One telling column or more of each."""
    assert said(built, "condition", "c1", "code_code", "code_text", "clinical_status") == ("E11.9", "Diabetes", "active")
    medication = ("medication_code_code", "medication_text", "do_not_perform", "dosage_text", "service_date")
    assert said(built, "medication_request", "m1", *medication) == ("314076", "lisinopril", True, "daily", date(2026, 1, 3))
    assert said(built, "procedure", "r1", "code_code", "performed_datetime", "service_end_date") == ("430193006", "2026-01-03", date(2026, 1, 4))
    assert said(built, "service_request", "s1", "code_code", "priority", "subject_key") == ("58410-2", "stat", P1)
    assert said(built, "diagnostic_report", "g1", "issued", "service_date") == ("2026-01-03T09:00:00Z", date(2026, 1, 3))
    assert said(built, "claim", "k1", "type", "total_value", "item_count", "subject_key") == ("professional", Decimal("120.50"), 2, P1)
    assert said(built, "coverage", "v1", "subscriber_id", "payor_display", "subject_key") == ("S1", "Payer", P1)
    assert said(built, "practitioner", "d1", "name_family", "name_given") == ("CEDAR", "LEE M")
    assert said(built, "organization", "o1", "name") == "North"
    assert said(built, "location", "l1", "location_point_of_care") == "ICU"
    shown = {name: said(built, "observation", name, "performer_display") for name in ("doctor", "nurse", "laboratory")}
    assert shown == {"doctor": "Dr One", "nurse": "Al Zed", "laboratory": "Lab Q"}


def test_immunizations_are_given_or_not_with_their_vaccine(built) -> None:
    """A CVX code is standard, a code without a system local; an occurrence in words has no date (R4 Immunization.occurrence[x])."""
    columns = ("status", "vaccine_code_code", "vaccine_code_system", "vaccine_text", "vaccine_local_code", "occurrence_datetime", "service_date")
    assert said(built, "immunization", "i1", *columns) == ("completed", "140", CVX, "Influenza", None, "2026-01-03", date(2026, 1, 3))
    assert said(built, "immunization", "i2", *columns) == ("not-done", None, None, None, "FLU", None, None)
    assert said(built, "immunization", "i1", "subject_key", "encounter_key") == (P1, key("clinic", "encounter", "fhir", "e1"))


def test_administrations_have_dose_period_and_order(built) -> None:
    """The dose keeps its text and has a UCUM unit or a flag; the order is the key of its MedicationRequest, the context the encounter."""
    dose = ("medication_code_code", "medication_text", "dosage_dose_value", "dosage_dose_value_source", "dosage_dose_unit", "dosage_dose_unit_source")
    assert said(built, "medication_administration", "t1", *dose) == ("314076", None, Decimal(5), "5.0", "mg", "mg")
    assert said(built, "medication_administration", "t2", *dose) == (None, "Aspirin", Decimal(2), "2", None, "puffs of air")
    assert said(built, "medication_administration", "t2", "flags") == "unit.not_ucum"
    moments = ("effective_datetime", "effective_period_end", "service_date", "service_end_date")
    assert said(built, "medication_administration", "t1", *moments) == (
        "2026-01-04T03:00:00Z", "2026-01-04T07:00:00Z", date(2026, 1, 3), date(2026, 1, 4))
    assert said(built, "medication_administration", "t1", "request_key") == said(built, "medication_request", "m1", "fact_key")
    assert said(built, "medication_administration", "t1", "encounter_key") == key("clinic", "encounter", "fhir", "e1")


def test_a_contained_medication_counts_where_it_is_referred_to(built) -> None:
    """`#med` means the Medication contained; a reference to another server's resource of that id does not (R4 s2.28.3)."""
    assert said(built, "medication_request", "m2", "medication_code_code", "medication_text", "flags") == ("1191", "Aspirin", None)
    assert said(built, "medication_request", "m3", "medication_code_code", "medication_text", "flags") == (None, "Tea", None)


def test_documents_are_named_by_their_master_identifier_and_sized_by_their_bytes(built) -> None:
    """Bytes sent along are counted (`Hello` has five), else the stated size; of several contents the first is taken."""
    columns = ("identifier_value", "type_code", "date", "content_attachment_content_type", "content_attachment_size")
    assert said(built, "document_reference", "n1", *columns) == ("urn:oid:2.999.1", "18842-5", "2026-01-03T14:00:00Z", "text/plain", 5)
    assert said(built, "document_reference", "n2", *columns) == ("N2", None, None, "application/pdf", 4711)
    assert said(built, "document_reference", "n1", "encounter_key") == key("clinic", "encounter", "fhir", "e1")


def test_imaging_studies_are_named_by_their_uid(built) -> None:
    """The UID comes without its `urn:oid:`, the accession number by its type; modalities are sorted, those of series where the study lists none."""
    columns = ("study_identifier_value", "accession_identifier_value", "modalities", "number_of_series", "number_of_instances", "started", "description")
    assert said(built, "imaging_statement", "x1", *columns) == ("2.999.7", "A7", "CT,SR", 2, 30, "2026-01-03T14:00:00Z", "Chest")
    assert said(built, "imaging_statement", "x2", *columns) == (None, None, "US", None, None, None, None)


def test_what_the_model_does_not_hold_is_ignored_by_rule(built) -> None:
    """Outcomes of the export and types outside the model are accounted for, not dropped."""
    rows = sorted(picked(row, "reason", "reason_kind") for row in built.table("unit_rule") if row["reason_kind"] == "ignore")
    assert rows == [("fhir.operation_outcome", "ignore"), ("fhir.unsupported_resource_type", "ignore")]


def test_what_us_core_requires_is_missed(built) -> None:
    """Beyond R4: a patient without a name, a location that has one, an organization without `active` (US Core 6.1.0); deletions are not asked."""
    missing: dict[str, set[str]] = {}
    for row in built.table("us_core_gap"):
        missing.setdefault(row["unit_id"], set()).add(row["element"])
    unit_of = {row["id"]: row["unit_id"] for table in ("patient", "organization", "location", "coverage") for row in built.table(table)}
    assert missing[unit_of["p1"]] == {"Patient.name"}
    assert unit_of["p2"] not in missing
    assert missing[unit_of["o1"]] == {"Organization.active"}
    assert missing[unit_of["v1"]] == {"Coverage.relationship"}
    assert unit_of["l1"] not in missing
    flagged = {row["unit_id"] for row in built.table("unit_rule") if row["reason"] == "fhir.us_core_incomplete" and row["reason_kind"] == "flag"}
    assert flagged == set(missing)


def test_every_resource_is_staged_once(built) -> None:
    """As many rows as resources were sent, whatever joins stand between, and no record twice."""
    counted = {"patient": len(PATIENTS) + 2, "observation": len(OBSERVATIONS) + 3, "encounter": 9}
    for table, count in counted.items():
        records = [row["record_id"] for row in built.table(table)]
        assert (len(records), len(set(records))) == (count, count)
