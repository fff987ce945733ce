"""What FHIR R4 resources become in staging: keys, references, codes, dates, values and judgements (HL7 FHIR R4, 4.0.1)."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest

from tests.sql.fhir_resources import (
    ACT_CODE,
    BASE,
    LOINC,
    MRN,
    REGISTRY,
    RXNORM,
    SNOMED,
    US_CORE,
    Spelled,
    bundle,
    ndjson,
    observation,
    patient,
    quantity,
    resource,
)
from tests.sql.staging_tables import StagingTables

DBT_PARTS = ("staging/fhir",)
CVX = "http://hl7.org/fhir/sid/cvx"
SIMULATED, SECRET = "https://vendor.example.com/simulated", "https://vendor.example.com/secret"
ALLERGY = "http://terminology.hl7.org/CodeSystem/allergyintolerance-"
ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"


def _coded(*codings: tuple[str | None, str], **elements: Any) -> dict[str, Any]:
    return {"coding": [{**({"system": system} if system else {}), "code": code} for system, code in codings], **elements}


def _race(*codes: str) -> dict[str, Any]:
    parts = [{"url": "ombCategory", "valueCoding": {"code": code}} for code in codes]
    parts += [{"url": "detailed", "valueCoding": {"code": "1586-7"}}, {"url": "text", "valueString": "Mixed"}]
    return {"url": f"{US_CORE}race", "extension": parts}


def _encounter(name: str, /, **elements: Any) -> dict[str, Any]:
    return resource("Encounter", name, **{"status": "finished", "identifier": [{"value": f"V{name}"}], **elements})


PATIENTS = [
    patient("p1", birthDate="1980-02"),
    patient("of other words", identifier=[{"system": MRN, "value": "M9"}, {"system": "urn:x", "value": "9"}, {"system": "urn:x", "value": "9", "use": "old"}],
            extension=[_race("C", "2106-3", "2106-3")]),
    patient("of a tribe", extension=[{"url": f"{US_CORE}tribal-affiliation", "extension": []}] * 2, name=[{"text": "N"}], gender="male"),
    patient("p2", active=False, birthDate="2024-02-29", maritalStatus=_coded(("http://terminology.hl7.org/CodeSystem/v3-MaritalStatus", "M")),
            identifier=[{"system": "http://hl7.org/fhir/sid/us-ssn", "value": "999-00-0001"},
                        {"system": MRN, "value": "M2", "use": "usual", "type": _coded(("http://terminology.hl7.org/CodeSystem/v2-0203", "MR"))}],
            name=[{"use": "maiden", "family": "FORMER"}, {"use": "official", "family": "ALDER", "given": ["ROWAN", "KIM"], "suffix": ["JR"]}],
            telecom=[{"system": "phone", "use": "work", "value": "555-1"}, {"system": "phone", "use": "home", "value": "555-2"},
                     {"system": "phone", "use": "old", "value": "555-3", "rank": 1}, {"system": "email", "value": "a@x.example"}],
            address=[{"use": "old", "city": "Gone"}, {"line": ["1 Elm St", "Apt 2"], "city": "Axton", "state": "NY", "postalCode": "01001"}],
            extension=[_race("2106-3", "1002-5"), {"url": f"{US_CORE}birthsex", "valueCode": "F"}, {
                "url": f"{US_CORE}ethnicity", "extension": [{"url": "ombCategory", "valueCoding": {"code": "2186-5"}}]}]),
    patient("day with time", birthDate="1980-02-14T00:00:00Z"),
    patient("no such day", birthDate="2023-02-30"), patient("short month", birthDate="1980-2-14"),
    patient("no such update", meta={"lastUpdated": "2026-01-04 10:00"}),
    patient("new content", extension=[{"url": "https://vendor.example.com/colour", "valueString": "green"}]),
    patient("offset", meta={"versionId": "10", "lastUpdated": "2026-01-04T10:00:00.5-05:00"}),
    patient("word version", meta={"versionId": "a7"}),
]
OBSERVATIONS = [
    observation("plain"), observation("absolute", subject={"reference": f"{BASE}/Patient/p1"}),
    observation("of a version", subject={"reference": f"{BASE}/Patient/p1/_history/3"}),
    observation("elsewhere", subject={"reference": "https://other.example.net/fhir/Patient/p1"}),
    observation("conditional", subject={"reference": f"Patient?identifier={MRN}|Mp1"}),
    observation("encoded whole", subject={"reference": f"Patient?identifier={quote(MRN, safe='')}%7CMp1"}),
    observation("encoded", subject={"reference": f"{BASE}/Patient?identifier={MRN}%7CMp1"}),
    observation("logical", subject={"type": "Patient", "identifier": {"system": MRN, "value": "Mp1"}}),
    observation("named only", subject={"display": "Somebody"}), observation("of nobody", subject=None),
    observation("contained subject", subject={"reference": "#p1"}, contained=[{"resourceType": "Patient", "id": "p1"}]),
    observation("visit", encounter={"reference": "Encounter/e1"}),
    observation("visit by number", encounter={"identifier": {"system": MRN, "value": "V1"}}),
    observation("local code", code=_coded(("urn:oid:2.999.5.1", "GLU"), text="Sugar")),
    observation("unknown code", code=_coded((None, "2345-7"))), observation("text code", code={"text": "Sugar"}),
    observation("second coding", code=_coded(("urn:oid:2.999.5.1", "XGLU"), (LOINC, "2345-7"), (SNOMED, "33747003"))),
    observation("two decimals", valueQuantity=quantity("1.10")), observation("long decimal", valueQuantity=quantity("0.1000000000000000055")),
    observation("exponent", valueQuantity=quantity("1.5e2")), observation("negative", valueQuantity=quantity("-0.50")),
    observation("tricky text", valueQuantity=quantity("1.10"), note=[{"text": ": 5 mg, \": 7"}]),
    observation("below", valueQuantity=quantity("5", comparator="<")), observation("string", valueQuantity=None, valueString="<5"),
    observation("display unit", valueQuantity={"value": Spelled("7"), "unit": "K/uL"}),
    observation("no unit of ours", valueQuantity={"value": Spelled("7"), "unit": "smidgens"}),
    observation("annotated", valueQuantity=quantity("7", "{score}")),
    observation("absent", valueQuantity=None, dataAbsentReason=_coded((ABSENT, "unknown"))),
    observation("concept", valueQuantity=None, valueCodeableConcept=_coded(("urn:oid:2.999.5.1", "P"), (SNOMED, "10828004"), text="Pos")),
    observation("true", valueQuantity=None, valueBoolean=True), observation("whole", valueQuantity=None, valueInteger=12),
    observation("moment", valueQuantity=None, valueDateTime="2026-01-03T09:00:00-05:00"),
    observation("ratio", valueQuantity=None, valueRatio={"numerator": {"value": Spelled("1")}, "denominator": {"value": Spelled("128")}}),
    observation("range", valueQuantity=None, valueRange={"low": {"value": Spelled("1.5")}, "high": {"value": Spelled("2.5")}}),
    observation("no offset", effectiveDateTime="2026-01-03T09:00:00"), observation("late", effectiveDateTime="2026-01-04T03:30:00Z"),
    observation("day only", effectiveDateTime="2026-01-03"), observation("month only", effectiveDateTime="2026-01"),
    observation("clock change", effectiveDateTime="2026-03-08T04:30:00Z"), observation("hour repeated", effectiveDateTime="2026-11-02T04:30:00Z"),
    observation("period", effectiveDateTime=None, effectivePeriod={"start": "2026-01-02T09:00:00.120Z"}),
    observation("issued without time", issued="2024-05-01"),
    observation("nurse", performer=[{"reference": "#n"}], contained=[{"resourceType": "Practitioner", "id": "n", "name": [{"family": "Zed", "given": ["Al"]}]}]),
    observation("laboratory", performer=[{"reference": "#q"}], contained=[{"resourceType": "Organization", "id": "q", "name": "Lab Q"}]),
    observation("doctor", performer=[{"reference": "#dr"}], contained=[{"resourceType": "Practitioner", "id": "dr", "name": [{"text": "Dr One"}]}]),
    observation("simulated", modifierExtension=[{"url": SIMULATED, "valueBoolean": True}]),
    observation("not simulated", modifierExtension=[{"url": SIMULATED, "valueBoolean": False}]),
    observation("meaning unknown", modifierExtension=[{"url": SECRET, "valueBoolean": False}]),
    observation("deep meaning unknown", component=[{"code": {"text": "x"}, "modifierExtension": [{"url": SECRET, "valueBoolean": True}]}]),
]
OTHERS = [
    _encounter("e1", **{"class": {"system": ACT_CODE, "code": "EMER"}}, period={"start": "2026-01-03T23:00:00-05:00", "end": "2026-01-05"},
               participant=[{"individual": {"reference": "Practitioner/d1"}}],
               location=[{"location": {"display": "B12"}, "physicalType": _coded((None, "bd"))}, {"location": {"display": "ICU"}}]),
    _encounter("mapped class", **{"class": {"system": "https://vendor.example.com/class", "code": "12"}}),
    _encounter("unknown class", **{"class": {"system": "https://vendor.example.com/class", "code": "77"}}),
    _encounter("concept class", **{"class": _coded((None, "12"))}), _encounter("list class", **{"class": [_coded((ACT_CODE, "AMB"))]}),
    _encounter("word class", **{"class": "Ward stay"}), _encounter("text class", **{"class": {"text": "Ward stay"}}),
    _encounter("mapped status", status="discharged"), _encounter("unknown status", status="gone"),
    resource("Condition", "c1", code=_coded(("http://hl7.org/fhir/sid/icd-10-cm", "E11.9"), text="Diabetes"), onsetDateTime="2024-05",
             clinicalStatus=_coded(("http://terminology.hl7.org/CodeSystem/condition-clinical", "active"))),
    resource("AllergyIntolerance", "a1", subject=None, patient={"reference": "Patient/p1"}, clinicalStatus={"text": "Active"},
             code=_coded(("http://hl7.org/fhir/sid/ndc", "00093-4155-73"), (None, "12345"))),
    resource("AllergyIntolerance", "a2", subject=None, patient={"reference": "Patient/p1"}, code={"text": "Latex"},
             verificationStatus=_coded((f"{ALLERGY}verification", "entered-in-error"))),
    resource("MedicationRequest", "m1", status="active", medicationCodeableConcept=_coded((RXNORM, "314076"), text="lisinopril"), doNotPerform=True,
             authoredOn="2026-01-03", dosageInstruction=[{"text": "daily"}]),
    resource("Procedure", "r1", status="completed", code=_coded((SNOMED, "430193006")), performedPeriod={"start": "2026-01-03", "end": "2026-01-04"}),
    resource("ServiceRequest", "s1", status="active", code=_coded((LOINC, "58410-2")), authoredOn="2026-01-03", priority="stat"),
    resource("DiagnosticReport", "g1", status="final", code=_coded((LOINC, "58410-2")), issued="2026-01-03T09:00:00Z"),
    resource("Claim", "k1", status="active", patient={"reference": "Patient/p1"}, total={"value": Spelled("120.50")}, item=[{}, {}],
             type=_coded(("http://terminology.hl7.org/CodeSystem/claim-type", "professional"))),
    resource("Coverage", "v1", status="active", beneficiary={"reference": "Patient/p1"}, subscriberId="S1", payor=[{"display": "Payer"}]),
    resource("Immunization", "i1", subject=None, patient={"reference": "Patient/p1"}, status="completed", occurrenceDateTime="2026-01-03",
             vaccineCode=_coded((CVX, "140"), text="Influenza"), encounter={"reference": "Encounter/e1"}),
    resource("Immunization", "i2", subject=None, patient={"reference": "Patient/p1"}, status="not-done", occurrenceString="as a child",
             vaccineCode=_coded((None, "FLU"))),
    resource("MedicationAdministration", "t1", status="completed", medicationCodeableConcept=_coded((RXNORM, "314076")), context={"reference": "Encounter/e1"},
             effectivePeriod={"start": "2026-01-03T22:00:00-05:00", "end": "2026-01-04T02:00:00-05:00"}, request={"reference": "MedicationRequest/m1"},
             dosage={"text": "5 mg by mouth", "dose": quantity("5.0", "mg")}),
    resource("MedicationRequest", "m2", status="active", medicationReference={"reference": "#med"},
             contained=[{"resourceType": "Medication", "id": "med", "code": _coded((RXNORM, "1191"), text="Aspirin")}]),
    resource("MedicationRequest", "m3", status="active", medicationReference={"reference": "Medication/med", "display": "Tea"},
             contained=[{"resourceType": "Medication", "id": "med", "code": _coded((RXNORM, "1191"))}]),
    resource("MedicationAdministration", "t2", status="completed", medicationReference={"display": "Aspirin"}, effectiveDateTime="2026-01-03",
             dosage={"dose": {"value": Spelled("2"), "unit": "puffs of air"}}),
    resource("DocumentReference", "n1", status="current", type=_coded((LOINC, "18842-5")), date="2026-01-03T09:00:00-05:00",
             masterIdentifier={"system": "urn:ietf:rfc:3986", "value": "urn:oid:2.999.1"}, identifier=[{"system": "urn:x", "value": "N1"}],
             context={"encounter": [{"reference": "Encounter/e1"}]},
             content=[{"attachment": {"contentType": "text/plain", "data": "SGVs\r\nbG8=", "size": 99}}, {"attachment": {"contentType": "text/xml"}}]),
    resource("DocumentReference", "n2", status="current", identifier=[{"system": "urn:x", "value": "N2"}],
             content=[{"attachment": {"contentType": "application/pdf", "url": "Binary/b", "size": 4711}}]),
    resource("ImagingStudy", "x1", status="available", started="2026-01-03T09:00:00-05:00", numberOfSeries=2, numberOfInstances=30, description="Chest",
             identifier=[{"type": _coded((None, "ACSN")), "system": "urn:acc", "value": "A7"}, {"system": "urn:dicom:uid", "value": "urn:oid:2.999.7"}],
             modality=[{"code": "SR"}, {"code": "CT"}], series=[{"uid": "2.999.7.1", "modality": {"code": "CT"}}]),
    resource("ImagingStudy", "x2", status="available", identifier=[{"system": "urn:x", "value": "S2"}], series=[{"uid": "2.999.8.1", "modality": {"code": "US"}}]),
    resource("Practitioner", "d1", name=[{"family": "CEDAR", "given": ["LEE", "M"]}]),
    resource("Organization", "o1", name="North"), resource("Location", "l1", name="ICU", status="active"),
    {"resourceType": "OperationOutcome", "issue": []}, {"resourceType": "Slot", "id": "x"},
]
URN = "urn:uuid:0c1f3c1e-9e0a-4c55-8a0b-5f6d4d1a000"
TRANSACTION = bundle([
    {"fullUrl": f"{URN}1", "resource": {"resourceType": "Patient", "identifier": [{"system": "urn:x", "value": "1"}, {"system": MRN, "value": "Mx"}]}},
    {"fullUrl": f"{URN}2", "resource": {"resourceType": "Observation", "status": "final", "code": _coded((LOINC, "718-7")),
                                        "subject": {"reference": f"{URN}1"}}},
    {"fullUrl": f"{URN}3", "resource": {**patient("known"), "id": "known"}},
    {"fullUrl": f"{URN}4", "resource": observation("of known", subject={"reference": f"{URN}3"})},
])
DELETED = bundle([{"request": {"method": "DELETE", "url": "Observation/plain"}}], meta={"lastUpdated": "2026-01-05T00:00:00Z"})


@pytest.fixture(scope="module")
def built(shared_scratch) -> StagingTables:
    """Staging of all resources above, in one run."""
    shared_scratch.register(REGISTRY)
    for name, payload in {"patients": ndjson(PATIENTS), "results": ndjson(OBSERVATIONS), "others": ndjson(OTHERS),
                          "transaction": TRANSACTION, "deleted": DELETED}.items():
        shared_scratch.deliver("clinic", "bulk", "2026-01-05", payload, name)
    shared_scratch.build("staging.fhir")
    return StagingTables(shared_scratch, "fhir")


def picked(row: dict[str, Any], *columns: str) -> tuple[Any, ...]:
    """Values of some columns of a row."""
    return tuple(row[column] for column in columns)


def said(built: StagingTables, table: str, name: str, *columns: str) -> Any:
    """Columns of a resource's row that is no deletion; one column bare, several as a tuple."""
    rows = [row for row in built.table(table) if row["id"] == name and not row["is_deleted"]]
    assert len(rows) == 1
    return rows[0][columns[0]] if len(columns) == 1 else picked(rows[0], *columns)


