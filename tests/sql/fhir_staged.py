"""The FHIR R4 resources whose staging is tested, and how what became of them is looked up.

What belongs here: resources that differ in one thing each, named by it. Not here: expected answers, and how a resource is written (`fhir_resources`).
"""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import quote

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


def stage(scratch: Any) -> StagingTables:
    """Staging of all resources above, in one run."""
    scratch.register(REGISTRY)
    for name, payload in {"patients": ndjson(PATIENTS), "results": ndjson(OBSERVATIONS), "others": ndjson(OTHERS),
                          "transaction": TRANSACTION, "deleted": DELETED}.items():
        scratch.deliver("clinic", "bulk", "2026-01-05", payload, name)
    scratch.build("staging.fhir")
    return StagingTables(scratch, "fhir")


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
