"""Real files, openly licensed: every HL7 v2, FHIR and person CSV file of the corpora from landing to the current tables.

The corpora are not part of the repository: `LAKEHOUSE_CORPORA_DIR`, else `../shared/corpora` beside the project; absent, the test says
that it is skipped. Each folder is a facility, so that numbers of one never meet those of another.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.case_registry import registry_text
from tests.conftest import PROJECT
from tests.pipeline_runs import landed_partitions
from tests.steps import run_steps

ROOT = Path(os.environ.get("LAKEHOUSE_CORPORA_DIR") or PROJECT.parent / "shared" / "corpora")
DAY = date.today() - timedelta(days=2)
# Larger ones only in the long form.
LARGEST = 1_000_000
FHIR_FOLDERS = ("us-core", "smart-bulk-synthea", "pathling-synthea", "cdc-reportstream", "ms-fhir-converter", "cdc-recordlinker")
_PEOPLE = {"BIRTHDATE": {"maps_to": "birth_date", "type": "date", "date_format": "%Y-%m-%d"}, "FIRST": {"maps_to": "name_given"},
           "LAST": {"maps_to": "name_family"}, "ZIP": {"maps_to": "address_postal_code"}}
_FEBRL = {" given_name": {"maps_to": "name_given"}, " surname": {"maps_to": "name_family"}, " postcode": {"maps_to": "address_postal_code"},
          " date_of_birth": {"maps_to": "birth_date", "type": "string"}}
_FAKE = {"first_name": {"maps_to": "name_given"}, "surname": {"maps_to": "name_family"},
         "dob": {"maps_to": "birth_date", "type": "date", "date_format": "%Y-%m-%d"}}
# Folder -> (pattern, key column, other columns): the files that are extracts of people; other CSV files are mapping tables and answers.
PERSON_FILES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "febrl": ("dataset*.csv", "rec_id", {name: column for name, column in _FEBRL.items() if "birth_date" not in column.values()}),
    "splink-datasets": ("fake_1000.csv", "unique_id", _FAKE),
    "cdc-recordlinker": ("tests/algorithm/data/*.csv", "ID", _PEOPLE),
}


def _facility(folder: str) -> dict[str, Any]:
    sources: dict[str, Any] = {"hl7v2": {"kind": "hl7v2"}, "fhir": {"kind": "fhir_ndjson"}}
    if folder in PERSON_FILES:
        _, key, columns = PERSON_FILES[folder]
        sources["people"] = {"kind": "csv_extract", "resource": "patient", "encoding": "utf-8", "key": [key],
                             "columns": {key: {"maps_to": "identifier_value"}, **columns}}
    return {
        "facility_id": folder.replace("-", "_"), "valid_from": "2000-01-01", "name": folder, "region": "corpora", "owner": "corpora@example.org",
        "timezone": "America/New_York", "charset": "windows-1252", "source_system": "corpora", "default_authority": "OWN",
        "authorities": {"OWN": f"https://{folder}.example.org/id"}, "sources": sources,
    }


def _is_fhir(path: Path) -> bool:
    return path.suffix in (".ndjson", ".fhir") or path.suffix == ".json" and b'"resourceType"' in path.read_bytes()[:400]


def _files(folder: Path, largest: int) -> list[tuple[str, Path]]:
    """Feed and path of each file that one of the formats reads."""
    found = [("hl7v2", path) for path in sorted(folder.rglob("*.hl7"))]
    if folder.name in FHIR_FOLDERS:
        found += [("fhir", path) for path in sorted(folder.rglob("*")) if path.is_file() and _is_fhir(path)]
    if folder.name in PERSON_FILES:
        found += [("people", path) for path in sorted(folder.glob(PERSON_FILES[folder.name][0]))]
    return [(feed, path) for feed, path in found if path.stat().st_size <= largest]


@pytest.mark.skipif(not ROOT.is_dir(), reason=f"no corpora: LAKEHOUSE_CORPORA_DIR or {ROOT.name} beside the project")
@pytest.mark.parametrize("largest", [LARGEST, pytest.param(1 << 40, marks=pytest.mark.soak)], ids=["small files", "every file"])
def test_real_files_are_accounted_for(largest: int, tmp_path: Path, open_built_root: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is lost between bytes and outcomes, and no feed is refused as a whole; the shares in quarantine are printed."""
    files = {folder.name: _files(folder, largest) for folder in sorted(ROOT.iterdir()) if folder.is_dir()}
    chosen = {name: listed for name, listed in files.items() if listed}
    registry = tmp_path / "facilities.yaml"
    registry.write_text(registry_text([_facility(name) for name in chosen], DAY.isoformat()), encoding="utf-8")
    root, _ = open_built_root(tmp_path / "root", registry)
    for name, listed in chosen.items():
        for feed, path in listed:
            root.landing.land(path.read_bytes(), facility_id=name.replace("-", "_"), source=feed, batch_date=DAY, original_name=path.name,
                              received_time=datetime.combine(DAY, datetime.min.time(), UTC))
    run_steps(root, "corpora", landed_partitions(root), until="current")
    with root.warehouse.open(read_only=True) as warehouse:
        unbalanced = warehouse.query("select facility_id, source from LAKE.canonical.reconciliation where not is_balanced").to_pylist()
        ledger = warehouse.query(
            "select source, count(*) as units, count(*) filter (outcome = 'quarantined') as quarantined, "
            "count(*) filter (outcome is null) as open from LAKE.canonical.unit_outcome group by source order by source").to_pylist()
        reasons = warehouse.query(
            "select source, reason, count(*) as units from LAKE.canonical.unit_outcome where outcome in ('quarantined', 'ignored_by_rule') "
            "group by all order by source, units desc, reason").to_pylist()
        holds = warehouse.query(
            "select verdict.facility_id, verdict.asset, verdict.description from LAKE.control.verdict verdict "
            "join LAKE.control.held_partition held on held.facility_id = verdict.facility_id and held.batch_date = verdict.batch_date "
            "and held.asset = verdict.asset and held.reason = verdict.check_name where held.is_released = false order by all").to_pylist()
    with capsys.disabled():
        for row in ledger:
            said = ", ".join(f"{one['reason']} {one['units']}" for one in reasons if one["source"] == row["source"])
            sys.stdout.write(f"\n{row['source']}: {row['units']} units, {row['quarantined'] / row['units']:.1%} in quarantine ({said})")
        for one in holds:
            sys.stdout.write(f"\nheld {one['facility_id']}: {one['asset']}, {one['description']}")
    assert unbalanced == []
    assert [row["source"] for row in ledger if row["open"]] == []
    assert [row["source"] for row in ledger if row["quarantined"] == row["units"]] == []
