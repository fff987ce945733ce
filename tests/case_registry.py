"""The registry of facilities in the short form of a golden case: `facility.yaml` with a single `feed`, or none.

Belongs here: short form -> entries and text of a registry. A case's feed is called `feed`; besides, every facility has one feed of
each kind that names no columns (HL7 v2, FHIR and whatever else the registry knows).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from transforms.decode.formats import FORMATS
from transforms.facilities.registry import Registry, load_registry

# Name of the feed of each kind that needs no columns.
PLAIN_FEEDS = {"hl7v2": "hl7v2", "fhir_ndjson": "fhir", "ccda": "ccda", "x12": "x12", "dicom": "dicom"}
# A registry with one facility, `clinic`, up to its authorities and sources, which a test adds (indented by four).
CLINIC = """\
registry_version: 1
first_batch_date: 2026-01-01
facilities:
  - facility_id: clinic
    valid_from: 2026-01-01
    name: Clinic
    region: north
    owner: data@clinic.example
    timezone: America/New_York
    charset: us-ascii
    source_system: acme_emr
"""
_FEED_ELSEWHERE = ("feed", "tables")


def facility_of_case(text: str, facility_id: str | None = None) -> dict[str, Any]:
    """Registry entry of a case's facility, in force from 2000 on, under its own or another id."""
    # BaseLoader keeps every scalar a text, so that keys such as N, Y and NULL stay what they are.
    case = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - makes texts only, no objects
    sources: dict[str, dict[str, object]] = {name: {"kind": kind} for kind, name in PLAIN_FEEDS.items() if kind in FORMATS}
    feed = case.get("feed")
    if feed:
        sources["feed"] = _feed_of_case(feed, case.get("tables", {}))
    facility = {key: value for key, value in case.items() if key not in _FEED_ELSEWHERE}
    facility |= {"valid_from": "2000-01-01", "name": case["facility_id"], "region": "case", "owner": "case@example.org"}
    return facility | {"facility_id": facility_id or case["facility_id"], "sources": sources}


def _feed_of_case(feed: Mapping[str, Any], tables: Mapping[str, Any]) -> dict[str, object]:
    """Source entry of a feed with the contract of its table."""
    source = {key: value for key, value in feed.items() if key != "schedule"} | dict(tables.get(feed.get("table", ""), {}))
    if "schedule" in feed:  # a case names the deadline of one day, the registry the time of every day
        source["schedule"] = {"every": feed["schedule"]["every"], "deadline": feed["schedule"]["deadline"].partition("T")[2][:5]}
    return source


def registry_text(facilities: list[dict[str, Any]], first_batch_date: str = "2000-01-01") -> str:
    """YAML text of a registry."""
    registry = {"registry_version": "1", "first_batch_date": first_batch_date, "facilities": facilities}
    return yaml.safe_dump(registry, sort_keys=False, allow_unicode=True)


def registry_text_of_case(text: str) -> str:
    """YAML text of a registry with a case's facility alone."""
    return registry_text([facility_of_case(text)])


def registry_of_case(text: str) -> Registry:
    """Registry of a case's `facility.yaml`."""
    return load_registry(registry_text_of_case(text), "facility.yaml")
