"""The row types of the truth tables: one NamedTuple a table, whose field names are the columns.

Instants are UTC seconds, dates are the facility's local days, both counted from 1970-01-01.
"""

from __future__ import annotations

from typing import NamedTuple


class PersonRow(NamedTuple):
    """A human."""

    person_no: int
    family: str
    maiden_family: str | None
    given: str
    sex: str
    birth_date: str
    died_at: int | None


class PatientRow(NamedTuple):
    """A facility's record of a human. `is_current` is false for the former holder of a re-used number; a merged record is not
    active and names its survivor."""

    facility_id: str
    identifier_value: str
    fhir_id: str | None
    person_no: int
    name_family: str
    name_given: str
    gender: str
    birth_date: str
    telecom_phone: str | None
    address_line: str
    address_city: str
    address_postal_code: str
    active: bool
    merged_into: str | None
    is_current: bool
    reuses_number_of_person: int | None


class EncounterRow(NamedTuple):
    """A stay as it stands. `surviving_identifier_value` is the patient's number after merges."""

    facility_id: str
    identifier_value: str
    fhir_id: str | None
    patient_identifier_value: str
    surviving_identifier_value: str
    person_no: int
    class_code: str
    status: str
    period_start: int
    period_end: int | None
    service_date: int
    service_end_date: int | None
    location_point_of_care: str
    disposition: str | None
    versions: int


class OrderRow(NamedTuple):
    """A laboratory order of a facility that sends orders."""

    facility_id: str
    identifier_value: str
    fhir_id: str | None
    encounter_identifier_value: str
    patient_identifier_value: str
    person_no: int
    local_code: str
    loinc: str
    priority: str
    status: str
    authored_on: int
    service_date: int


class ReportRow(NamedTuple):
    """A report of a facility that sends reports."""

    facility_id: str
    identifier_value: str
    fhir_id: str | None
    order_identifier_value: str
    encounter_identifier_value: str
    patient_identifier_value: str
    person_no: int
    status: str
    effective: int
    issued: int
    service_date: int


class ResultRow(NamedTuple):
    """An observation. It is named by `identifier_value` (extracts), `fhir_id` (FHIR) or report and local code (HL7 v2)."""

    facility_id: str
    identifier_value: str | None
    fhir_id: str | None
    report_identifier_value: str | None
    order_identifier_value: str | None
    encounter_identifier_value: str
    patient_identifier_value: str
    person_no: int
    local_code: str
    loinc: str | None
    value: str | None
    unit_ucum: str | None
    unit_source: str | None
    value_string: str | None
    status: str
    effective: int
    issued: int | None
    service_date: int
    is_deleted: bool
    versions: int


class ConditionRow(NamedTuple):
    """A diagnosis, named by `identifier_value` (extracts), `fhir_id` (FHIR) or visit and code (HL7 v2), where `recorded_in_adt`
    tells whether any DG1 carried it."""

    facility_id: str
    identifier_value: str | None
    fhir_id: str | None
    encounter_identifier_value: str
    patient_identifier_value: str
    person_no: int
    icd10: str | None
    local_code: str | None
    state: str
    onset: int
    is_deleted: bool
    recorded_in_adt: bool | None
