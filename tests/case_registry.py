"""The registry of one facility in the short form of a golden case: `facility.yaml` with a single `feed`, or none.

Belongs here: short form -> the text of a registry. The feed is called `feed`; feeds `hl7v2`, `fhir`, `x12` and `ccda` are always there.
"""

from __future__ import annotations

import yaml

from transforms.facilities.registry import Registry, load_registry

_NOT_REGISTERED = ("feed", "tables")


def registry_text_of_case(text: str) -> str:
    """YAML text of a registry with the case's facility, in force from 2000 on."""
    # BaseLoader keeps every scalar a text, so that keys such as N, Y and NULL stay what they are.
    case = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - makes texts only, no objects
    sources: dict[str, dict[str, object]] = {"hl7v2": {"kind": "hl7v2"}, "fhir": {"kind": "fhir_ndjson"}, "x12": {"kind": "x12"}, "ccda": {"kind": "ccda"}}
    feed = case.get("feed")
    if feed:
        feed = {key: value for key, value in feed.items() if key != "schedule"}
        sources["feed"] = feed | case.get("tables", {}).get(feed.get("table"), {})
    facility = {key: value for key, value in case.items() if key not in _NOT_REGISTERED}
    facility |= {"valid_from": "2000-01-01", "name": case["facility_id"], "region": "case", "owner": "case@example.org"}
    registry = {"registry_version": "1", "first_batch_date": "2000-01-01", "facilities": [facility | {"sources": sources}]}
    return yaml.safe_dump(registry, sort_keys=False, allow_unicode=True)


def registry_of_case(text: str) -> Registry:
    """Registry of a case's `facility.yaml`."""
    return load_registry(registry_text_of_case(text), "facility.yaml")
