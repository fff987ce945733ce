"""What rows of CSV extracts and AWS DMS change files become in staging: bound by name, read by the registry, judged cell by cell."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.sql.staging_tables import StagingTables

DBT_PARTS = ("staging/extract",)
MRN = "https://ngh.example.org/id/mrn"
LOINC, ICD10 = "http://loinc.org", "http://hl7.org/fhir/sid/icd-10-cm"
FACILITY = f"""
- facility_id: {{facility}}
  valid_from: {{valid_from}}
  name: Clinic
  region: north
  owner: data@clinic.example
  timezone: America/New_York
  charset: utf-8
  source_system: acme_emr
  default_authority: NGH
  authorities: {{{{NGH: '{MRN}'}}}}
  code_maps:
    encounter_class: {{{{W: {{{{system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: IMP}}}}}}}}
    observation: {{{{GLU: {{{{system: '{LOINC}', code: 2345-7}}}}}}}}
    medication_request: {{{{D1: {{{{system: 'http://www.nlm.nih.gov/research/umls/rxnorm', code: '6809'}}}}}}}}
  sources:
"""
DMS = "kind: dms_s3_csv, op_column: Op, sequence_column: AR_H_CHANGE_SEQ, null_value: 'NULL'"
CSV = "kind: csv_extract, delimiter: ',', encoding: utf-8, header: true, mode: delta"
PATIENTS = f"""
    {{name}}:
      {{{{{CSV}, resource: patient, key: [MRN], version_column: Updated, date_format: '{{day}}', datetime_format: '{{day}} %H:%M:%S',
       null_markers: ['NULL', '\\N', N/A], columns: {{{{
       MRN: {{{{maps_to: identifier_value, pattern: '^[0-9]{{{{8}}}}$'}}}}, LastName: {{{{maps_to: name_family}}}},
       Sex: {{{{maps_to: gender, value_map: {{{{'1': male, '2': female}}}}}}}}, BirthDate: {{{{maps_to: birth_date, type: date}}}},
       Phone: {{{{maps_to: telecom_phone}}}}, Updated: {{{{type: datetime, maps_to: source_time}}}}}}}}}}}}
"""
FEEDS = f"""
    visits:
      {{{CSV}, resource: encounter, key: [NO], version_column: STAMP, date_format: '%Y-%m-%d', datetime_format: '%Y-%m-%d %H:%M:%S',
       columns: {{NO: {{maps_to: identifier_value}}, PAT: {{maps_to: subject_identifier_value}}, TYP: {{maps_to: class_code}},
       STAT: {{maps_to: status, value_map: {{'1': in-progress, '9': cancelled}}}}, ADM: {{maps_to: period_start, type: datetime}},
       DIS: {{maps_to: period_end, type: datetime, timezone: UTC}}, WARD: {{maps_to: location_point_of_care}},
       STAMP: {{maps_to: source_time, type: datetime}}}}}}
    results:
      {{{CSV}, resource: observation, key: [NO, LINE], columns: {{NO: {{maps_to: identifier_value}}, LINE: {{}},
       PAT: {{maps_to: subject_identifier_value}}, VISIT: {{maps_to: encounter_identifier_value}}, TEST: {{maps_to: code_local_code}},
       NAME: {{maps_to: code_text}}, RES: {{maps_to: value_quantity_value}}, UNIT: {{maps_to: value_quantity_unit_source}},
       TAKEN: {{maps_to: effective_datetime, type: datetime, date_format: '%m/%d/%Y %H:%M'}}}}}}
    drugs:
      {{{CSV}, resource: medication_request, key: [RX], columns: {{RX: {{maps_to: identifier_value}}, PAT: {{maps_to: subject_identifier_value}},
       DRUG: {{maps_to: medication_local_code}}, NAME: {{maps_to: medication_text}}}}}}
    dms_patient:
      {{{DMS}, table: dbo.Patient, resource: patient, primary_key: [PatientID], before_image_prefix: BI_, columns: {{
       PatientID: {{type: int}}, MRN: {{type: varchar(20), maps_to: identifier_value}}, LastName: {{type: varchar(10), maps_to: name_family}},
       BirthDate: {{type: date, maps_to: birth_date}}, Seen: {{type: datetime}}, Weight: {{type: 'decimal(4,1)'}}}}}}
    bare:
      {{{DMS}, header: false, table: dbo.Bare, resource: patient, primary_key: [PatientID], columns: {{
       PatientID: {{type: int}}, MRN: {{type: varchar(20), maps_to: identifier_value}}, LastName: {{type: varchar(10), maps_to: name_family}}}}}}
    dms_diagnosis:
      {{{DMS}, table: dbo.Diagnosis, resource: condition, primary_key: [DiagnosisID], before_image_prefix: BI_, columns: {{
       DiagnosisID: {{type: bigint, maps_to: identifier_value}}, MRN: {{type: varchar(20), maps_to: subject_identifier_value}},
       Icd10: {{type: varchar(10), maps_to: code_code, code_system: '{ICD10}'}}, Onset: {{type: datetime, maps_to: onset_datetime}}}}}}
