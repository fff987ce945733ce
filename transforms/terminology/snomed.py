"""SNOMED CT map reference sets, snapshot files of Release Format 2 (RF2 Reference Set Release File Specification, 5.2.3).

Belongs here: simple maps, and extended maps, from SNOMED CT to another system, which the reference set names. Does not belong here: judging
the mappings (`concept_map.py`). Inactive members say nothing. A concept that an extended map classifies without a condition, by one code,
is narrower than that code's class; what depends on a rule, or takes several codes, is inexact; a member without target is unmatched.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from transforms.terminology.release import (
    EXACT,
    NARROWER_THAN_TARGET,
    NONE,
    SOME,
    Mapping,
    WrongLineError,
    first_line,
    numbered,
    only_targets_stand,
)

SYSTEM = "http://snomed.info/sct"
_MEMBER = ["id", "effectiveTime", "active", "moduleId", "refsetId", "referencedComponentId"]
_SIMPLE = [*_MEMBER, "mapTarget"]
_EXTENDED = [*_MEMBER, "mapGroup", "mapPriority", "mapRule", "mapAdvice", "mapTarget", "correlationId", "mapCategoryId"]
_UNCONDITIONAL = frozenset({"TRUE", "OTHERWISE TRUE"})
# Reference set -> the system of its targets.
_TARGETS = {
    "6011000124106": "http://hl7.org/fhir/sid/icd-10-cm",
    "447562003": "http://hl7.org/fhir/sid/icd-10",
    "446608001": "http://terminology.hl7.org/CodeSystem/icd-o-3",
}


def is_map(text: str) -> bool:
    """Is a text such a file?"""
    return first_line(text).split("\t") in (_SIMPLE, _EXTENDED)


def targets(text: str) -> Iterator[Mapping]:
    """Mappings of a file. WrongLineError for a line with other fields, or of a reference set whose targets are of no known system."""
    lines = numbered(text)
    header = next(lines)[1].split("\t")
    active = []
    for number, line in lines:
        member = dict(zip(header, line.split("\t"), strict=False))
        if len(member) != len(header) or line.count("\t") >= len(header) or member["refsetId"] not in _TARGETS:
            raise WrongLineError(number)
        if member["active"] == "1":
            active.append((number, member))
    return only_targets_stand(_simple(active)) if header == _SIMPLE else iter(_extended(active))


def _simple(members: list[tuple[int, dict[str, str]]]) -> list[Mapping]:
    return [_mapping(number, member, EXACT) for number, member in members]


def _extended(members: list[tuple[int, dict[str, str]]]) -> list[Mapping]:
    codes = Counter(member["referencedComponentId"] for _, member in members)
    found = []
    for number, member in members:
        is_whole = codes[member["referencedComponentId"]] == 1 and member["mapRule"] in _UNCONDITIONAL
        found.append(_mapping(number, member, NARROWER_THAN_TARGET if is_whole else SOME))
    return found


def _mapping(number: int, member: dict[str, str], equivalence: str) -> Mapping:
    target = member["mapTarget"].strip()
    system = _TARGETS[member["refsetId"]] if target else None
    return Mapping(number, SYSTEM, member["referencedComponentId"], system, target or None, equivalence if target else NONE)
