"""The corpora: openly licensed files of other people, which of them are feeds of which format, and a data root that has landed them.

The corpora are not part of the repository: `LAKEHOUSE_CORPORA_DIR`, else `../shared/corpora` beside the project. Each feed of a folder is a
facility, so that numbers of one never meet those of another and a feed that is held holds itself alone. Belongs here: folders -> feeds, registry and landed root. Does not belong
here: what must come of them (`test_corpora.py`), what their publishers expect (`corpora_expectations.py`).
"""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.case_registry import PLAIN_FEEDS, registry_text
from tests.conftest import PROJECT

ROOT = Path(os.environ.get("LAKEHOUSE_CORPORA_DIR") or PROJECT.parent / "shared" / "corpora")
DAY = date.today() - timedelta(days=2)

_PEOPLE = {"BIRTHDATE": {"maps_to": "birth_date", "type": "date", "date_format": "%Y-%m-%d"}, "FIRST": {"maps_to": "name_given"},
           "LAST": {"maps_to": "name_family"}, "ZIP": {"maps_to": "address_postal_code"}}
_FEBRL = {" given_name": {"maps_to": "name_given"}, " surname": {"maps_to": "name_family"}, " postcode": {"maps_to": "address_postal_code"}}
_FAKE = {"first_name": {"maps_to": "name_given"}, "surname": {"maps_to": "name_family"},
         "dob": {"maps_to": "birth_date", "type": "date", "date_format": "%Y-%m-%d"}}
# Folder -> (pattern, key column, other columns): the files that are extracts of people; other CSV files are mapping tables and answers.
_PERSON_FILES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "febrl": ("dataset*.csv", "rec_id", _FEBRL),
    "splink-datasets": ("fake_1000.csv", "unique_id", _FAKE),
    "cdc-recordlinker": ("tests/algorithm/data/*.csv", "ID", _PEOPLE),
}
_FHIR_FOLDERS = ("us-core", "smart-bulk-synthea", "pathling-synthea", "cdc-reportstream", "ms-fhir-converter", "cdc-recordlinker")
# The table of SQL Server's own documentation; events of other connectors' tables are no rows of it.
_CUSTOMERS = {"kind": "debezium_jsonl", "resource": "patient", "table": "customers", "primary_key": ["id"], "columns": {
    "id": {"type": "int", "maps_to": "identifier_value"}, "first_name": {"maps_to": "name_given"}, "last_name": {"maps_to": "name_family"}}}
_CLAIM_FAMILIES = {"HC": "claim_versions", "HP": "remittance_versions", "HS": "eligibility_versions", "HB": "eligibility_versions"}
_ISA = re.compile(rb"ISA\*.{10,40}?\*(?:ZZ|[0-9]{2})\*([^*]{15})\*(?:ZZ|[0-9]{2})\*([^*]{15})\*", re.DOTALL)
# Fourth component of a repetition of PID-3: who assigned the number.
_ASSIGNED = re.compile(rb"(?<=[|~])[^|~^\r\n]+\^[^|~^]*\^[^|~^]*\^([^|~^\r\n]+)\^(?:MR|PI)")
_GS = re.compile(rb"GS\*([A-Z]{2})\*(?:[^*]*\*){6}([0-9A-Z]+)")


@dataclass(frozen=True)
class CorpusFile:
    """One file as a delivery: its corpus, its feed (the facility is named after both) and where it lies."""

    corpus: str
    feed: str
    path: Path

    @property
    def facility_id(self) -> str:
        """The facility that stands for the corpus's files of this feed."""
        return f"{self.corpus}_{self.feed}".replace("-", "_")

    @property
    def name(self) -> str:
        """Path within the corpus."""
        return str(self.path.relative_to(ROOT / self.corpus))


def corpus_files(largest: int) -> list[CorpusFile]:
    """Every file of at most `largest` bytes that one of the formats reads, by corpus and name."""
    folders = [folder for folder in sorted(ROOT.iterdir()) if folder.is_dir()]
    return [CorpusFile(folder.name, feed, path) for folder in folders for path in sorted(folder.rglob("*"))
            if path.is_file() and (feed := _feed(folder.name, path)) and path.stat().st_size <= largest]