"""
REGISTRY = "".join([
    "registry_version: 1\nfirst_batch_date: 2026-01-01\nfacilities:",
    FACILITY.format(facility="clinic", valid_from="2026-01-01"), PATIENTS.format(name="patients", day="%m/%d/%Y"), FEEDS,
    FACILITY.format(facility="dayfirst", valid_from="2026-01-01"), PATIENTS.format(name="patients", day="%d/%m/%Y"),
    FACILITY.format(facility="dayfirst", valid_from="2026-02-01"), PATIENTS.format(name="patients", day="%Y-%m-%d"),
])
HEAD = "MRN,LastName,Sex,BirthDate,Phone,Updated\n"
STAMP = "01/05/2026 08:00:00"
SEQ = "2026010410000012000000000000000000"
FILES: list[tuple[str, str, str, str]] = [  # facility, source, batch date, text
    ("clinic", "patients", "2026-01-05", HEAD + "".join(f"{row}\n" for row in (
        f'00000001,ALDER,2,02/14/1980,"555-1 ""rear""",{STAMP}', f"00000002,Null,1,NULL,\\N,{STAMP}", f"00000003,ALDER,X,02/14/1980,n/a,{STAMP}",
        f"00000004,ALDER,,02/14/1980,,{STAMP}", f"5,ALDER,2,02/14/1980,555-1,{STAMP}", f"1.20E+07,ALDER,2,02/14/1980,555-1,{STAMP}",
        f"00000007,ALDER,2,29265,555-1,{STAMP}", f"00000008,ALDER,2,14-Feb-80,555-1,{STAMP}", f"00000009,ALDER,2,14.02.1980,555-1,{STAMP}",
        f"00000010,ALDER,2,02/30/1980,555-1,{STAMP}", f"N/A,ALDER,2,02/14/1980,555-1,{STAMP}", "00000012,ALDER,2,02/14/1980,555-1,03/08/2026 02:30:00",
        "00000013,ALDER,2,02/14/1980,555-1,11/01/2026 01:30:00"))),
    ("clinic", "patients", "2026-01-06", f"Updated,BirthDate,MRN\n{STAMP},02/15/1980,00000014\n"),
    ("dayfirst", "patients", "2026-01-05", HEAD + "00000001,ALDER,2,03/04/1980,555-1,13/01/2026 08:00:00\n00000002,ALDER,2,12/31/1980,555-1,13/01/2026 08:00:00\n"),
    ("dayfirst", "patients", "2026-02-05", HEAD + "00000003,ALDER,2,1980-04-03,555-1,2026-01-13 08:00:00\n"),
    ("clinic", "visits", "2026-01-05", "NO,PAT,TYP,STAT,ADM,DIS,WARD,STAMP\nV1,00000001,W,1,2026-01-03 23:30:00,2026-01-05 03:00:00,ICU,2026-01-05 08:00:00\n"
                                       "V2,00000001,AMB,7,2026-01-03 23:30:00,,,2026-01-05 08:00:00\nV3,,Q,9,,,,2026-01-05 08:00:00\n"),
    ("clinic", "results", "2026-01-05", "NO,LINE,PAT,VISIT,TEST,NAME,RES,UNIT,TAKEN\nR1,1,00000001,V1,GLU,Sugar,95.10,MG/DL,01/03/2026 23:30\n"
                                        "R1,2,00000001,,XX,Other,<5,smidgens,01/03/2026 23:30\nR1,3,00000001,,GLU,Sugar,positive,,1/3/2026 9:05\n"),
    ("clinic", "drugs", "2026-01-05", "RX,PAT,DRUG,NAME\nX1,00000001,D1,Drug one\nX2,00000001,,Drug two\n"),
    ("clinic", "dms_patient", "2026-01-05", "Op,AR_H_CHANGE_SEQ,PatientID,MRN,LastName,BirthDate,Seen,Weight,BI_PatientID\n" + "".join(f"{row}\n" for row in (
        "I,,1,M1,ALDER,1980-02-14,2026-01-03 10:00:00,70.5,NULL", f"U,{SEQ}1,2,M2,,1980-02-14,2026-01-03 10:00:00.123000,NULL,NULL",
        f"D,{SEQ}2,3,M3,ALDER,1980-02-14,NULL,70.5,NULL", f"I,{SEQ}3,3000000000,M4,ALDER,1980-02-14,NULL,70.5,NULL",
        f"I,{SEQ}4,5,M5,LONGER THAN TEN,1980-02-14,NULL,70.5,NULL", f"I,{SEQ}5,ABC,M6,ALDER,1980-02-14,NULL,70.5,NULL",
        f"I,{SEQ}6,7,M7,ALDER,14.02.1980,NULL,70.5,NULL", f"I,{SEQ}7,8,M8,ALDER,1980-02-14,yesterday,70.5,NULL",
        f"I,{SEQ}8,9,M9,ALDER,1980-02-14,NULL,heavy,NULL", f"I,{SEQ}9,NULL,M10,ALDER,1980-02-14,NULL,70.5,NULL", "U,0x1F,11,M11,ALDER,NULL,NULL,NULL,NULL"))),
    ("clinic", "dms_patient", "2026-01-06", f"Op,AR_H_CHANGE_SEQ,PatientID,MRN,FamilyName,BirthDate,Seen,Weight\nU,{SEQ}1,21,M21,ALDER,NULL,NULL,NULL\n"),
    ("clinic", "dms_patient", "2026-01-07", f"Op,AR_H_CHANGE_SEQ,PatientID,MRN,LastName,BirthDate,Seen,Weight,Portal\nU,{SEQ}1,22,M22,ALDER,NULL,NULL,NULL,Y\n"),
    ("clinic", "bare", "2026-01-05", f"I,{SEQ}1,31,M31,NULL\n"),
    ("clinic", "dms_diagnosis", "2026-01-05", "Op,AR_H_CHANGE_SEQ,DiagnosisID,MRN,Icd10,Onset,BI_DiagnosisID\n"
                                              f"U,{SEQ}1,11,00000001,E119,2026-01-03 23:30:00.000000,1\n"),
]


