"""What the version and current tables of each resource promise: the Python side of `macros/resource_contract.sql`.

What belongs here: the form of every canonical column and the rules of one resource's row. Not here: shares of a whole partition
(`shares`), references (`references`). Columns are FHIR R4 elements; a column that only this product has is explained beside it.
"""

from __future__ import annotations

from checks import forms, row_rules, value_sets
from checks.table_schema import Column, RowRule, TableSchema

# Where a row came from and what it speaks of; the same for every resource.
_HEADER: tuple[tuple[str, forms.Form, bool], ...] = (
    ("record_id", forms.MD5, True), ("unit_id", forms.MD5, True), ("delivery_id", forms.MD5, True), ("payload_id", forms.SHA256, True),
    ("record_locator", forms.NAME, True), ("facility_id", forms.NAME, True), ("batch_date", forms.DAY, True),
    ("received_time", forms.TIMESTAMP, True), ("source", forms.NAME, True), ("fact_key", forms.MD5, True),
    ("source_time", forms.TIMESTAMP, True), ("source_order", forms.TEXT, False),
    # Null would hide the row from every reader that asks `is_deleted = false` or counts facts.
    ("is_deleted", forms.BOOLEAN, True), ("is_fact", forms.BOOLEAN, True),
    ("maintains", forms.FLAG, False), ("awaits_key", forms.MD5, False),
    ("id", forms.TEXT, False), ("identifier_system", forms.SENT_URI, False), ("identifier_value", forms.TEXT, False),
    ("subject_key", forms.MD5, False), ("encounter_key", forms.MD5, False), ("encounter_identifier_value", forms.TEXT, False),
    ("status", forms.TEXT, False), ("service_date", forms.DAY, False), ("service_end_date", forms.DAY, False),
    ("version_key", forms.TEXT, False), ("row_key", forms.MD5, False),
)