def key(*parts: str | None) -> str:
    """Key of the architecture's seam: md5 over the parts, null marked."""
    return hashlib.md5("|".join("~" if part is None else part for part in parts).encode(), usedforsecurity=False).hexdigest()


P1 = key("clinic", "patient", "fhir", "p1")
BY_NUMBER = key("clinic", "patient", MRN, "Mp1")


def test_a_patient_is_keyed_by_its_id_and_shows_the_number_of_the_default_authority(built) -> None:
    """The logical id is the key; of several identifiers the default authority's is the business identifier."""
    assert said(built, "patient", "p1", "fact_key") == P1
    assert said(built, "patient", "p2", "identifier_system", "identifier_value") == (MRN, "M2")


def test_a_patient_without_id_is_keyed_by_its_business_identifier(built) -> None:
    """A resource to be created has no id: the default authority's number identifies it, as in the other dialects."""
    rows = [picked(row, "fact_key", "identifier_value") for row in built.table("patient") if row["id"] is None]
    assert rows == [(key("clinic", "patient", MRN, "Mx"), "Mx")]


@pytest.mark.parametrize("name", ["plain", "absolute", "of a version"])
def test_relative_and_own_absolute_references_are_one_patient(built, name) -> None:
    """Relative, absolute under the registered base and version-specific references mean the same record (R4 s2.28.0.2)."""
    assert said(built, "observation", name, "subject_key", "awaits_key") == (P1, P1)