@pytest.fixture(scope="module")
def built(shared_scratch) -> StagingTables:
    """Staging of all files above, in one run."""
    shared_scratch.register(REGISTRY)
    for facility, source, day, text in FILES:
        shared_scratch.deliver(facility, source, day, text.encode())
    shared_scratch.build("staging.extract")
    return StagingTables(shared_scratch, "extract")


def said(built: StagingTables, table: str, number: str, *columns: str, facility: str = "clinic") -> Any:
    """Columns of the row with a business identifier; one column bare, several as a tuple."""
    rows = [row for row in built.table(table) if row["identifier_value"] == number and row["facility_id"] == facility]
    assert len(rows) == 1
    found = tuple(rows[0][column] for column in columns)
    return found[0] if len(found) == 1 else found


def key(*parts: str | None) -> str:
    """Key of the architecture's seam: md5 over the parts, null marked."""
    return hashlib.md5("|".join("~" if part is None else part for part in parts).encode(), usedforsecurity=False).hexdigest()


def test_patients_and_visits_meet_the_other_dialects_by_number(built) -> None:
    """Keys are facility, resource, default authority and business identifier, for the row and for what it refers to."""
    patient = key("clinic", "patient", MRN, "00000001")
    assert said(built, "patient", "00000001", "fact_key", "identifier_system", "is_fact") == (patient, MRN, True)
    assert said(built, "encounter", "V1", "fact_key", "subject_key") == (key("clinic", "encounter", MRN, "V1"), patient)
    drug = said(built, "medication_request", "X1", "subject_key", "fact_key", "awaits_key")
    assert drug == (patient, key("clinic", "medication_request", "drugs", "X1", None, None, None), None)