def _feed(corpus: str, path: Path) -> str | None:
    """The feed that a file comes by; null for mapping tables, answers and documentation."""
    people = _PERSON_FILES.get(corpus)
    if people and path.match(people[0]):
        return "people"
    if path.suffix == ".hl7":
        return "hl7v2"
    if corpus == "hl7-ccda-examples" and path.suffix == ".xml" or path.suffix == ".ccda":
        return "ccda"
    if corpus in ("linuxforhealth-x12", "pyx12") and path.read_bytes()[:3] == b"ISA":
        return "x12"
    if corpus == "pydicom-files" and (path.suffix == ".dcm" or not path.suffix) and path.name != "LICENSE":
        return "dicom"
    if corpus == "debezium" and path.suffix in (".json", ".txt") and "aws-dms-json" not in path.parts:
        return "customers"
    return "fhir" if corpus in _FHIR_FOLDERS and _is_fhir(path) else None


def _is_fhir(path: Path) -> bool:
    return path.suffix in (".ndjson", ".fhir") or path.suffix == ".json" and b'"resourceType"' in path.read_bytes()[:400]


def land_corpora(files: list[CorpusFile], folder: Path, open_root: Any) -> Any:
    """A root in `folder` that has landed the files."""
    by_facility: dict[str, list[CorpusFile]] = {}
    for one in files:
        by_facility.setdefault(one.facility_id, []).append(one)
    registry = folder / "facilities.yaml"
    registry.write_text(registry_text([_facility(own) for own in by_facility.values()], DAY.isoformat()), encoding="utf-8")
    root, _ = open_root(folder / "root", registry)
    received = datetime.combine(DAY, datetime.min.time(), UTC)
    # Each landing waits for the disk; names differ, so that the order is no matter.
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda one: root.landing.land(one.path.read_bytes(), facility_id=one.facility_id, source=one.feed, batch_date=DAY,
                                                       original_name=one.name, received_time=received), files))
    return root


def _facility(files: list[CorpusFile]) -> dict[str, Any]:
    corpus, feed = files[0].corpus, files[0].feed
    entry: dict[str, Any] = {
        "facility_id": files[0].facility_id, "valid_from": "2000-01-01", "name": corpus, "region": "corpora", "owner": "corpora@example.org",
        "timezone": "America/New_York", "charset": "windows-1252", "source_system": "corpora", "default_authority": "OWN",
        "authorities": {"OWN": f"https://{corpus}.example.org/id"},
    }
    if feed == "people":
        _, key, columns = _PERSON_FILES[corpus]
        kind = {"kind": "csv_extract", "resource": "patient", "encoding": "utf-8", "key": [key],
                "columns": {key: {"maps_to": "identifier_value"}, **columns}}
    elif feed == "customers":
        kind = _CUSTOMERS
    else:
        kind = {"kind": next(kind for kind, name in PLAIN_FEEDS.items() if name == feed)}
    if feed == "hl7v2":
        entry["authorities"] |= _authorities([one.path for one in files])
    if feed == "x12":
        entry["trading_partners"] = _partners([one.path for one in files])
    return entry | {"sources": {feed: kind}}


def _authorities(paths: list[Path]) -> dict[str, str]:
    """Whoever assigned a number in PID-3, as the facility would have registered them."""
    found = (match.decode("latin-1").split("&") for path in paths for match in _ASSIGNED.findall(path.read_bytes()))
    return {parts[0]: f"urn:oid:{parts[1]}" if parts[2:] == ["ISO"] else f"https://{quote(parts[0])}.example.org/id" for parts in found}


def _partners(paths: list[Path]) -> dict[str, dict[str, list[str]]]:
    """Both sides of every interchange as partners in every version that any of the files speaks."""
    texts = [path.read_bytes() for path in paths]
    versions: dict[str, set[str]] = {}
    for text in texts:
        for kind, version in _GS.findall(text):
            if kind.decode() in _CLAIM_FAMILIES:
                versions.setdefault(_CLAIM_FAMILIES[kind.decode()], set()).add(version.decode())
    spoken = {family: sorted(found) for family, found in sorted(versions.items())}
    sides = (side.decode().strip() for text in texts for pair in _ISA.findall(text) for side in pair)
    return {side: spoken for side in sorted(set(sides))}
