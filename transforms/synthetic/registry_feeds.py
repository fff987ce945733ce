"""The feeds of each source style, as the registry's `sources` mapping.

What belongs here: which file kinds a style sends and what their columns mean, in the registry's own keys. Not here: the
facility around them (`registry_text`) and the bytes (`encode_*`), whose column order follows these mappings.
"""

from __future__ import annotations

from typing import Any

from transforms.synthetic.terminology import ICD10, RXNORM, SNOMED

Mapping = dict[str, Any]

SEX = {"M": "male", "F": "female", "U": "unknown"}
VISIT_CLASS = {"I": "IMP", "O": "AMB", "E": "EMER"}
VISIT_STATUS = {"A": "in-progress", "D": "finished", "X": "cancelled"}
RESULT_STATUS = {"P": "preliminary", "F": "final", "C": "corrected", "X": "cancelled", "W": "entered-in-error"}
ORDER_STATUS = {"O": "active", "C": "completed", "X": "revoked"}
DISPOSITION = {"1": "home", "2": "other-hcf", "20": "exp"}
CLINICAL = {"A": "active", "R": "resolved"}


def _column(maps_to: str | None = None, **keys: Any) -> Mapping:
    return {**({"maps_to": maps_to} if maps_to else {}), **keys}


def _moment(maps_to: str, form: str) -> Mapping:
    return {"maps_to": maps_to, "type": "datetime", "date_format": form}


def _extract(resource: str, key: str, version: str, columns: Mapping, **keys: Any) -> Mapping:
    base: Mapping = {"kind": "csv_extract", "resource": resource, "delimiter": ",", "encoding": "utf-8", "header": True,
                     "mode": "delta", "key": [key], "version_column": version, "date_format": "%Y-%m-%d",
                     "datetime_format": "%Y-%m-%d %H:%M:%S", "null_markers": ["NULL"]}
    return {**base, **keys, "columns": columns}


def _dms(table: str, resource: str, key: str, columns: Mapping) -> Mapping:
    return {"kind": "dms_s3_csv", "table": f"dbo.{table}", "resource": resource, "op_column": "Op",
            "sequence_column": "AR_H_CHANGE_SEQ", "header": True, "null_value": "NULL", "primary_key": [key], "columns": columns}


def _riverside() -> Mapping:
    return {"bulk": {"kind": "fhir_ndjson"}, "clearinghouse": {"kind": "x12"}}


def _lakeside() -> Mapping:
    return {
        "adt_oru": {"kind": "hl7v2"},
        "radiology": {"kind": "dicom"},
        "providers_csv": _extract("practitioner", "PROVIDER_ID", "UPDATED_AT", {
            "PROVIDER_ID": _column("identifier_value"), "LAST_NAME": _column("name_family"),
            "FIRST_NAME": _column("name_given"), "UPDATED_AT": _column("source_time", type="datetime")}, delimiter="|"),
        "medications_csv": _extract("medication_request", "RX_ID", "UPDATED_AT", {
            "RX_ID": _column("identifier_value"), "MRN": _column("subject_identifier_value", pattern="^[0-9]{8}$"),
            "VISIT_NO": _column("encounter_identifier_value"), "DRUG_CODE": _column("medication_local_code"),
            "DRUG_NAME": _column("medication_text"), "SIG": _column("dosage_text"),
            "STATUS": _column("status", value_map={"A": "active", "S": "stopped", "E": "entered-in-error"}),
            "ORDERED_AT": _column("authored_on", type="datetime"), "UPDATED_AT": _column("source_time", type="datetime")}),
    }


def _summit() -> Mapping:
    return {
        "fhir_export": {"kind": "fhir_ndjson"},
        "summaries": {"kind": "ccda"},
        "orders_csv": _extract("service_request", "ORDER_NO", "LAST_CHANGED", {
            "ORDER_NO": _column("identifier_value"), "CHART_NO": _column("subject_identifier_value"),
            "ENCOUNTER_NO": _column("encounter_identifier_value"), "ORDER_CODE": _column("code_local_code"),
            "ORDER_NAME": _column("code_text"),
            "PRIORITY": _column("priority", value_map={"R": "routine", "S": "stat"}),
            "STATE": _column("status", value_map={"OPEN": "active", "DONE": "completed", "CANCELED": "revoked"}),
            "ORDERED": _column("authored_on", type="datetime"), "PROVIDER": _column("requester_display"),
            "LAST_CHANGED": _column("source_time", type="datetime")}),
        "results_csv": _extract("observation", "RESULT_NO", "LAST_CHANGED", {
            "RESULT_NO": _column("identifier_value"), "CHART_NO": _column("subject_identifier_value"),
            "ENCOUNTER_NO": _column("encounter_identifier_value"), "ORDER_NO": _column("based_on_identifier_value"),
            "TEST_CODE": _column("code_local_code"), "TEST_NAME": _column("code_text"),
            "VALUE": _column("value_quantity_value"), "TEXT": _column("value_string"),
            "UNITS": _column("value_quantity_unit_source"), "STATE": _column("status", value_map={
                "PRELIM": "preliminary", "FINAL": "final", "CORRECTED": "corrected", "ERROR": "entered-in-error"}),
            "COLLECTED": _column("effective_datetime", type="datetime"), "REPORTED": _column("issued", type="datetime"),
            "LAST_CHANGED": _column("source_time", type="datetime")},
            delimiter=";", datetime_format="%m/%d/%Y %H:%M:%S", null_markers=["NULL", "N/A"]),
    }