def test_other_rows_are_keyed_by_source_and_row_key(built) -> None:
    """Two lines of one number are two facts; their patient and visit are known by number."""
    rows = {row["fact_key"]: row for row in built.table("observation")}
    first = rows[key("clinic", "observation", "results", "R1", "1", None, None)]
    assert len(rows) == 3
    assert first["encounter_key"] == key("clinic", "encounter", MRN, "V1")
    assert first["subject_key"] == key("clinic", "patient", MRN, "00000001")


def test_columns_are_bound_by_name(built) -> None:
    """A file with other order and fewer columns is read right; what it lacks is absent, not null."""
    assert said(built, "patient", "00000014", "birth_date", "name_family") == ("1980-02-15", None)
    assert said(built, "patient", "00000014", "birth_date_mark", "name_mark", "telecom_mark", "address_mark") == ("V", None, None, None)


def test_null_markers_are_exact(built) -> None:
    """Registered markers and the empty field are null; the surname Null and an unregistered n/a stay text."""
    assert said(built, "patient", "00000001", "telecom_phone", "telecom_mark") == ('555-1 "rear"', "V")
    assert said(built, "patient", "00000002", "name_family", "birth_date", "telecom_phone", "telecom_mark") == ("Null", None, None, "N")
    assert said(built, "patient", "00000003", "telecom_phone") == "n/a"
    assert said(built, "patient", "00000004", "telecom_phone", "gender_mark") == (None, "N")
    assert said(built, "patient", "M2", "name_family", "name_mark") == (None, "N")


def test_coded_values_go_by_the_feeds_map(built) -> None:
    """A value that the map does not know is null and flagged, never passed through."""
    assert said(built, "patient", "00000001", "gender", "flags") == ("female", None)
    assert said(built, "patient", "00000003", "gender", "flags") == (None, "code.unmapped_local")
    assert said(built, "encounter", "V1", "class_code", "class_local_code", "status", "flags") == ("IMP", "W", "in-progress", None)
    assert said(built, "encounter", "V2", "class_code", "status", "flags") == ("AMB", None, "code.unmapped_local")
    assert said(built, "encounter", "V3", "class_code", "class_local_code", "status") == (None, "Q", "cancelled")


@pytest.mark.parametrize(("number", "code"), [
    ("5", "csv.excel_mangled"), ("1.20E+07", "csv.excel_mangled"), ("00000007", "csv.excel_mangled"), ("00000008", "csv.excel_mangled"),
    ("00000009", "time.invalid"), ("00000010", "time.invalid"), (None, "csv.excel_mangled"), ("00000001", None)])
def test_a_cell_against_its_contract_refuses_its_row(built, number, code) -> None:
    """Lost zeros, exponents, serial days and d-mmm-yy are a spreadsheet's work; another wrong date is invalid; a key must be there."""
    assert said(built, "patient", number, "reject_code") == code


