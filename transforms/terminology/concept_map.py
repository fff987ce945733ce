"""Concept maps: what a release of a map says, read from a CSV file, a FHIR R4 ConceptMap or a file as its publisher gives it, as one table.

Belongs here: the form of a map and its reading. Does not belong here: which facility and day it holds for (`in_force.py`), keeping it
(`assets/stores/terminology.py`). A version of a map never changes; what it says of a code is one target or none.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa

from transforms.errors import ConfigurationError
from transforms.terminology import cvx, loinc, ndc, rxnorm, snomed
from transforms.terminology.gem import gem_lines, is_gem, systems
from transforms.terminology.release import Mapping, WrongLineError

# `map_name` is a resource or resource_element, as in the registry's `code_maps`; `facility_id` null: every facility.
CONCEPT_MAP = pa.schema([
    pa.field("map_name", pa.string()), pa.field("map_version", pa.string()), pa.field("valid_from", pa.date32()),
    pa.field("facility_id", pa.string()), pa.field("source_system", pa.string()), pa.field("source_code", pa.string()),
    pa.field("target_system", pa.string()), pa.field("target_code", pa.string()), pa.field("equivalence", pa.string()),
])
# ConceptMapEquivalence (FHIR R4). Only a target that says no more than the source stands for it: equal in meaning, or wider.
STANDS_FOR = frozenset({"equal", "equivalent", "wider", "subsumes"})
WITHOUT_TARGET = frozenset({"unmatched", "disjoint"})
EQUIVALENCES = STANDS_FOR | WITHOUT_TARGET | {"relatedto", "narrower", "specializes", "inexact"}
# Release files: how each is known, and how it is read.
_RELEASES: tuple[tuple[Callable[[str], bool], Callable[[str], Iterator[Mapping]], str], ...] = (
    (loinc.is_map_to, loinc.map_to, "MapTo.csv of LOINC"), (rxnorm.is_attributes, rxnorm.drug_of_code, "RXNSAT.RRF of RxNorm"),
    (snomed.is_map, snomed.targets, "a map reference set (RF2 snapshot) to ICD-10-CM, ICD-10 or ICD-O"),
    (ndc.is_packages, ndc.packages, "package.txt of FDA"), (cvx.is_procedures, cvx.vaccine_of_procedure, "the CDC's table of CPT and CVX"),
)
_COLUMNS = ("source_code", "target_system", "target_code", "equivalence")


@dataclass(frozen=True)
class MapVersion:
    """Which map a file is a version of, from which batch date on, and at which facility (null: at every one)."""

    map_name: str
    map_version: str
    valid_from: date
    facility_id: str | None = None


@dataclass(frozen=True)
class _Line:
    place: str
    source_system: str | None
    source_code: str | None
    target_system: str | None
    target_code: str | None
    equivalence: str | None


def read_concept_map(text: str, name: str, version: MapVersion) -> pa.Table:
    """Give the rows of a file as CONCEPT_MAP. `name` is what messages call it.

    Raises ConfigurationError for the first line that is wrong: no code, an unknown equivalence, a target that is missing, or a second
    target that would stand for the same code."""
    lines = list(_read(text, name))
    if not lines:
        raise ConfigurationError(f"{name}: holds no mapping. Remedy: a CSV file with {', '.join(_COLUMNS)}, or a FHIR R4 ConceptMap.")
    taken: dict[str, str] = {}
    for line in lines:
        _judge(line, name, taken)
    rows = [{
        "map_name": version.map_name, "map_version": version.map_version, "valid_from": version.valid_from,
        "facility_id": version.facility_id, "source_system": line.source_system, "source_code": line.source_code,
        "target_system": line.target_system, "target_code": line.target_code, "equivalence": line.equivalence,
    } for line in lines]
    return pa.Table.from_pylist(rows, schema=CONCEPT_MAP)


def _judge(line: _Line, name: str, taken: dict[str, str]) -> None:
    where = f"{name}:{line.place}"
    if not line.source_code:
        raise ConfigurationError(f"{where}: no source code. Remedy: the code as the source sends it.")
    if line.equivalence not in EQUIVALENCES:
        raise ConfigurationError(f"{where}: unknown equivalence. Remedy: one of {', '.join(sorted(EQUIVALENCES))}.")
    if line.equivalence not in WITHOUT_TARGET and not (line.target_system and line.target_code):
        raise ConfigurationError(f"{where}: no target. Remedy: its system and code, or the equivalence unmatched.")
    if line.equivalence in STANDS_FOR and taken.setdefault(line.source_code, line.place) != line.place:
        raise ConfigurationError(f"{where}: a second target stands for the code of line {taken[line.source_code]}. "
                                 "Remedy: keep the one that means the same; others are relatedto, narrower or inexact.")


def _read(text: str, name: str) -> Iterator[_Line]:
    if text.lstrip().startswith("{"):
        return _of_fhir(text, name)
    for is_release, read, kind in _RELEASES:
        if is_release(text):
            return _of_release(read, text, name, kind)
    return _of_gem(text, name) if is_gem(text) else _of_csv(text, name)


def _of_gem(text: str, name: str) -> Iterator[_Line]:
    (source, target), (lines, wrong) = systems(text), gem_lines(text)
    if wrong is not None:
        raise ConfigurationError(f"{name}:{wrong}: no line of a GEM file. Remedy: the file as CMS publishes it.")
    for line in lines:
        yield _Line(str(line.number), source, line.source_code, target if line.target_code else None, line.target_code, line.equivalence)


def _of_release(read: Callable[[str], Iterator[Mapping]], text: str, name: str, kind: str) -> Iterator[_Line]:
    try:
        for one in read(text):
            yield _Line(str(one.number), one.source_system, one.source_code, one.target_system, one.target_code, one.equivalence)
    except WrongLineError as wrong:
        raise ConfigurationError(f"{name}:{wrong}: no line of {kind}. Remedy: the file as it is published.") from None


def _of_csv(text: str, name: str) -> Iterator[_Line]:
    reader = csv.DictReader(text.splitlines())
    missing = [column for column in _COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        raise ConfigurationError(f"{name}:1: no column {missing[0]}. Remedy: a header with {', '.join(_COLUMNS)} [, source_system].")
    for row in reader:
        said = {column: (row.get(column) or "").strip() or None for column in (*_COLUMNS, "source_system")}
        yield _Line(str(reader.line_num), said["source_system"], said["source_code"], said["target_system"], said["target_code"],
                    said["equivalence"])


def _of_fhir(text: str, name: str) -> Iterator[_Line]:
    """Groups, elements and targets of a ConceptMap (FHIR R4 conceptmap.html); an element without targets is unmatched."""
    try:
        document: dict[str, Any] = json.loads(text)
    except ValueError:
        document = {}
    if document.get("resourceType") != "ConceptMap":
        raise ConfigurationError(f"{name}: neither CSV nor a FHIR ConceptMap. Remedy: a file of one of the two forms.")
    for group_place, group in enumerate(document.get("group", [])):
        for place, element in enumerate(group.get("element", [])):
            at = f"group[{group_place}].element[{place}]"
            for number, target in enumerate(element.get("target") or [{"equivalence": "unmatched"}]):
                yield _Line(f"{at}.target[{number}]", group.get("source"), element.get("code"), group.get("target"), target.get("code"),
                            target.get("equivalence"))