def _harbor() -> Mapping:
    who = {"MRN": _column("subject_identifier_value", type="varchar(20)"),
           "VisitNo": _column("encounter_identifier_value", type="varchar(20)")}
    return {
        "dms_patient": _dms("Patient", "patient", "PatientID", {
            "PatientID": _column(type="int"), "MRN": _column("identifier_value", type="varchar(20)"),
            "LastName": _column("name_family", type="varchar(50)"), "FirstName": _column("name_given", type="varchar(50)"),
            "Sex": _column("gender", type="char(1)", value_map=SEX), "BirthDate": _column("birth_date", type="date"),
            "Phone": _column("telecom_phone", type="varchar(20)"), "Street": _column("address_line", type="varchar(60)"),
            "City": _column("address_city", type="varchar(40)"), "State": _column("address_state", type="char(2)"),
            "Zip": _column("address_postal_code", type="varchar(10)")}),
        "dms_visit": _dms("Visit", "encounter", "VisitID", {
            "VisitID": _column(type="int"), "VisitNo": _column("identifier_value", type="varchar(20)"), "MRN": who["MRN"],
            "VisitType": _column("class_code", type="char(1)", value_map=VISIT_CLASS),
            "VisitStatus": _column("status", type="char(1)", value_map=VISIT_STATUS),
            "AdmitTime": _column("period_start", type="datetime"), "DischargeTime": _column("period_end", type="datetime"),
            "Ward": _column("location_point_of_care", type="varchar(20)"), "Room": _column("location_room", type="varchar(10)"),
            "Bed": _column("location_bed", type="varchar(10)"),
            "Disposition": _column("discharge_disposition_code", type="varchar(2)", value_map=DISPOSITION)}),
        "dms_diagnosis": _dms("Diagnosis", "condition", "DiagnosisID", {
            "DiagnosisID": _column("identifier_value", type="int"), **who,
            "Icd10": _column("code_code", type="varchar(10)", code_system=ICD10),
            "Description": _column("code_text", type="varchar(100)"),
            "ClinicalStatus": _column("clinical_status", type="char(1)", value_map=CLINICAL),
            "OnsetDate": _column("onset_datetime", type="date")}),
        "dms_order": _dms("LabOrder", "service_request", "OrderID", {
            "OrderID": _column(type="int"), "OrderNo": _column("identifier_value", type="varchar(20)"), **who,
            "TestCode": _column("code_local_code", type="varchar(20)"), "TestName": _column("code_text", type="varchar(60)"),
            "Priority": _column("priority", type="char(1)", value_map={"R": "routine", "S": "stat"}),
            "OrderStatus": _column("status", type="char(1)", value_map=ORDER_STATUS),
            "OrderedAt": _column("authored_on", type="datetime"), "OrderedBy": _column("requester_display", type="varchar(60)")}),
        "dms_labresult": _dms("LabResult", "observation", "ResultID", {
            "ResultID": _column("identifier_value", type="bigint"), **who,
            "OrderNo": _column("based_on_identifier_value", type="varchar(20)"),
            "TestCode": _column("code_local_code", type="varchar(20)"), "TestName": _column("code_text", type="varchar(60)"),
            "ResultValue": _column("value_quantity_value", type="decimal(12,4)"),
            "ResultText": _column("value_string", type="varchar(100)"),
            "Unit": _column("value_quantity_unit_source", type="varchar(20)"),
            "CollectedAt": _column("effective_datetime", type="datetime"), "ReportedAt": _column("issued", type="datetime"),
            "ResultStatus": _column("status", type="char(1)", value_map=RESULT_STATUS)}),
        "pharmacy_events": {"kind": "debezium_jsonl", "table": "dbo.Prescription", "resource": "medication_request",
                            "primary_key": ["PrescriptionID"], "columns": {
            "PrescriptionID": _column(type="int"), "RxNo": _column("identifier_value", type="varchar(20)"), **who,
            "RxNorm": _column("medication_code_code", type="varchar(20)", code_system=RXNORM),
            "DrugName": _column("medication_text", type="varchar(100)"), "Sig": _column("dosage_text", type="varchar(100)"),
            "Status": _column("status", type="char(1)", value_map={"A": "active", "S": "stopped"}),
            "OrderedAt": _column("authored_on", type="datetime")}},
        "theatre_parquet": {"kind": "dms_s3_parquet", "table": "dbo.Procedure", "resource": "procedure", "op_column": "Op",
                            "sequence_column": "AR_H_CHANGE_SEQ", "primary_key": ["ProcedureID"], "columns": {
            "ProcedureID": _column(type="int"), "ProcedureNo": _column("identifier_value", type="varchar(20)"), **who,
            "Snomed": _column("code_code", type="varchar(20)", code_system=SNOMED),
            "ProcedureName": _column("code_text", type="varchar(100)"),
            "Status": _column("status", type="char(1)", value_map={"P": "in-progress", "C": "completed", "E": "entered-in-error"}),
            "PerformedAt": _column("performed_datetime", type="datetime")}},
    }