@pytest.mark.parametrize("name", ["conditional", "encoded", "encoded whole", "logical"])
def test_conditional_and_logical_references_go_by_system_and_value(built, name) -> None:
    """They give the key of the patient with that identifier, of whatever dialect."""
    assert said(built, "observation", name, "subject_key") == BY_NUMBER


@pytest.mark.parametrize("name", ["elsewhere", "named only", "of nobody", "contained subject"])
def test_a_subject_that_nobody_can_know_is_awaited_for_ever(built, name) -> None:
    """Another server's p1, a display, nothing, or a contained patient are never taken for the patient p1."""
    subject, awaited = said(built, "observation", name, "subject_key", "awaits_key")
    assert awaited is not None
    assert subject == awaited
    assert awaited not in {row["fact_key"] for row in built.table("patient")}


def test_urn_references_resolve_inside_their_bundle(built) -> None:
    """fullUrl leads to the entry: by its id where it has one, else by its business identifier (R4 bundle.html#references)."""
    subjects = [row["subject_key"] for row in built.table("observation") if row["code_code"] == "718-7"]
    assert subjects == [key("clinic", "patient", MRN, "Mx")]
    assert said(built, "observation", "of known", "subject_key") == key("clinic", "patient", "fhir", "known")


def test_encounters_are_referred_to_by_id_or_number(built) -> None:
    """A reference gives the FHIR key, an identifier the key by number and the number itself."""
    assert said(built, "observation", "visit", "encounter_key") == key("clinic", "encounter", "fhir", "e1")
    expected = (key("clinic", "encounter", MRN, "V1"), "V1")
    assert said(built, "observation", "visit by number", "encounter_key", "encounter_identifier_value") == expected