# Elements whose name tells their form, whatever the resource.
_NAMED: dict[str, forms.Form] = {
    "active": forms.BOOLEAN, "birth_date": forms.FHIR_DATE, "deceased_datetime": forms.FHIR_DATETIME,
    "period_start": forms.FHIR_DATETIME, "period_end": forms.FHIR_DATETIME, "onset_datetime": forms.FHIR_DATETIME,
    "performed_datetime": forms.FHIR_DATETIME, "abatement_datetime": forms.FHIR_DATETIME,
    "recorded_date": forms.FHIR_DATETIME, "effective_datetime": forms.FHIR_DATETIME,
    "issued": forms.FHIR_DATETIME, "value_datetime": forms.FHIR_DATETIME, "authored_on": forms.FHIR_DATETIME,
    "dosage_period_start": forms.FHIR_DATETIME, "dosage_period_end": forms.FHIR_DATETIME,
    "billable_period_start": forms.FHIR_DATETIME, "billable_period_end": forms.FHIR_DATETIME,
    "code_system": forms.URI, "medication_code_system": forms.URI, "value_codeable_concept_system": forms.SENT_URI,
    "system": forms.SENT_URI,
    "gender": forms.code(value_sets.ADMINISTRATIVE_GENDER), "marital_status_code": forms.code(value_sets.MARITAL_STATUS),
    "birth_sex": forms.code(value_sets.BIRTH_SEX), "ethnicity_omb_code": forms.code(value_sets.OMB_ETHNICITY),
    "race_omb_codes": forms.codes(value_sets.OMB_RACE),
    "class_code": forms.code(value_sets.ENCOUNTER_CLASS), "status_event": forms.code(value_sets.STATUS_EVENT),
    "use": forms.code(value_sets.IDENTIFIER_USE), "priority": forms.code(value_sets.REQUEST_PRIORITY),
    "value_quantity_comparator": forms.code(value_sets.QUANTITY_COMPARATOR),
    "data_absent_reason_code": forms.code(value_sets.DATA_ABSENT_REASON),
    "practitioner_key": forms.MD5, "other_key": forms.MD5, "observation_key": forms.MD5, "do_not_perform": forms.BOOLEAN,
    "item_count": forms.COUNT,
    **dict.fromkeys((
        "submitted_amount", "payment_amount", "patient_responsibility_amount", "payment_amount_value", "amount_value",
    ), forms.NUMBER),
    **dict.fromkeys(("payment_date", "date", "serviced_date"), forms.FHIR_DATE),
    "started": forms.FHIR_DATETIME, "effective_period_end": forms.FHIR_DATETIME, "dosage_dose_value": forms.NUMBER,
    "request_key": forms.MD5,
    **dict.fromkeys(("number_of_series", "number_of_instances"), forms.COUNT),
    "occurrence_datetime": forms.FHIR_DATETIME, "vaccine_code_system": forms.URI, "content_attachment_size": forms.COUNT,
    "total_value": forms.NUMBER, "value_quantity_value": forms.NUMBER, "value_ratio_numerator_value": forms.NUMBER,
    "value_ratio_denominator_value": forms.NUMBER, "value_range_low_value": forms.NUMBER, "value_range_high_value": forms.NUMBER,
}
_OF_RESOURCE: dict[tuple[str, str], forms.Form] = {
    ("patient_link", "type"): forms.code(value_sets.LINK_TYPE), ("claim", "type"): forms.code(value_sets.CLAIM_TYPE),
    ("claim", "total_value"): forms.AMOUNT,
    ("condition", "clinical_status"): forms.code(value_sets.CONDITION_CLINICAL),
    ("condition", "verification_status"): forms.code(value_sets.CONDITION_VERIFICATION),
    ("allergy_intolerance", "clinical_status"): forms.code(value_sets.ALLERGY_CLINICAL),
    ("allergy_intolerance", "verification_status"): forms.code(value_sets.ALLERGY_VERIFICATION),
    ("document_reference", "date"): forms.FHIR_DATETIME,
    ("coverage_eligibility", "kind"): forms.code(value_sets.ELIGIBILITY_KIND),
    ("coverage_eligibility", "outcome"): forms.code(value_sets.ELIGIBILITY_OUTCOME),
    ("encounter", "status_stated"): forms.code(value_sets.STATUS["encounter"]),
    **{(resource, "status"): forms.code(values) for resource, values in value_sets.STATUS.items()},
}
# A record that says of nobody or nothing cannot be found again. A deletion may name its key alone.
_STATED: dict[str, tuple[str, ...]] = {"patient_identifier": ("value", "subject_key"), "patient_link": ("type", "subject_key", "other_key"),
                                        "observation_component": ("observation_key",)}

_CODE = "code_code code_system code_text code_local_code code_local_system code_translations"
# Resource -> its columns; the word before a colon is the mark (source field group) of those after it.
_CONTENT: dict[str, str] = {
    "patient": """active name:name_family,name_given,name_suffix gender:gender birth_date:birth_date telecom:telecom_phone,telecom_email
        address:address_line,address_city,address_state,address_postal_code marital:marital_status_code race:race_omb_codes,race_text
        ethnicity:ethnicity_omb_code birth_sex:birth_sex deceased:deceased_datetime""",
    "patient_identifier": "system value type_code use",
    "patient_link": "type other_key other_identifier_value",
    "encounter": """status_stated status_event:status_event class:class_code,class_local_code period_start:period_start
        period_end:period_end location:location_point_of_care,location_room,location_bed disposition:discharge_disposition_code
        practitioner:practitioner_key""",
    "condition": f"{_CODE} clinical_status verification_status onset_datetime abatement_datetime recorded_date",
    "procedure": f"{_CODE} performed_datetime",
    "observation": f"""{_CODE} effective_datetime issued value_quantity_value value_quantity_value_source value_quantity_comparator
        value_quantity_unit value_quantity_unit_source value_string value_codeable_concept_code value_codeable_concept_system
        value_codeable_concept_text value_datetime value_ratio_numerator_value value_ratio_denominator_value value_range_low_value
        value_range_high_value data_absent_reason_code performer_display report_identifier_value based_on_identifier_value""",
    "observation_component": f"""{_CODE} observation_key observation_id value_quantity_value value_quantity_value_source
        value_quantity_comparator value_quantity_unit value_quantity_unit_source value_string value_codeable_concept_code
        value_codeable_concept_system value_codeable_concept_text data_absent_reason_code""",
    "diagnostic_report": f"{_CODE} based_on_identifier_value effective_datetime issued performer_display",
    "service_request": f"{_CODE} authored_on priority requester_display",
    "medication_request": """medication_code_code medication_code_system medication_text medication_local_code do_not_perform authored_on
        dosage_text dosage_period_start dosage_period_end""",
    "practitioner": "name_family name_given",
    "organization": "name type_code",
    "location": "name location_point_of_care",
    "coverage": "subscriber_id payor_display type_code period_start period_end",
    "claim": """type total_value subscriber_id diagnosis_code item_count billable_period_start billable_period_end frequency_code
        related_claim_reference""",
    "imaging_instance": "study_identifier_value series_identifier_value modality accession_identifier_value started description",
    "imaging_statement": """study_identifier_value number_of_series number_of_instances modalities accession_identifier_value started
        description""",
    "medication_administration": """medication_code_code medication_code_system medication_text medication_local_code effective_datetime
        effective_period_end dosage_text dosage_dose_value dosage_dose_value_source dosage_dose_unit dosage_dose_unit_source request_key""",
    "immunization": "vaccine_code_code vaccine_code_system vaccine_text vaccine_local_code occurrence_datetime",
    "document_reference": "type_code date content_attachment_content_type content_attachment_size",
    "explanation_of_benefit": """claim_identifier_value payer_claim_control_number claim_status_code submitted_amount payment_amount
        patient_responsibility_amount trace_number payment_date""",
    "payment_reconciliation": "payment_identifier_value payment_amount_value payment_date",
    "payment_reconciliation_detail": "payment_identifier_value type_code amount_value date",
    "coverage_eligibility": "kind trace_number subscriber_id serviced_date eligibility_code outcome",
    "allergy_intolerance": f"{_CODE} clinical_status verification_status onset_datetime",
}