def test_dates_are_read_in_the_registered_order_only(built) -> None:
    """Day first is read day first, by the entry in force on the batch date; no falling back to month first."""
    assert said(built, "patient", "00000001", "birth_date", facility="dayfirst") == "1980-04-03"
    assert said(built, "patient", "00000002", "reject_code", facility="dayfirst") == "time.invalid"
    assert said(built, "patient", "00000003", "birth_date", "source_time", facility="dayfirst") == ("1980-04-03", datetime(2026, 1, 13, 13))


def test_wall_clock_times_become_utc_by_their_columns_zone(built) -> None:
    """The facility's zone where the column names none; days are the facility's own."""
    assert said(built, "encounter", "V1", "period_start", "period_end") == ("2026-01-04T04:30:00Z", "2026-01-05T03:00:00Z")
    assert said(built, "encounter", "V1", "service_date", "service_end_date") == (date(2026, 1, 3), date(2026, 1, 4))
    assert said(built, "patient", "00000001", "source_time", "source_order") == (datetime(2026, 1, 5, 13), "")


def test_doubtful_local_times_are_decided_and_flagged(built) -> None:
    """In a gap the offset before it, in an overlap the first occurrence (RFC 5545 s3.3.5)."""
    assert said(built, "patient", "00000012", "source_time", "flags") == (datetime(2026, 3, 8, 7, 30), "time.nonexistent_local")
    assert said(built, "patient", "00000013", "source_time", "flags") == (datetime(2026, 11, 1, 5, 30), "time.ambiguous_local")


def test_values_are_numbers_only_where_they_are(built) -> None:
    """A plain decimal with or without comparator is a quantity, other text is a string; units are UCUM or flagged."""
    rows = {row["fact_key"]: row for row in built.table("observation")}
    number, below, word = (rows[key("clinic", "observation", "results", "R1", line, None, None)] for line in "123")
    columns = ("value_quantity_value", "value_quantity_value_source", "value_quantity_comparator", "value_string", "value_quantity_unit", "code_code", "flags")
    assert [number[c] for c in columns] == [Decimal("95.1"), "95.10", None, None, "mg/dL", "2345-7", None]
    assert [below[c] for c in columns] == [5, "5", "<", None, None, None, "code.unmapped_local,unit.not_ucum"]
    assert [word[c] for c in columns] == [None, None, None, "positive", None, "2345-7", None]
    assert (number["effective_datetime"], number["service_date"]) == ("2026-01-04T04:30:00Z", date(2026, 1, 3))
    assert word["effective_datetime"] == "2026-01-03T14:05:00Z"
    assert number["source_time"] == datetime(2026, 1, 5, 12)


def test_codes_go_by_column_system_or_map(built) -> None:
    """A column of a standard system holds the code, with its point; a local code goes by the map, a text alone is flagged."""
    assert said(built, "medication_request", "X1", "medication_code_code", "medication_local_code", "flags") == ("6809", "D1", None)
    assert said(built, "medication_request", "X2", "medication_code_code", "medication_text", "flags") == (None, "Drug two", "code.unmapped_local")
    found = [(row["code_code"], row["code_system"], row["onset_datetime"]) for row in built.table("condition") if not row["is_deleted"]]
    assert found == [("E11.9", ICD10, "2026-01-04T04:30:00Z")]


def test_changes_are_ordered_by_their_sequence(built) -> None:
    """The commit time in AR_H_CHANGE_SEQ is the source time, the whole text orders; a full-load row has none and is as old as its receipt; D deletes."""
    assert said(built, "patient", "M2", "source_time", "source_order", "is_deleted") == (datetime(2026, 1, 4, 10, 0, 0, 120000), f"{SEQ}1", False)
    full_load = said(built, "patient", "M1", "source_time", "source_order")
    assert full_load == (datetime(2026, 1, 5, 12), "")
    assert said(built, "patient", "M11", "source_time", "source_order") == (datetime(2026, 1, 5, 12), "0x1F")
    assert said(built, "patient", "M3", "is_deleted", "name_family") == (True, "ALDER")


