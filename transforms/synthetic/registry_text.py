"""The registry YAML of a synthetic network of any size; the shipped `facilities.yaml` is its text for five facilities."""

from __future__ import annotations

from typing import Any

import yaml

from transforms.synthetic.facility_plan import FacilityPlan, code_maps, facility_plans
from transforms.synthetic.registry_feeds import feeds, partners

FIRST_BATCH_DATE = "2026-01-01"

_HEADER = """\
# The facilities registry: who sends what, and how it is to be read. Versioned; entries are effective-dated.
# This text describes the synthetic network; `lakehouse generate` writes the same text for more facilities.
"""
_US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/"
_EXTENSIONS = [f"{_US_CORE}us-core-{name}" for name in ("race", "ethnicity", "birthsex")]


class _Dumper(yaml.SafeDumper):
    """Writes every mapping out: a reader should not have to follow anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _entry(plan: FacilityPlan) -> dict[str, Any]:
    style = plan.style
    fhir = style.name in ("riverside", "summit")
    return {
        "facility_id": plan.facility_id,
        "valid_from": _Day(FIRST_BATCH_DATE),
        "name": plan.name,
        "region": style.region,
        "owner": f"{plan.host}-data@northstar.example",
        "timezone": style.timezone,
        "charset": style.charset,
        "source_system": style.source_system,
        "default_authority": plan.authority,
        "authorities": {plan.authority: plan.number_system},
        "fhir_base_urls": [plan.fhir_base_url] if fhir else [],
        "known_extensions": _EXTENSIONS if fhir else [],
        "modifier_extensions": {},
        "extraction_window": {"from": "01:00", "to": "05:00"},
        "code_maps": code_maps(style.name),
        **partners(style.name),
        "sources": feeds(style.name),
    }


class _Day(str):
    """A date that is written plain, not as a quoted string."""

    __slots__ = ()


_Dumper.add_representer(_Day, lambda dumper, day: dumper.represent_scalar("tag:yaml.org,2002:timestamp", day))


def registry_text(facilities: int) -> str:
    """YAML text of the registry for the first `facilities` facilities, in the schema of the facilities registry."""
    document = {
        "registry_version": 1,
        "first_batch_date": _Day(FIRST_BATCH_DATE),
        "facilities": [_entry(plan) for plan in facility_plans(facilities)],
    }
    body = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=130, default_flow_style=None)
    return _HEADER + body
