"""Writes `transforms/decode/fhir/r4_element.csv` anew from the StructureDefinitions of FHIR R4 (4.0.1).

    python -m tests.fhir_definitions.write_elements FOLDER     # a folder of StructureDefinition JSON files, one a type

Only facts of the standard are taken: path, cardinality, types. The codes of required bindings stand in value sets, which the definitions only
name; `CODES` lists those of the standard (R4 terminologies-valuesets.html). Run by hand when a resource type joins `fhir_resources()`.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.conftest import PROJECT

TABLE = PROJECT / "transforms" / "decode" / "fhir" / "r4_element.csv"
RESOURCES = (
    "AllergyIntolerance", "Claim", "Condition", "Coverage", "DiagnosticReport", "DocumentReference", "Encounter", "ImagingStudy", "Immunization",
    "Location", "MedicationAdministration", "MedicationRequest", "Observation", "Organization", "Patient", "Practitioner", "Procedure",
    "ServiceRequest",
)
# Value sets of required bindings on elements of type code. Left out, and so not judged: MIME types, currencies, EventTiming.
CODES = {
    "address-type": "postal physical both", "address-use": "home work temp old billing", "administrative-gender": "male female other unknown",
    "allergy-intolerance-category": "food medication environment biologic", "allergy-intolerance-criticality": "low high unable-to-assess",
    "allergy-intolerance-type": "allergy intolerance", "claim-use": "claim preauthorization predetermination",
    "composition-status": "preliminary final amended entered-in-error", "contact-point-system": "phone fax email pager url sms other",
    "contact-point-use": "home work temp old mobile", "days-of-week": "mon tue wed thu fri sat sun",
    "diagnostic-report-status": "registered partial preliminary final amended corrected appended cancelled entered-in-error unknown",
    "document-reference-status": "current superseded entered-in-error", "document-relationship-type": "replaces transforms signs appends",
    "encounter-location-status": "planned active reserved completed",
    "encounter-status": "planned arrived triaged in-progress onleave finished cancelled entered-in-error unknown",
    "event-status": "preparation in-progress not-done on-hold stopped completed entered-in-error unknown",
    "fm-status": "active cancelled draft entered-in-error", "identifier-use": "usual official temp secondary old",
    "imagingstudy-status": "registered available cancelled entered-in-error unknown", "immunization-status": "completed entered-in-error not-done",
    "link-type": "replaced-by replaces refer seealso", "location-mode": "instance kind", "location-status": "active suspended inactive",
    "medication-admin-status": "in-progress not-done on-hold completed entered-in-error stopped unknown",
    "medicationrequest-intent": "proposal plan order original-order reflex-order filler-order instance-order option",
    "medicationrequest-status": "active on-hold cancelled completed entered-in-error stopped draft unknown",
    "name-use": "usual official temp nickname anonymous old maiden", "narrative-status": "generated extensions additional empty",
    "observation-status": "registered preliminary final amended corrected cancelled entered-in-error unknown",
    "quantity-comparator": "< <= >= >", "reaction-event-severity": "mild moderate severe",
    "request-intent": "proposal plan directive order original-order reflex-order filler-order instance-order option",
    "request-priority": "routine urgent asap stat", "request-status": "draft active on-hold revoked completed entered-in-error unknown",
    "units-of-time": "s min h d wk mo a",
}
PART = ("BackboneElement", "Element")


def main(folder: Path) -> None:
    """Write the table for the resource types above and all data types that they use."""
    definitions = {found["id"]: found for path in sorted(folder.glob("*.json")) if (found := json.loads(path.read_text(encoding="utf-8")))}
    wanted, rows = [*RESOURCES, "Meta", "Narrative"], list[tuple[str, ...]]()
    for name in wanted:  # grows while it is read
        for row in _rows(definitions[name]):
            rows.append(row)
            wanted += [kind for kind in row[3].split() if _is_complex(definitions, kind) and kind not in wanted]
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("path", "min", "max", "types", "codes"))
        writer.writerows(sorted(rows))


def _is_complex(definitions: dict[str, Any], kind: str) -> bool:
    return kind in definitions and definitions[kind]["kind"] == "complex-type" and kind not in (*PART, "Extension")


def _rows(definition: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Elements of one type; what every element or resource has (id, extension, meta …) is known to the reader of the table."""
    for element in definition["snapshot"]["element"]:
        parts = element["path"].split(".")
        if len(parts) == 1 or parts[-1] in ("id", "extension", "modifierExtension") or len(parts) == 2 and parts[1] in (
            "meta", "implicitRules", "language", "text", "contained") and definition["kind"] == "resource":
            continue
        types = element.get("contentReference") or " ".join(dict.fromkeys(_type_name(one["code"]) for one in element["type"]))
        binding = element.get("binding", {})
        is_judged = binding.get("strength") == "required" and types == "code"
        codes = CODES.get(binding["valueSet"].split("/")[-1].split("|")[0], "") if is_judged else ""
        yield element["path"], str(element["min"]), "1" if element["max"] == "1" else "*", types, codes


def _type_name(code: str) -> str:
    return code.rpartition(".")[2].lower() if code.startswith("http://hl7.org/fhirpath/") else code


if __name__ == "__main__":
    main(Path(sys.argv[1]))