def _oldmill() -> Mapping:
    shared: Mapping = {"encoding": "iso-8859-1", "null_markers": ["-", "NULL"], "trailer": {"prefix": "TRL", "row_count_field": 2}}
    number = _column("subject_identifier_value", pattern="^[0-9]{6}$")
    visit = _column("encounter_identifier_value")
    return {
        "patients": _extract("patient", "PATNO", "UPDT", {
            "PATNO": _column("identifier_value", pattern="^[0-9]{6}$"), "LNAME": _column("name_family"),
            "FNAME": _column("name_given"), "SEX": _column("gender", value_map={"1": "male", "2": "female", "9": "unknown"}),
            "DOB": _column("birth_date", type="date", date_format="%d-%b-%Y"), "ADDR": _column("address_line"),
            "CITY": _column("address_city"), "ST": _column("address_state"), "ZIP": _column("address_postal_code"),
            "TEL": _column("telecom_phone"), "UPDT": _moment("source_time", "%Y%m%d %H%M%S")}, **shared),
        "visits": _extract("encounter", "VISITNO", "STAMP", {
            "VISITNO": _column("identifier_value"), "PATNO": number,
            "TYP": _column("class_code", value_map={"W": "IMP", "C": "AMB", "U": "EMER"}),
            "STAT": _column("status", value_map={"1": "in-progress", "2": "finished", "9": "cancelled"}),
            "ADM": _moment("period_start", "%m/%d/%Y %H:%M"), "DIS": _moment("period_end", "%d.%m.%Y %H:%M"),
            "WARD": _column("location_point_of_care"), "DISP": _column("discharge_disposition_code", value_map=DISPOSITION),
            "STAMP": _moment("source_time", "%Y-%m-%d %H:%M:%S")}, **{**shared, "delimiter": "|"}),
        "results": _extract("observation", "LABNO", "STAMP", {
            "LABNO": _column("identifier_value"), "PATNO": number, "VISITNO": visit,
            "ORDNO": _column("based_on_identifier_value"), "TEST": _column("code_local_code"), "TNAME": _column("code_text"),
            "RES": _column("value_quantity_value"), "RTXT": _column("value_string"),
            "UNIT": _column("value_quantity_unit_source"), "COLL": _moment("effective_datetime", "%m-%d-%Y %H:%M"),
            "REPD": _moment("issued", "%Y/%m/%d %H:%M:%S"), "STAT": _column("status", value_map=RESULT_STATUS),
            "STAMP": _moment("source_time", "%Y%m%d %H%M%S")}, **{**shared, "delimiter": ";"}),
        "diagnoses": _extract("condition", "DXID", "STAMP", {
            "DXID": _column("identifier_value"), "PATNO": number, "VISITNO": visit, "ICD9": _column("code_local_code"),
            "DXTEXT": _column("code_text"), "ONSET": _column("onset_datetime", type="date", date_format="%d/%m/%Y"),
            "STAT": _column("clinical_status", value_map=CLINICAL),
            "VOID": _column("verification_status", value_map={"0": "confirmed", "1": "entered-in-error"}),
            "STAMP": _moment("source_time", "%Y-%m-%d %H:%M:%S")}, **shared),
    }


_PARTNERS: dict[str, Mapping] = {
    "riverside": {"trading_partners": {"CLEARONE": {
        "claim_versions": ["005010X222A1", "005010X223A2"], "remittance_versions": ["005010X221A1"],
        "eligibility_versions": ["005010X279A1"]}}},
}
_FEEDS = {"riverside": _riverside, "lakeside": _lakeside, "summit": _summit, "harbor": _harbor, "oldmill": _oldmill}


def feeds(style: str) -> Mapping:
    """The `sources` mapping of a style's registry entry, in the registry's keys."""
    return _FEEDS[style]()


def partners(style: str) -> Mapping:
    """The registry keys that say from whom else, and under which names, a style's feeds speak."""
    return _PARTNERS.get(style, {})