def test_the_patient_in_use_is_read_from_its_lists(built) -> None:
    """Official name, home phone, current address; US Core race is the sorted list of OMB categories without detailed codes."""
    names = ("name_family", "name_given", "name_suffix", "telecom_phone", "telecom_email", "address_line", "address_city", "address_postal_code")
    assert said(built, "patient", "p2", *names) == ("ALDER", "ROWAN KIM", "JR", "555-2", "a@x.example", "1 Elm St, Apt 2", "Axton", "01001")
    coded = ("race_omb_codes", "race_text", "ethnicity_omb_code", "birth_sex", "marital_status_code", "gender", "active")
    assert said(built, "patient", "p2", *coded) == ("1002-5,2106-3", "Mixed", "2186-5", "F", "M", "female", False)


def test_a_category_outside_the_omb_sets_is_none_and_flagged(built) -> None:
    """Only OMB categories are codes of race, each once; another code under that name is a local one (US Core race, ombCategory)."""
    assert said(built, "patient", "of other words", "race_omb_codes", "flags") == ("2106-3", "code.unmapped_local")


def test_an_identifier_listed_twice_is_one(built) -> None:
    """One row an identifier: the key of a fact occurs once in a record."""
    rows = [(row["system"], row["value"], row["use"]) for row in built.table("patient_identifier") if row["id"] == "of other words"]
    assert sorted(rows) == [(MRN, "M9", None), ("urn:x", "9", None)]


