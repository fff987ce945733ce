"""The gate's judgement of a resource's form, against FHIR R4 (4.0.1): what is held, with which code, and where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.decoding import decode, facility
from transforms.decode.fhir.r4_schema import elements, resource_schema, resource_types
from transforms.decode.fhir.structure import breaches
from transforms.decode.json_text import JsonReader

STRUCTURE, MISSING, CODE = "fhir.invalid_structure", "fhir.missing_required_element", "fhir.invalid_code"
OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation", "id": "o1", "status": "final", "code": {"coding": [{"system": "http://loinc.org", "code": "2345-7"}]},
    "valueQuantity": {"value": 95.0, "unit": "mg/dL"}, "component": [{"code": {"text": "x"}, "valueInteger": 4}],
}
PATIENT: dict[str, Any] = {
    "resourceType": "Patient", "active": True, "name": [{"family": "ALDER", "given": ["ROWAN"]}], "birthDate": "1980-02",
    "multipleBirthInteger": 2, "text": {"status": "generated", "div": "<div/>"}, "meta": {"versionId": "1", "profile": ["http://x.example/p"]},
}


def judged(value: dict[str, Any], deviations: frozenset[str] = frozenset()) -> tuple[str, str] | None:
    """What the gate says of a resource as it comes from its text."""
    return breaches(str(value["resourceType"]), JsonReader().parse(json.dumps(value))[0], deviations)


@pytest.mark.parametrize("value", [
    OBSERVATION, PATIENT,
    {"resourceType": "Observation", "_status": {"extension": [{"url": "http://x.example/absent", "valueCode": "unknown"}]}, "code": {"text": "x"}},
    {"resourceType": "Patient", "name": [{"given": ["A", None], "_given": [None, {"id": "g2"}]}], "_birthDate": {"id": "b"}},
    {"resourceType": "Patient", "contact": [{"name": {"text": "N"}, "modifierExtension": [{"url": "http://x.example/m"}]}]},
    {"resourceType": "Patient", "contained": [{"resourceType": "Whatever", "x": 1}], "extension": [{"url": "http://x.example/e", "valueMoney": {"value": 1}}]},
    {"resourceType": "Encounter", "status": "gone home", "class": [{"coding": [{"code": "AMB"}]}]},
    {"resourceType": "AllergyIntolerance", "patient": {"reference": "Patient/1"}, "clinicalStatus": {"text": "Active"}},
    {"resourceType": "Immunization", "status": "completed", "vaccineCode": {"text": "x"}, "patient": {"display": "N"}, "occurrenceString": "in spring"},
    {"resourceType": "MedicationRequest", "status": "active", "intent": "order", "subject": {"reference": "Patient/1"}, "medicationReference": {"reference": "#m"},
     "dosageInstruction": [{"modifierExtension": [{"url": "http://x.example/m"}], "timing": {"modifierExtension": [{"url": "http://x.example/m"}]}}]},
    {"resourceType": "Slot", "nothing": "known"},
])
def test_what_r4_allows_passes(value: dict[str, Any]) -> None:
    """Choices, companions of primitives, nulls in step with them, any extension, contained resources, text for a code, types outside the model."""
    assert judged(value) is None


@pytest.mark.parametrize(("resource_type", "changes", "code", "path"), [
    ("Observation", {"code": None}, MISSING, "Observation.code"),
    ("Observation", {"status": None}, MISSING, "Observation.status"),
    ("Observation", {"status": "done"}, CODE, "Observation.status"),
    ("Observation", {"code": [{"text": "x"}]}, STRUCTURE, "Observation.code"),
    ("Observation", {"code": "x"}, STRUCTURE, "Observation.code"),
    ("Observation", {"component": [{"code": {"text": "x"}}, {"valueInteger": 4}]}, MISSING, "Observation.component[1].code"),
    ("Observation", {"component": [{"code": {"text": "x"}, "referenceRange": [{"lo": {}}]}]}, STRUCTURE, "Observation.component[0].referenceRange[0].lo"),
    ("Observation", {"valueQuantity": {"value": "95"}}, STRUCTURE, "Observation.valueQuantity.value"),
    ("Observation", {"valueQuantity": {"value": 95, "comparator": "~"}}, CODE, "Observation.valueQuantity.comparator"),
    ("Observation", {"valueThing": 1}, STRUCTURE, "Observation.valueThing"),
    ("Observation", {"code": {"text": 5}}, STRUCTURE, "Observation.code.text"),
    ("Patient", {"name": {"family": "ALDER"}}, STRUCTURE, "Patient.name"),
    ("Patient", {"name": ["ROWAN ALDER"]}, STRUCTURE, "Patient.name[0]"),
    ("Patient", {"active": "true"}, STRUCTURE, "Patient.active"),
    ("Patient", {"birthDate": 1980}, STRUCTURE, "Patient.birthDate"),
    ("Patient", {"gender": "F"}, CODE, "Patient.gender"),
    ("Patient", {"name": [{"family": ""}]}, STRUCTURE, "Patient.name[0].family"),
    ("Patient", {"identifier": [{"system": "my numbers", "value": "1"}]}, STRUCTURE, "Patient.identifier[0].system"),
    ("Patient", {"link": [{"type": "refer"}]}, MISSING, "Patient.link[0].other"),
    ("Patient", {"a b: 7": "x"}, STRUCTURE, "Patient.?"),
    ("Patient", {"extension": [{"valueString": "x"}]}, MISSING, "Patient.extension[0].url"),
    ("Immunization", {"status": "completed", "vaccineCode": {"text": "x"}, "patient": {}}, MISSING, "Immunization.occurrenceDateTime"),
    ("DocumentReference", {"status": "current", "content": []}, MISSING, "DocumentReference.content"),
])
def test_what_r4_forbids_is_held_with_its_place(resource_type: str, changes: dict[str, Any], code: str, path: str) -> None:
    """Cardinality, JSON type, element names, required elements and required bindings, at any depth; the place names no value."""
    base = {"Observation": OBSERVATION, "Patient": PATIENT}.get(resource_type, {"resourceType": resource_type})
    assert judged({key: value for key, value in {**base, **changes}.items() if value is not None}) == (code, path)


def test_the_outermost_fault_gives_the_reason_and_all_places_are_told() -> None:
    """Structure before what is missing before codes; five places, the others counted."""
    found = judged({"resourceType": "Observation", "status": "done", "x1": 1, "x2": 2, "x3": 3, "x4": 4, "x5": 5, "value": {"x": 1}})
    assert found == (STRUCTURE, "Observation.value, Observation.x1, Observation.x2, Observation.x3, Observation.x4 and 3 more")


def test_a_registered_deviation_is_let_through_alone() -> None:
    """The path without positions is what the facility registered; any other breach still holds the resource."""
    value = {"resourceType": "Patient", "address": [{"city": "A"}, {"buildingNumber": "7"}]}
    known = frozenset({"Patient.address.buildingNumber"})
    assert judged(value) == (STRUCTURE, "Patient.address[1].buildingNumber")
    assert judged(value, known) is None
    assert judged({**value, "gender": "F"}, known) == (CODE, "Patient.gender")


def test_a_bad_resource_is_held_alone_and_stays_readable() -> None:
    """Its neighbours pass, raw keeps its text, and the path goes to the unit; the registry's deviations reach the decoder."""
    lines = [json.dumps(PATIENT), json.dumps({**PATIENT, "shoeSize": "44"}), json.dumps(OBSERVATION)]
    held = decode(facility(), "fhir", "\n".join(lines).encode())
    assert held.codes() == [None, STRUCTURE, None]
    assert held.units[1]["reject_path"] == "Patient.shoeSize"
    assert [row["resource"] for row in held.rows("raw_fhir__resource")] == lines
    assert decode(facility("fhir_deviations: [Patient.shoeSize]\n"), "fhir", "\n".join(lines).encode()).codes() == [None, None, None]


def test_the_table_of_elements_is_whole() -> None:
    """Every type that an element has is a primitive, an extension point or in the table; every parent is an element or a type."""
    paths = {element.path for element in elements()}
    types = {path.split(".")[0] for path in paths}
    used = {kind for element in elements() for kind in element.types}
    assert {kind for kind in used if kind[0].isupper()} <= types | {"BackboneElement", "Element"}
    assert {kind[1:] for kind in used if kind.startswith("#")} <= paths
    assert {element.parent for element in elements() if "." in element.parent} <= paths
    assert all("$defs" in resource_schema(name) for name in resource_types())


def test_every_resource_of_the_model_is_judged() -> None:
    """The types of `fhir_resources()` and those whose form is known are the same."""
    text = (Path(__file__).parents[2] / "transforms/dbt/macros/fhir.sql").read_text(encoding="utf-8")
    listed = text[text.index("macro fhir_resources"):text.index("endmacro")]
    assert {part.split("'")[1] for part in listed.split(",") if "': '" in part} | {"Patient"} == set(resource_types())
