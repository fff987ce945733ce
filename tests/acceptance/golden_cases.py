"""The golden cases: folders of input files with what must hold after them (`cases/README.md`).

Belongs here: finding and reading cases. Does not belong here: running them (`case_lake.py`), comparing (`case_comparison.py`).
"""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from checks.silence import late_feeds
from tests.case_registry import registry_of_case
from tests.conftest import PROJECT
from transforms.decode.formats import FORMATS

SHIPPED = Path(__file__).parent / "cases"
# Cases of the same form that hold what the first set has no case for.
OWN = Path(__file__).parent / "own_cases"
ROOTS = (Path(os.environ["LAKEHOUSE_CASES_DIR"]),) if os.environ.get("LAKEHOUSE_CASES_DIR") else (SHIPPED, OWN)
CURRENT = PROJECT / "transforms" / "dbt" / "models" / "canonical" / "current"
DISPUTED = Path(__file__).parent / "disputed_cases.yaml"
# The feed that takes a file, by its ending; CSV and JSON lines are the feed that the case registers.
FEED_OF_ENDING = {".hl7": "hl7v2", ".ndjson": "fhir", ".json": "fhir", ".xml": "ccda", ".x12": "x12", ".dcm": "dicom"}
KIND_OF_FEED = {"hl7v2": "hl7v2", "fhir": "fhir_ndjson", "ccda": "ccda", "x12": "x12", "dicom": "dicom"}


@dataclass(frozen=True)
class Case:
    """One folder. `files` are the inputs in delivery order once they have been written out."""

    format: str
    name: str
    folder: Path
    expected: Mapping[str, Any]
    facility: str

    @property
    def id(self) -> str:
        """Format and folder name; the own cases apart."""
        return f"{'own/' if OWN in self.folder.parents else ''}{self.format}/{self.name}"

    @property
    def kind(self) -> str:
        """Kind of the feed that the case's files belong to."""
        feed = yaml.safe_load(self.facility).get("feed")
        return str(feed["kind"]) if feed else KIND_OF_FEED[self.format]

    @property
    def is_readable(self) -> bool:
        """Does the product have a decoder for the case's format?"""
        return self.kind in FORMATS

    @property
    def missing_tables(self) -> list[str]:
        """Resources that the case expects and the product has no table of."""
        return sorted(resource for resource in self.expected["canonical"] if not (CURRENT / f"{resource}.sql").exists())

    @property
    def reasons(self) -> frozenset[str]:
        """All codes that occur."""
        return frozenset(self.expected["reasons"])


@cache
def cases() -> tuple[Case, ...]:
    """Every case of the folder, by format and name."""
    found = []
    for path in (path for root in ROOTS for path in sorted(root.glob("*/*/expected.json"))):
        folder = path.parent
        facility = (folder / "facility.yaml").read_text(encoding="utf-8")
        found.append(Case(folder.parent.name, folder.name, folder, json.loads(path.read_text(encoding="utf-8")), facility))
    return tuple(found)


@cache
def disputed() -> Mapping[str, str]:
    """Cases that contradict their standard, each with the clause that says so."""
    return dict(yaml.safe_load(DISPUTED.read_text(encoding="utf-8")) or {})


def flags_of_silence(case: Case) -> frozenset[str]:
    """Flag of a feed that owes a file at the time that the case names and has delivered none; empty for any other case."""
    schedule = (yaml.load(case.facility, Loader=yaml.BaseLoader).get("feed") or {}).get("schedule")  # noqa: S506 - texts only
    if schedule is None or case.expected["units"]:
        return frozenset()
    registry = registry_of_case(case.facility)
    now = datetime.fromisoformat(schedule["evaluate_at"]).replace(tzinfo=ZoneInfo(registry.entries[0].timezone))
    return frozenset("feed.missing_delivery" for late in late_feeds(registry, {}, now) if late.source == "feed")


def written_out(case: Case, folder: Path) -> list[Path]:
    """Write a case's input files into a folder; they come in delivery order."""
    files: list[Path] = _materialiser().materialise(case.folder, folder)
    return files


def feed_of(path: Path) -> str:
    """Source that a file is delivered to."""
    return FEED_OF_ENDING.get(path.suffix, "feed")


@cache
def _materialiser() -> Any:
    spec = importlib.util.spec_from_file_location("materialise", SHIPPED / "materialise.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