def test_every_identifier_of_a_patient_is_a_by_product(built) -> None:
    """One row each, under the patient, deciding no outcome."""
    rows = sorted((row for row in built.table("patient_identifier") if row["id"] == "p2"), key=lambda row: str(row["value"]))
    owner = key("clinic", "patient", "fhir", "p2")
    assert [picked(row, "system", "value", "type_code", "is_fact", "subject_key") for row in rows] == [
        ("http://hl7.org/fhir/sid/us-ssn", "999-00-0001", None, False, owner), (MRN, "M2", "MR", False, owner)]


def test_dates_keep_their_precision(built) -> None:
    """Partial dates stay partial, instants become UTC without trailing zeros (R4 s2.24.0.1)."""
    assert said(built, "patient", "p1", "birth_date") == "1980-02"
    assert said(built, "patient", "p2", "birth_date") == "2024-02-29"
    assert said(built, "observation", "plain", "effective_datetime") == "2026-01-03T14:00:00Z"
    assert said(built, "observation", "period", "effective_datetime") == "2026-01-02T09:00:00.12Z"
    assert said(built, "condition", "c1", "onset_datetime") == "2024-05"


@pytest.mark.parametrize(("table", "name"), [("patient", "no such day"), ("patient", "short month"), ("patient", "no such update"),
                                             ("patient", "day with time"), ("observation", "issued without time"), ("observation", "no offset")])