@pytest.mark.parametrize(("number", "code", "flags"), [
    ("M1", None, None), ("M4", None, "cdc.type_widened"), ("M5", None, "cdc.type_widened"), ("M6", "cdc.type_incompatible", None),
    ("M7", "cdc.type_incompatible", None), ("M8", "cdc.type_incompatible", None), ("M9", "cdc.type_incompatible", None),
    ("M10", "cdc.type_incompatible", None)])
def test_change_rows_keep_their_types_or_are_flagged_or_refused(built, number, code, flags) -> None:
    """A value of a wider type is accepted whole; one of another type, dates and unmapped columns included, refuses its row."""
    assert said(built, "patient", number, "reject_code", "flags") == (code, flags)
    if number == "M5":
        assert said(built, "patient", number, "name_family") == "LONGER THAN TEN"


def test_a_change_of_key_moves_the_row(built) -> None:
    """The before image departs: the old key gets a deletion of the same change, the new key the row."""
    found = {(row["fact_key"], row["is_deleted"], row["source_order"]) for row in built.table("condition")}
    old, new = (key("clinic", "condition", "dbo.Diagnosis", number, None, None, None) for number in ("1", "11"))
    assert found == {(old, True, f"{SEQ}1"), (new, False, f"{SEQ}1")}


def test_the_header_is_held_against_the_contract(built) -> None:
    """A missing column refuses the file's rows, an added one flags them; control and before-image columns are no addition."""
    units = {row["unit_id"]: row["identifier_value"] for row in built.table("patient")}
    found = sorted((units[row["unit_id"]], row["reason"], row["reason_kind"]) for row in built.table("unit_rule"))
    assert found == [("00000014", "csv.column_missing", "quarantine"), ("M21", "cdc.column_added", "flag"),
                     ("M21", "cdc.column_missing", "quarantine"), ("M22", "cdc.column_added", "flag")]


def test_each_difference_from_the_contract_names_its_column(built) -> None:
    """Missing, added, unfit and widened columns are told by name, with the rows that they touch."""
    days = {row["delivery_id"]: (row["source"], row["batch_date"].day) for row in built.table("feed")}
    found = sorted((*days[row["delivery_id"]], row["change"], row["column_name"], row["affected_rows"])
                   for row in built.table("column_change") if row["facility_id"] == "clinic")
    assert found == [
        ("dms_patient", 5, "unfit", "BirthDate", 1), ("dms_patient", 5, "unfit", "PatientID", 2), ("dms_patient", 5, "unfit", "Seen", 1),
        ("dms_patient", 5, "unfit", "Weight", 1), ("dms_patient", 5, "widened", "LastName", 1), ("dms_patient", 5, "widened", "PatientID", 1),
        ("dms_patient", 6, "added", "FamilyName", 1), ("dms_patient", 6, "missing", "LastName", 1), ("dms_patient", 7, "added", "Portal", 1),
        ("patients", 5, "unfit", "BirthDate", 4), ("patients", 5, "unfit", "MRN", 3),
        ("patients", 6, "missing", "LastName", 1), ("patients", 6, "missing", "Phone", 1), ("patients", 6, "missing", "Sex", 1),
    ]


def test_a_file_without_header_has_the_contracts_order(built) -> None:
    """Operation and sequence come first, then the contracted columns."""
    assert said(built, "patient", "M31", "name_family", "name_mark", "source_order") == (None, "N", f"{SEQ}1")


def test_the_number_of_a_patient_row_is_a_by_product(built) -> None:
    """One identifier a patient row with a number."""
    row = said(built, "patient_identifier", "00000001", "system", "value", "type_code", "is_fact", "subject_key")
    assert row == (MRN, "00000001", "MR", False, key("clinic", "patient", MRN, "00000001"))


def test_an_open_visit_is_not_cancelled_by_silence(built) -> None:
    """A feed that states a status takes back an earlier cancellation; one that does not leaves it."""
    assert said(built, "encounter", "V1", "status_event", "status_event_mark") == (None, "N")