RESOURCES: tuple[str, ...] = tuple(_CONTENT)


def mark_groups(resource: str) -> dict[str, tuple[str, ...]]:
    """Give the source field groups of a resource with their columns; each has a companion column `<group>_mark`."""
    pairs = (word.split(":") for word in _CONTENT[resource].split() if ":" in word)
    return {group: tuple(columns.split(",")) for group, columns in pairs}


def content_columns(resource: str) -> tuple[str, ...]:
    """Give the columns of a resource after the header, in contract order, without marks."""
    return tuple(column for word in _CONTENT[resource].split() for column in word.rpartition(":")[2].split(","))


def version_schema(resource: str) -> TableSchema:
    """Give the promise of `<resource>_version`: what each record says, one row a record and fact."""
    marks = tuple(Column(f"{group}_mark", forms.MARK) for group in mark_groups(resource))
    columns = (*_columns(resource), *marks, Column("row_hash", forms.MD5, required=True))
    marked = tuple(row_rules.unmarked_value(group, members) for group, members in mark_groups(resource).items())
    return TableSchema(f"canonical.{resource}_version", columns, ("record_id", "fact_key"), (*_rules(resource), *marked))


def current_schema(resource: str) -> TableSchema:
    """Give the promise of `<resource>`: what holds now, one row a fact."""
    columns = (*_columns(resource), Column("current_hash", forms.MD5, required=True))
    return TableSchema(f"canonical.{resource}", columns, ("fact_key",), _rules(resource))


def _columns(resource: str) -> tuple[Column, ...]:
    header = tuple(Column(name, _OF_RESOURCE.get((resource, name), form), required) for name, form, required in _HEADER)
    content = tuple(
        Column(name, _OF_RESOURCE.get((resource, name), _NAMED.get(name, forms.TEXT))) for name in content_columns(resource)
    )
    return header + content


def _rules(resource: str) -> tuple[RowRule, ...]:
    names = {name for name, _, _ in _HEADER} | set(content_columns(resource))
    stated = tuple(row_rules.stated(column) for column in _STATED.get(resource, ()))
    return (*stated, *(rule for rule in row_rules.RULES if set(rule.columns) <= names))


VERSION_TABLES: dict[str, TableSchema] = {schema.asset: schema for schema in map(version_schema, RESOURCES)}
CURRENT_TABLES: dict[str, TableSchema] = {schema.asset: schema for schema in map(current_schema, RESOURCES)}
