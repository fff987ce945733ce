"""A source that changes its columns: what is added flows, what breaks the contract waits by name, a registered change releases it.

One data root and two runs: a day as agreed and a day with other columns, then that day again under the changed registry.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from assets.stores.catalog_reading import read_catalog
from orchestration.behind import behind_partitions
from orchestration.landing import Arrival, land_arrivals
from orchestration.status import contract_words
from tests.case_registry import CLINIC
from tests.pipeline_runs import RECEIVED, run

FIRST, SECOND = date(2026, 1, 5), date(2026, 1, 6)
CHANGES = """
         contract_changes: [{from: 2026-01-06, version: 2, rename: {LAST: SURNAME}, columns: {ROOM: {}}}],"""
CDC_CHANGES = """
         contract_changes: [{from: 2026-01-06, version: 2, drop: [Phone], columns: {ID: {type: varchar(9)}}}],"""
REGISTRY = CLINIC.replace("us-ascii", "utf-8") + """\
    default_authority: CLINIC
    authorities: {{CLINIC: https://clinic.example.org/id/mrn}}
    sources:
      people:
        {{kind: csv_extract, resource: patient, delimiter: ",", encoding: utf-8, header: true, mode: delta, key: [MRN],{}
         columns: {{MRN: {{maps_to: identifier_value}}, LAST: {{maps_to: name_family}}}}}}
      captured:
        {{kind: dms_s3_csv, resource: patient, table: dbo.P, op_column: Op, sequence_column: SEQ, primary_key: [ID],{}
         columns: {{ID: {{type: int}}, MRN: {{maps_to: identifier_value}}, Name: {{maps_to: name_family}}, Phone: {{maps_to: telecom_phone}}}}}}
      growing:
        {{kind: csv_extract, resource: patient, delimiter: ",", encoding: utf-8, header: true, mode: delta, key: [MRN],
         columns: {{MRN: {{maps_to: identifier_value}}, LAST: {{maps_to: name_family}}}}}}
"""
FILES = [
    (FIRST, "people", "MRN,LAST\n1,ALDER\n"), (FIRST, "captured", "Op,SEQ,ID,MRN,Name,Phone\nI,1,7,3,BIRCH,555-1\n"),
    (SECOND, "people", "MRN,SURNAME,ROOM\n1,WREN,4\n"),
    (SECOND, "captured", "Op,SEQ,ID,MRN,Name\nU,2,7,3,CEDAR\nI,3,A8,4,DOGWOOD\n"),
    (SECOND, "growing", "NEW,LAST,MRN\nx,ELM,5\n"),
]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, open_test_root: Any) -> dict[str, Any]:
    """What the root says after each of the two runs."""
    home = tmp_path_factory.mktemp("evolution")
    said: dict[str, Any] = {}
    for name, registry, days in (("broken", REGISTRY.format("", ""), (FIRST, SECOND)), ("agreed", REGISTRY.format(CHANGES, CDC_CHANGES), (SECOND,))):
        facilities = home / "facilities.yaml"
        facilities.write_text(registry, encoding="utf-8")
        root, settings = open_test_root(home / "root", facilities)
        behind = behind_partitions(root) if said else []
        if name == "broken":
            files = [Arrival(_written(home / f"{source}-{day}.csv", text), "clinic", source, day) for day, source, text in FILES]
            land_arrivals(root, files, RECEIVED)
        run(root, settings, [("clinic", day) for day in days])
        said[name] = {**_said(root), "behind": behind, "behind after": behind_partitions(root)}
    return said


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def _said(root: Any) -> dict[str, Any]:
    with root.warehouse.open(read_only=True) as warehouse:
        outcomes = warehouse.query("select source, batch_date, outcome, reason from LAKE.canonical.unit_outcome").to_pylist()
        patients = warehouse.query("select identifier_value, name_family, telecom_phone from LAKE.canonical.patient").to_pylist()
    events = read_catalog(root.home, "select kind, body from entry where kind in ('schema.drift', 'contract.change', 'restate') order by seq")
    return {
        "outcomes": sorted((row["source"], row["batch_date"].day, row["outcome"], row["reason"]) for row in outcomes),
        "patients": {row["identifier_value"]: (row["name_family"], row["telecom_phone"]) for row in patients},
        "words": " ".join(contract_words(root, "clinic", SECOND)),
        "events": [(row["kind"], json.loads(row["body"])["body"]) for row in events],
    }


def test_a_broken_contract_waits_and_its_neighbours_do_not(lake: Any) -> None:
    """Files that miss a contracted column are in quarantine, what was known stays; a file with one more column is canonical."""
    assert lake["broken"]["outcomes"] == [
        ("captured", 5, "canonical", None), ("captured", 6, "quarantined", "cdc.column_missing"), ("captured", 6, "quarantined", "cdc.column_missing"),
        ("growing", 6, "canonical", None), ("people", 5, "canonical", None), ("people", 6, "quarantined", "csv.column_missing"),
    ]
    assert lake["broken"]["patients"] == {"1": ("ALDER", None), "3": ("BIRCH", "555-1"), "5": ("ELM", None)}


def test_the_message_names_the_columns(lake: Any) -> None:
    """Who looks at the partition is told which column of which feed is missing, and the log has it."""
    assert "captured misses Phone (contract version 1, 2 rows wait)" in lake["broken"]["words"]
    assert "people misses LAST (contract version 1, 1 rows wait)" in lake["broken"]["words"]
    drift = {body["source"]: (body["added"], body["missing"]) for kind, body in lake["broken"]["events"] if kind == "schema.drift"}
    assert drift == {"captured": ([], ["Phone"]), "people": (["ROOM", "SURNAME"], ["LAST"]), "growing": (["NEW"], [])}


def test_a_registered_change_releases_what_waited(lake: Any) -> None:
    """Under the new version a renamed column goes on, a dropped one deletes nothing, a wider key is a key."""
    assert {outcome for source, day, outcome, _ in lake["agreed"]["outcomes"] if day == 6} == {"canonical"}
    assert lake["agreed"]["patients"] == {"1": ("WREN", None), "3": ("CEDAR", "555-1"), "4": ("DOGWOOD", None), "5": ("ELM", None)}
    assert lake["agreed"]["words"] == ""


def test_the_change_is_on_record(lake: Any) -> None:
    """The log holds one change for each feed, from its date on, with both versions; setting up is no change."""
    assert [kind for kind, _ in lake["broken"]["events"]] == ["schema.drift"] * 3
    assert {kind for kind, _ in lake["agreed"]["events"]} == {"schema.drift", "contract.change", "restate"}
    changes = {body["product"]: (body["old_version"].split("+")[0], body["new_version"].split("+")[0])
               for kind, body in lake["agreed"]["events"] if kind == "contract.change"}
    assert changes == {"clinic|people|2026-01-06": ("1", "2"), "clinic|captured|2026-01-06": ("1", "2")}


def test_what_the_change_concerns_is_behind_until_it_is_read_anew(lake: Any) -> None:
    """The day from which the change holds is behind and the day before it is not; the run that reads it leaves none behind."""
    assert (lake["broken"]["behind after"], lake["agreed"]["behind"], lake["agreed"]["behind after"]) == ([], [("clinic", SECOND)], [])


def test_what_a_partition_now_says_otherwise_is_on_record(lake: Any) -> None:
    """The log names the tables that were restated, of that day alone, and the rules of before and after."""
    restated = [body for kind, body in lake["agreed"]["events"] if kind == "restate"]
    assert {body["batch_date"] for body in restated} == {SECOND.isoformat()}
    assert "canonical.patient_version" in {body["asset"] for body in restated}
    code, rules = zip(*[version.split(".") for body in restated for version in (body["old_version"], body["new_version"])], strict=True)
    assert (len(set(code)), len(set(rules))) == (1, 2)