def test_what_is_no_fhir_date_refuses_the_resource(built, table, name) -> None:
    """February 30th, one-digit months, a blank for T, a time without offset, a date with a time and an instant without one are none."""
    assert said(built, table, name, "reject_code") == "fhir.invalid_datetime"


@pytest.mark.parametrize(("name", "day"), [
    ("plain", date(2026, 1, 3)), ("late", date(2026, 1, 3)), ("day only", date(2026, 1, 3)), ("month only", date(2026, 1, 1)),
    ("clock change", date(2026, 3, 7)), ("hour repeated", date(2026, 11, 1))])
def test_the_service_date_is_the_facilitys_own_day(built, name, day) -> None:
    """An instant falls into the local day, also beside a clock change; a date is never shifted."""
    assert said(built, "observation", name, "service_date") == day


def test_versions_are_ordered_by_last_update_then_by_number(built) -> None:
    """lastUpdated is an instant; a numeric versionId sorts as a number, another as text; without lastUpdated receipt counts."""
    assert said(built, "patient", "offset", "source_time", "source_order") == (datetime(2026, 1, 4, 15, 0, 0, 500000), "10".zfill(20))
    assert said(built, "patient", "word version", "source_time", "source_order") == (datetime(2026, 1, 5, 12, 0), "a7")


def test_a_deletion_is_the_newest_version_of_its_fact(built) -> None:
    """It has the key of what it deletes, the time of its Bundle, and waits for nobody."""
    columns = ("fact_key", "source_time", "awaits_key", "is_fact", "reject_code")
    rows = [picked(row, *columns) for row in built.table("observation") if row["is_deleted"]]
    assert rows == [(key("clinic", "observation", "fhir", "plain"), datetime(2026, 1, 5), None, True, None)]


@pytest.mark.parametrize(("name", "expected"), [
    ("plain", ("2345-7", None, None)), ("second coding", ("2345-7", "XGLU", None)), ("local code", ("2345-7", "GLU", None)),
    ("unknown code", (None, "2345-7", "code.unmapped_local")), ("text code", (None, None, "code.unmapped_local"))])
def test_the_system_decides_what_a_code_is(built, name, expected) -> None:
    """A standard coding counts wherever it stands, a local one goes by the facility's map, a shape is never believed."""
    assert said(built, "observation", name, "code_code", "code_local_code", "flags") == expected


def test_the_other_codings_stay_as_translations(built) -> None:
    """Sorted list of system and code, the chosen one left out."""
    expected = f"{SNOMED}|33747003,urn:oid:2.999.5.1|XGLU"
    assert said(built, "observation", "second coding", "code_translations") == expected


