"""What publishers of corpora expect of their own files, and what the product says of them, as facts that can be compared.

A fact is a value of a field of a FHIR resource: the expectation states it in a Bundle, the product in a column of a version table. Only
identifiers, names, dates, codes and values are compared: what a converter adds beside them (extensions, displays, narratives) is its own.
Belongs here: pairs of files, Bundle -> facts, version rows -> facts. Does not belong here: who is right (`corpora_disagreements.yaml`).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.acceptance.corpora import ROOT

Facts = dict[str, set[str]]
"""Field (`patient.birth_date`) -> values, as text."""


def expected_pairs() -> dict[tuple[str, str], Path]:
    """(corpus, name of an input) -> the Bundle that its publisher expects of it."""
    converter = ROOT / "ms-fhir-converter"
    pairs = {}
    for folder in ("hl7v2", "ccda"):
        inputs = {path.stem: path for path in sorted((converter / folder / "input").iterdir())}
        for answer in sorted((converter / folder / "expected").rglob("*-expected.json")):
            if answer.name.removesuffix("-expected.json") in inputs:
                pairs["ms-fhir-converter", str(inputs[answer.name.removesuffix("-expected.json")].relative_to(converter))] = answer
    with (ROOT / "cdc-reportstream" / "cases.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["output_format"] == "FHIR" and row["result"] == "PASS" and row["input"].endswith(".hl7"):
                pairs.setdefault(("cdc-reportstream", row["input"]), ROOT / "cdc-reportstream" / row["expected"])
    return pairs


def stated_facts(bundle: Path) -> Facts:
    """Facts that a Bundle states."""
    facts: Facts = {}
    for entry in json.loads(bundle.read_bytes()).get("entry", []):
        resource = entry["resource"]
        for field, value in _FACTS.get(resource["resourceType"], lambda _: iter(()))(resource):
            if value is not None and str(value).strip():
                facts.setdefault(field, set()).add(str(value).strip())
    return facts


def _patient(resource: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for identifier in resource.get("identifier", []):
        yield "patient.identifier_value", identifier.get("value")
    for name in resource.get("name", []):
        yield "patient.name_family", name.get("family")
        yield "patient.name_given", " ".join(name.get("given", []))
    for address in resource.get("address", []):
        yield "patient.address_city", address.get("city")
        yield "patient.address_state", address.get("state")
        yield "patient.address_postal_code", address.get("postalCode")
    yield "patient.birth_date", resource.get("birthDate")
    yield "patient.gender", resource.get("gender")


def _encounter(resource: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for identifier in resource.get("identifier", []):
        yield "encounter.identifier_value", identifier.get("value")
    yield "encounter.class_code", resource.get("class", {}).get("code")
    yield "encounter.service_date", resource.get("period", {}).get("start", "")[:10]


def _observation(resource: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from _codes("observation", resource.get("code"))
    quantity = resource.get("valueQuantity", {})
    yield "observation.value", quantity.get("value", resource.get("valueString"))
    yield "observation.value_code", next((code["code"] for code in resource.get("valueCodeableConcept", {}).get("coding", []) if "code" in code), None)


def _coded(name: str) -> Callable[[Mapping[str, Any]], Iterator[tuple[str, Any]]]:
    element = {"immunization": "vaccineCode", "medication_request": "medicationCodeableConcept"}.get(name, "code")
    return lambda resource: _codes(name, resource.get(element))


def _codes(name: str, concept: Mapping[str, Any] | None) -> Iterator[tuple[str, Any]]:
    for coding in (concept or {}).get("coding", []):
        yield f"{name}.code", coding.get("code")


_FACTS: dict[str, Callable[[Mapping[str, Any]], Iterator[tuple[str, Any]]]] = {
    "Patient": _patient, "Encounter": _encounter, "Observation": _observation, "Condition": _coded("condition"),
    "AllergyIntolerance": _coded("allergy_intolerance"), "Immunization": _coded("immunization"), "Procedure": _coded("procedure"),
    "ServiceRequest": _coded("service_request"), "DiagnosticReport": _coded("diagnostic_report"),
    "MedicationRequest": _coded("medication_request"),
}


# Field -> columns of `canonical.<resource>_version`, any of which may say it.
_COLUMNS = {
    **{f"patient.{name}": (name,) for name in ("name_family", "name_given", "address_city", "address_state", "address_postal_code",
                                               "birth_date", "gender", "identifier_value")},
    **{f"encounter.{name}": (name,) for name in ("identifier_value", "class_code", "service_date")},
    "observation.value": ("value_quantity_value_source", "value_string"),
    "observation.value_code": ("value_codeable_concept_code",),
    "immunization.code": ("vaccine_code_code", "vaccine_local_code"),
    "medication_request.code": ("medication_code_code", "medication_local_code"),
    **{f"{name}.code": ("code_code", "code_local_code") for name in (
        "observation", "condition", "allergy_intolerance", "procedure", "service_request", "diagnostic_report")},
}


def product_facts(warehouse: Any, facility_id: str) -> dict[str, Facts]:
    """Facts that the version tables hold of each payload of a facility, by payload id."""
    found: dict[str, Facts] = {}
    for field, columns in _COLUMNS.items():
        resource = field.partition(".")[0]
        said = ", ".join(f"cast(stated.{column} as varchar)" for column in columns)
        for row in warehouse.query(
            f"select distinct stated.payload_id, unnest([{said}]) as value from LAKE.canonical.{resource}_version stated "
            "where stated.facility_id = ?", [facility_id]).to_pylist():
            if row["value"] is not None:
                found.setdefault(row["payload_id"], {}).setdefault(field, set()).add(row["value"].strip())
    return found

