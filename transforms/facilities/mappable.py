"""What a column of an extract may map to, resource by resource.

Belongs here: names of the columns that the extract staging models read, and which of them hold dates. Does not belong
here: what becomes of them (dbt). A name that no model reads would lose its column silently, so the registry refuses it.
"""

from __future__ import annotations

from dataclasses import dataclass

_WITHOUT_SUBJECT = frozenset({"patient", "practitioner", "organization", "location"})
_WITHOUT_ENCOUNTER = _WITHOUT_SUBJECT | {"encounter", "coverage"}


@dataclass(frozen=True)
class _Targets:
    """Names of texts, of dates and of coded values, separated by spaces."""

    texts: str
    dates: str
    coded: str


_TARGETS: dict[str, _Targets] = {
    "allergy_intolerance": _Targets(
        "code_code code_local_code code_text",
        "onset_datetime",
        "clinical_status verification_status",
    ),
    "claim": _Targets(
        "total_value subscriber_id diagnosis_code item_count frequency_code related_claim_reference",
        "billable_period_start billable_period_end",
        "status type",
    ),
    "condition": _Targets(
        "code_code code_local_code code_text",
        "onset_datetime abatement_datetime recorded_date",
        "clinical_status verification_status",
    ),
    "coverage": _Targets(
        "subscriber_id payor_display",
        "period_start period_end",
        "status type_code",
    ),
    "diagnostic_report": _Targets(
        "code_code code_local_code code_text based_on_identifier_value performer_display",
        "effective_datetime issued",
        "status",
    ),
    "encounter": _Targets(
        "location_point_of_care location_room location_bed practitioner_identifier_value",
        "period_start period_end",
        "status class_code discharge_disposition_code",
    ),
    "immunization": _Targets(
        "vaccine_code_code vaccine_local_code vaccine_text",
        "occurrence_datetime",
        "status",
    ),
    "location": _Targets(
        "name location_point_of_care",
        "",
        "status",
    ),
    "medication_request": _Targets(
        "medication_code_code medication_local_code medication_text dosage_text",
        "authored_on dosage_period_start dosage_period_end",
        "status do_not_perform",
    ),
    "observation": _Targets(
        "code_code code_local_code code_text value_quantity_value value_quantity_comparator "
        "value_quantity_unit_source value_string based_on_identifier_value report_identifier_value "
        "performer_display",
        "effective_datetime issued value_datetime",
        "status data_absent_reason_code value_codeable_concept_code",
    ),
    "organization": _Targets(
        "name",
        "",
        "type_code",
    ),
    "patient": _Targets(
        "name_family name_given name_suffix telecom_phone telecom_email address_line address_city "
        "address_state address_postal_code race_text",
        "birth_date deceased_datetime",
        "gender active marital_status_code race_omb_codes ethnicity_omb_code birth_sex",
    ),
    "practitioner": _Targets(
        "name_family name_given",
        "",
        "",
    ),
    "procedure": _Targets(
        "code_code code_local_code code_text",
        "performed_datetime",
        "status",
    ),
    "service_request": _Targets(
        "code_code code_local_code code_text requester_display",
        "authored_on",
        "status priority",
    ),
}
MAPPABLE_RESOURCES = frozenset(_TARGETS)


def mappable(resource: str) -> frozenset[str]:
    """All names that a column of an extract of this resource may map to."""
    own = _TARGETS[resource]
    names = {"identifier_value", "source_time", *own.texts.split(), *own.dates.split(), *own.coded.split()}
    if resource not in _WITHOUT_SUBJECT:
        names.add("subject_identifier_value")
    if resource not in _WITHOUT_ENCOUNTER:
        names.add("encounter_identifier_value")
    return frozenset(names)


def mappable_dates(resource: str) -> frozenset[str]:
    """Those of them that hold a date or a time."""
    return frozenset({"source_time", *_TARGETS[resource].dates.split()})
