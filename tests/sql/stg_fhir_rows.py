"""Raw rows of FHIR resources as a decoder gives them, and a registry entry, for tests of FHIR staging.

What belongs here: NDJSON or Bundle text -> rows of `raw_fhir__resource`. Not here: expected answers.
"""

from __future__ import annotations

import json
from typing import Any

REGISTRY = """
registry_version: 1
first_batch_date: 2026-01-01
facilities:
- facility_id: clinic
  valid_from: 2026-01-01
  name: Clinic
  region: north
  owner: data@clinic.example
  timezone: America/New_York
  charset: windows-1252
  source_system: acme_emr
  default_authority: NGH
  authorities: {NGH: 'https://ngh.example.org/id/mrn'}
  fhir_base_urls: ['https://ehr.example.org/fhir/r4/']
  known_extensions:
  - http://hl7.org/fhir/us/core/StructureDefinition/us-core-race
  - http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity
  - http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex
  modifier_extensions:
    https://vendor.example.com/simulated: {when: true, set_status: entered-in-error}
  code_maps:
    encounter_class: {'12': {system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: IMP}}
    encounter_status: {discharged: {system: 'http://hl7.org/fhir/encounter-status', code: finished}}
    allergy_clinical_status:
      Active: {system: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical', code: active}
    observation: {GLU: {system: 'http://loinc.org', code: 2345-7}}
  sources:
    bulk: {kind: fhir_ndjson}
"""


def raw_rows(lines: list[dict[str, Any] | str], delivery_id: str = "delivery") -> list[dict[str, Any]]:
    """Rows of raw_fhir__resource; a line given as text keeps its exact spelling, a Bundle gives its entries."""
    rows: list[dict[str, Any]] = []
    for line in lines:
        text = line if isinstance(line, str) else json.dumps(line)
        parsed = json.loads(text)
        if parsed.get("resourceType") == "Bundle":
            for entry in parsed["entry"]:
                rows.append(_entry(entry, parsed, len(rows) + 1, delivery_id))
        else:
            rows.append(_row(parsed, text, None, len(rows) + 1, delivery_id))
    return rows


def _row(resource: dict[str, Any], text: str, full_url: str | None, ordinal: int, delivery_id: str) -> dict[str, Any]:
    meta = resource.get("meta", {})
    return {"delivery_id": delivery_id, "unit_ordinal": ordinal, "record_locator": f"/{ordinal}",
            "resource_type": resource.get("resourceType"), "id": resource.get("id"), "version_id": meta.get("versionId"),
            "last_updated": meta.get("lastUpdated"), "full_url": full_url, "is_deleted": False, "resource": text}


def _entry(entry: dict[str, Any], bundle: dict[str, Any], ordinal: int, delivery_id: str) -> dict[str, Any]:
    if entry.get("request", {}).get("method") == "DELETE":
        kind, _, name = entry["request"]["url"].partition("/")
        row = _row({"resourceType": kind, "id": name}, json.dumps(entry), entry.get("fullUrl"), ordinal, delivery_id)
        return {**row, "last_updated": bundle.get("meta", {}).get("lastUpdated"), "is_deleted": True}
    return _row(entry["resource"], json.dumps(entry["resource"]), entry.get("fullUrl"), ordinal, delivery_id)
