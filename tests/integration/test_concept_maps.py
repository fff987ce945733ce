"""A code that no map knows is listed, a map is loaded by command, and the next run reads the code by it; extensions and US Core beside them."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import CommandLine
from tests.conftest import PROJECT
from tests.steps import run_steps

DAY = date(2026, 1, 5)
REGISTRY = """\
registry_version: 1
first_batch_date: 2026-01-01
facilities:
  - {facility_id: clinic, valid_from: 2026-01-01, name: Clinic, region: north, owner: owner@clinic.example, timezone: America/New_York,
     charset: utf-8, source_system: own, sources: {bulk: {kind: fhir_ndjson}}}
"""
META = {"lastUpdated": "2026-01-05T08:00:00Z"}
PATIENT = {"resourceType": "Patient", "id": "p1", "meta": META, "identifier": [{"system": "urn:x", "value": "1"}], "name": [{"text": "N"}],
           "extension": [{"url": "https://vendor.example.com/colour", "valueString": "green"}]}
OBSERVATION = {"resourceType": "Observation", "id": "o1", "meta": META, "status": "final", "subject": {"reference": "Patient/p1"},
               "category": [{"text": "laboratory"}], "code": {"coding": [{"system": "urn:oid:2.999.5.1", "code": "GLUX"}]}}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, open_test_root: Any, build_folder: Path) -> dict[str, Any]:
    """One root: what is listed before and after a map is loaded, with the observation's code after each run."""
    folder = tmp_path_factory.mktemp("terminology")
    (folder / "facilities.yaml").write_text(REGISTRY)
    root, _ = open_test_root(folder / "root", folder / "facilities.yaml")
    lakehouse = CommandLine(folder / "root", folder / "facilities.yaml", build_folder)
    root.landing.land("\n".join(map(json.dumps, [PATIENT, OBSERVATION])).encode(), facility_id="clinic", source="bulk", batch_date=DAY,
                      original_name="a.ndjson", received_time=datetime(2026, 1, 5, 12, tzinfo=UTC))
    found: dict[str, Any] = {"cli": lakehouse, "codes": []}
    for number, name in enumerate(("before", "after"), 1):
        if name == "after":
            found["load"] = lakehouse("terminology", "load", PROJECT / "docs" / "samples" / "observation_map.csv", "--name", "observation",
                                      "--map-version", "2026-01", "--valid-from", "2026-01-01")
            root, _ = open_test_root(folder / "root", folder / "facilities.yaml")
        run_steps(root, f"r{number}", [("clinic", DAY)], until="current")
        with root.warehouse.open(read_only=True) as warehouse:
            found["codes"] += warehouse.query("select code_code, code_local_code from LAKE.canonical.observation").to_pylist()
        found[name] = lakehouse("terminology", "unmapped", "--json").json()
    return found


def test_a_code_waits_until_a_map_knows_it(world: dict[str, Any]) -> None:
    """Before, it is listed with its owner; after the load the next run gives the standard code, and the local one stays."""
    listed = [(row["resource"], row["local_code"], row["facts"], row["owner"]) for row in world["before"]]
    assert listed == [("observation", "GLUX", 1, "owner@clinic.example")]
    assert (world["load"].code, world["after"]) == (0, [])
    assert world["codes"] == [{"code_code": None, "code_local_code": "GLUX"}, {"code_code": "2345-7", "code_local_code": "GLUX"}]
    assert [row["map_version"] for row in world["cli"]("terminology", "maps", "--json").json()] == ["2026-01"]


def test_a_wrong_load_is_refused(world: dict[str, Any], tmp_path: Path) -> None:
    """An unknown facility, a file that is not there and one of another form end with the place and a remedy."""
    words = ("--name", "observation", "--map-version", "2", "--valid-from", "2026-02-01")
    (tmp_path / "map.csv").write_text("code\nA\n")
    for file, more in ((tmp_path / "map.csv", ()), (tmp_path / "none.csv", ()), (tmp_path / "map.csv", ("-f", "elsewhere"))):
        said = world["cli"]("terminology", "load", file, *words, *more)
        assert (said.code, "Remedy" in said.err) == (2, True)


def test_extensions_and_us_core_are_listed(world: dict[str, Any]) -> None:
    """The vendor's extension with its owner, and the element that US Core requires and the patient lacks."""
    extensions = world["cli"]("terminology", "extensions", "--json").json()
    assert [(row["url"], row["units"], row["is_registered"], row["owner"]) for row in extensions] == [
        ("https://vendor.example.com/colour", 1, 0, "owner@clinic.example")]
    assert [(row["element"], row["units"]) for row in world["cli"]("terminology", "us-core", "--json").json()] == [("Patient.gender", 1)]
