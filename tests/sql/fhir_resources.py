"""A registry entry and small FHIR R4 resources for tests of FHIR staging.

What belongs here: builders of resources as senders write them. Not here: expected answers.
"""

from __future__ import annotations

import json
from typing import Any

from tests.case_registry import CLINIC

MRN = "https://ngh.example.org/id/mrn"
BASE = "https://ehr.example.org/fhir/r4"
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
REGISTRY = CLINIC.replace("us-ascii", "utf-8") + f"""\
    default_authority: NGH
    authorities: {{NGH: '{MRN}'}}
    fhir_base_urls: ['{BASE}/']
    known_extensions: ['{US_CORE}race', '{US_CORE}ethnicity', '{US_CORE}birthsex']
    modifier_extensions:
      https://vendor.example.com/simulated: {{when: true, set_status: entered-in-error}}
    code_maps:
      encounter_class:
        '12': {{system: '{ACT_CODE}', code: IMP}}
        Ward stay: {{system: '{ACT_CODE}', code: IMP}}
      encounter_status:
        discharged: {{system: 'http://hl7.org/fhir/encounter-status', code: finished}}
      allergy_clinical_status:
        Active: {{system: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical', code: active}}
      observation:
        GLU: {{system: '{LOINC}', code: 2345-7}}
    sources:
      bulk: {{kind: fhir_ndjson}}
"""


def resource(resource_type: str, name: str, /, **elements: Any) -> dict[str, Any]:
    """A resource of patient p1 (where it is about one), last updated on 2026-01-04 at 10:00 UTC; null elements are left out."""
    found: dict[str, Any] = {"resourceType": resource_type, "id": name,
                             "meta": {"versionId": "1", "lastUpdated": "2026-01-04T10:00:00Z"}}
    if resource_type not in ("Patient", "Organization", "Location", "Practitioner"):
        found["subject"] = {"reference": "Patient/p1"}
    return {key: value for key, value in {**found, **elements}.items() if value is not None}


def patient(name: str, /, **elements: Any) -> dict[str, Any]:
    """A patient whose record number is M and its id."""
    return resource("Patient", name, **{"identifier": [{"system": MRN, "value": f"M{name}"}], "gender": "female", **elements})


def observation(name: str, /, **elements: Any) -> dict[str, Any]:
    """A final glucose of 95 mg/dL."""
    given = {"status": "final", "code": {"coding": [{"system": LOINC, "code": "2345-7"}]},
             "effectiveDateTime": "2026-01-03T09:00:00-05:00", "valueQuantity": quantity("95"), **elements}
    return resource("Observation", name, **given)


class Spelled(float):
    """A number that is written digit by digit as given."""

    def __new__(cls, text: str) -> Spelled:
        made = super().__new__(cls, text)
        made.text = text
        return made

    def __repr__(self) -> str:
        return str(self.text)


def quantity(value: str, unit: str = "mg/dL", /, **elements: Any) -> dict[str, Any]:
    """A Quantity in UCUM, its number spelled as given."""
    return {"value": Spelled(value), "unit": unit, "system": "http://unitsofmeasure.org", "code": unit, **elements}


def ndjson(resources: list[dict[str, Any]]) -> bytes:
    """Bulk Data file: one resource a line."""
    return "\n".join(_json(one) for one in resources).encode()


def _json(value: Any) -> str:
    if isinstance(value, Spelled):
        return value.text
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_json(item) for item in value) + "]"
    return json.dumps(value)


def bundle(entries: list[dict[str, Any]], /, **elements: Any) -> bytes:
    """A transaction Bundle of entries as given."""
    return _json({"resourceType": "Bundle", "type": "transaction", **elements, "entry": entries}).encode()