@pytest.mark.parametrize(("name", "value", "source"), [
    ("plain", "95", "95"), ("two decimals", "1.10", "1.10"), ("long decimal", "0.1", "0.1000000000000000055"),
    ("exponent", "150", "1.5e2"), ("negative", "-0.5", "-0.50"), ("below", "5", "5"), ("whole", "12", "12")])
def test_numbers_are_decimals_and_keep_their_text(built, name, value, source) -> None:
    """No binary float stands between the sender's digits and the value."""
    assert said(built, "observation", name, "value_quantity_value", "value_quantity_value_source") == (Decimal(value), source)


def test_a_text_that_looks_like_a_number_member_stays_text(built) -> None:
    """The resource is read as sent, only the number's trailing zero may be lost."""
    assert said(built, "observation", "tricky text", "value_quantity_value", "reject_code") == (Decimal("1.1"), None)


def test_each_form_of_a_value_has_its_place(built) -> None:
    """value[x]: string, boolean, concept, moment, ratio, range, comparator and reason for absence."""
    assert said(built, "observation", "string", "value_string", "value_quantity_value") == ("<5", None)
    assert said(built, "observation", "true", "value_string") == "true"
    assert said(built, "observation", "below", "value_quantity_comparator") == "<"
    assert said(built, "observation", "absent", "data_absent_reason_code", "value_quantity_value") == ("unknown", None)
    concept = ("value_codeable_concept_code", "value_codeable_concept_system", "value_codeable_concept_text")
    assert said(built, "observation", "concept", *concept) == ("10828004", SNOMED, "Pos")
    assert said(built, "observation", "moment", "value_datetime") == "2026-01-03T14:00:00Z"
    assert said(built, "observation", "ratio", "value_ratio_numerator_value", "value_ratio_denominator_value") == (1, 128)
    assert said(built, "observation", "range", "value_range_low_value", "value_range_high_value") == (Decimal("1.5"), Decimal("2.5"))


@pytest.mark.parametrize(("name", "expected"), [
    ("plain", ("mg/dL", "mg/dL", None)), ("display unit", ("10*3/uL", "K/uL", None)), ("annotated", ("{score}", "{score}", None)),
    ("no unit of ours", (None, "smidgens", "unit.not_ucum"))])
def test_units_are_ucum_or_flagged(built, name, expected) -> None:
    """A UCUM code counts, a usual spelling is translated, anything else is kept as sent."""
    assert said(built, "observation", name, "value_quantity_unit", "value_quantity_unit_source", "flags") == expected


def test_modifier_extensions_are_obeyed_or_refused(built) -> None:
    """A registered one takes effect when its value says so; an unknown one at any depth refuses the resource (R4 s2.1.4.1)."""
    assert said(built, "observation", "simulated", "status", "reject_code") == ("entered-in-error", None)
    assert said(built, "observation", "not simulated", "status", "reject_code") == ("final", None)
    for name in ("meaning unknown", "deep meaning unknown"):
        assert said(built, "observation", name, "reject_code") == "fhir.unregistered_modifier_extension"


def test_an_unknown_extension_is_only_noted(built) -> None:
    """The patient counts and is flagged; parts of a known complex extension are no extensions of their own."""
    assert said(built, "patient", "new content", "reject_code", "flags") == (None, "fhir.unknown_extension")
    assert said(built, "patient", "p2", "flags") is None


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


def test_extensions_are_counted_with_their_registration(built) -> None:
    """Each url of a resource once with its number of uses; the profile's own are registered for everyone, a vendor's only by the facility."""
    used = {(row["url"], row["is_modifier"], row["is_registered"]): row["uses"] for row in built.table("extension_use")}
    assert used["https://vendor.example.com/colour", 0, 0] == 1
    assert used[f"{US_CORE}race", 0, 1] == 1
    assert used[f"{US_CORE}tribal-affiliation", 0, 1] == 2
    assert used[SIMULATED, 1, 1] == 1
    assert (SECRET, 1, 0) in used
    assert ("ombCategory", 0, 0) not in used


def test_every_resource_is_staged_once(built) -> None:
    """As many rows as resources were sent, whatever joins stand between, and no record twice."""
    counted = {"patient": len(PATIENTS) + 2, "observation": len(OBSERVATIONS) + 3, "encounter": 9}
    for table, count in counted.items():
        records = [row["record_id"] for row in built.table(table)]
        assert (len(records), len(set(records))) == (count, count)
