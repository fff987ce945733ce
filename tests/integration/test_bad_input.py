"""Bad input through the command line: what is wrong is refused or kept with a reason, and stops itself only.

One data root and two runs serve the whole file: good and bad files of three feeds on one day, then everything once more.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from assets.stores.lock import writer_lock
from tests.case_registry import CLINIC
from tests.command_line import CommandLine

DAY = "2026-01-05"
REGISTRY = CLINIC + """\
    default_authority: CLINIC
    authorities: {CLINIC: https://clinic.example.org/id/mrn}
    fhir_base_urls: []
    known_extensions: []
    modifier_extensions: {}
    sources:
      bulk: {kind: fhir_ndjson}
      messages: {kind: hl7v2}
      people:
        {kind: csv_extract, resource: patient, delimiter: ",", encoding: utf-8, header: true, mode: delta, key: [MRN],
         columns: {MRN: {maps_to: identifier_value}, LAST: {maps_to: name_family}}}
"""


def _message(number: str, rest: str = "") -> bytes:
    return "\r".join([
        f"MSH|^~\\&|ADT|C|LAKE|HUB|20260105090000||ADT^A04|{number}|P|2.5.1", "EVN|A04|20260105090000",
        f"PID|1||{number}^^^CLINIC^MR||ALDERTON^MARIBEL||19800214|F",
        f"PV1|1|O|4E{'|' * 16}V{number}^^^CLINIC^VN{'|' * 25}20260103090000", rest,
    ]).encode()


# Feed -> file -> (bytes, outcome and reason of each of its units, as the closed vocabulary and its cases have them).
FILES: dict[str, dict[str, tuple[bytes, list[tuple[str, str]]]]] = {
    "messages": {
        "good.hl7": (_message("1"), [("canonical", "")]),
        "neighbour.hl7": (_message("2") + b"MSH|^~\\&|ADT|C|LAKE|HUB|20260105090000||ADT^A04|3|P|2.5.1\rEVN|A04|20260105090000\r",
                          [("canonical", ""), ("quarantined", "hl7.missing_pid")]),
        "empty.hl7": (b"", [("quarantined", "payload.empty")]),
        "unreadable.hl7": (_message("4").replace(b"ALDERTON", b"\xff\xfe\xff"), [("quarantined", "hl7.charset_undecodable")]),
        "cut.hl7": (_message("5")[:-1] + b"\rZX", [("quarantined", "hl7.truncated_message")]),
        "picture.hl7": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", [("quarantined", "payload.unrecognised_format")]),
    },
    "bulk": {
        "cut.ndjson": (b'{"resourceType": "Patient", "id": "p1", "meta": {"lastUpdated": "2026-01-05T08:00:00Z"}}\n{"resourceType": "Pat',
                       [("canonical", ""), ("quarantined", "fhir.invalid_json")]),
        "form.ndjson": (b"\n".join([
            b'{"resourceType": "Patient", "id": "p2", "name": [{"family": "Elm"}]}', b'{"resourceType": "Patient", "id": "p3", "name": {"family": "Oak"}}',
            b'{"resourceType": "Patient", "id": "p4", "gender": "F"}',
            b'{"resourceType": "Observation", "id": "o1", "status": "final", "subject": {"reference": "Patient/p2"}}']),
            [("canonical", ""), ("quarantined", "fhir.invalid_structure"), ("quarantined", "fhir.invalid_code"),
             ("quarantined", "fhir.missing_required_element")]),
        "empty.ndjson": (b"", [("quarantined", "payload.empty")]),
        "archive.ndjson": (b"PK\x03\x04\x14\x00\x00\x00", [("quarantined", "payload.unrecognised_format")]),
    },
    "people": {
        "good.csv": (b"MRN,LAST\nM1,Birch\n", [("canonical", "")]),
        "header.csv": (b"MRN,LAST\n", []),
        "quote.csv": (b'MRN,LAST\nM2,Aspen\nM3,"Elm\n', [("canonical", ""), ("quarantined", "csv.unterminated_quote")]),
        "picture.csv": (b"\x89PNG\r\n\x1a\n\x00\x00", [("quarantined", "payload.unrecognised_format")]),
    },
}
UNITS = Counter(unit for files in FILES.values() for _, units in files.values() for unit in units)


@pytest.fixture(scope="module")
def incoming(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files, a folder for each feed."""
    folder = tmp_path_factory.mktemp("incoming")
    for feed, files in FILES.items():
        (folder / feed).mkdir()
        for name, (content, _) in files.items():
            (folder / feed / name).write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def lakehouse(tmp_path_factory: pytest.TempPathFactory, build_folder: Path) -> CommandLine:
    """The command line on an empty data root of the clinic."""
    folder = tmp_path_factory.mktemp("root")
    (folder / "facilities.yaml").write_text(REGISTRY)
    return CommandLine(folder / "home", folder / "facilities.yaml", build_folder)


@pytest.fixture(scope="module")
def landed(lakehouse: CommandLine, incoming: Path) -> dict[str, Any]:
    """The root after the first run: ledger, quarantine and deliveries as the command line gives them."""
    for feed in FILES:
        said = lakehouse("land", incoming / feed, "-f", "clinic", "-s", feed, "--date", DAY, "--json")
        assert (said.code, len(said.json())) == (0, len(FILES[feed])), said.err
    said = lakehouse("materialize")
    assert said.code == 0, said.err
    return _account(lakehouse)


def _account(lakehouse: CommandLine) -> dict[str, Any]:
    ledger = lakehouse("reconcile", "--json")
    assert ledger.code == 0, ledger.err
    return {"ledger": ledger.json(), "quarantine": lakehouse("quarantine", "list", "--json").json()}


def _sums(ledger: list[dict[str, Any]]) -> dict[str, int]:
    names = ("received", "canonical", "duplicate", "superseded", "quarantined", "ignored_by_rule")
    return {name: sum(row[name] for row in ledger) for name in names}


def _tree(home: Path) -> dict[str, str]:
    """Every file of a root that holds data, with the hash of its bytes."""
    kept = [path for part in ("landing", "raw", "warehouse", "keys") for path in (home / part).rglob("*") if path.is_file()]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in kept}


@pytest.mark.parametrize(("facility", "source"), [("elsewhere", "messages"), ("clinic", "faxes")])
def test_an_unknown_sender_or_feed_is_refused(lakehouse: CommandLine, incoming: Path, facility: str, source: str) -> None:
    """An unknown facility or feed is a usage error that names the known ones; the file stays and nothing is landed."""
    file = incoming / "messages" / "good.hl7"
    before, kept = file.stat(), _tree(lakehouse.home)
    said = lakehouse("land", file, "-f", facility, "-s", source, "--date", DAY)
    assert said.code == 2
    assert "Remedy: one of" in said.err
    assert (file.stat().st_mtime_ns, file.stat().st_size) == (before.st_mtime_ns, before.st_size)
    assert {path for path in _tree(lakehouse.home) if "/landing/" in path} == {path for path in kept if "/landing/" in path}


@pytest.mark.parametrize(("words", "part"), [
    (("-f", "clinic", "-s", "messages", "--date", "2025-12-31"), "outside"),
    (("-f", "clinic", "-s", "messages", "--date", "yesterday"), "not a date"),
    (("-f", "clinic"), "--source"),
])
def test_a_wrong_word_is_refused(lakehouse: CommandLine, incoming: Path, words: tuple[str, ...], part: str) -> None:
    """A date outside the registry's range, a word that is no date, or a missing option is a usage error with a remedy."""
    said = lakehouse("land", incoming / "messages" / "good.hl7", *words)
    assert said.code == 2
    assert part in said.err
    assert "Remedy" in said.err


def test_a_missing_file_is_refused(lakehouse: CommandLine, incoming: Path) -> None:
    """A path that does not exist is a usage error and lands nothing, also beside good ones."""
    before = _tree(lakehouse.home)
    said = lakehouse("land", incoming / "messages" / "good.hl7", incoming / "none.hl7", "-f", "clinic", "-s", "messages", "--date", DAY)
    assert said.code == 2
    assert {path for path in _tree(lakehouse.home) if "/landing/" in path} == {path for path in before if "/landing/" in path}


def test_bad_files_are_kept_with_a_reason(landed: dict[str, Any]) -> None:
    """Unreadable, empty, cut and unknown files are quarantined with their reason, their neighbours are published, all balances."""
    outcomes = Counter[str]()
    for (outcome, _), count in UNITS.items():
        outcomes[outcome] += count
    # The two empty files are equal content: the second is a duplicate.
    assert _sums(landed["ledger"]) == {
        "received": UNITS.total(), "canonical": outcomes["canonical"], "duplicate": 1, "superseded": 0,
        "quarantined": outcomes["quarantined"] - 1, "ignored_by_rule": 0,
    }
    reasons = Counter[str]()
    for row in landed["quarantine"]:
        reasons[row["reason"]] += row["units"]
    assert set(reasons) == {reason for outcome, reason in UNITS if outcome == "quarantined"}
    assert all(row["owner"] for row in landed["quarantine"])


def test_a_header_without_rows_is_a_marked_delivery(lakehouse: CommandLine, landed: dict[str, Any]) -> None:
    """An extract with a header and no row is no missing file: its delivery is there, marked, with nothing in the ledger."""
    from assets.stores.catalog_reading import read_catalog

    marked = read_catalog(lakehouse.home, "select source, units, flags from delivery where flags is not null")
    assert marked == [{"source": "people", "units": 0, "flags": "csv.empty_extract"}]


def test_the_same_files_again_are_duplicates(lakehouse: CommandLine, landed: dict[str, Any], incoming: Path) -> None:
    """Landing every file again is a second delivery of each, whose units are all duplicates."""
    before = _sums(landed["ledger"])
    for feed in FILES:
        said = lakehouse("land", incoming / feed, "-f", "clinic", "-s", feed, "--date", DAY, "--json")
        assert {row["ordinal"] for row in said.json()} == {2}
    assert lakehouse("materialize", "-f", "clinic").code == 0
    after = _sums(_account(lakehouse)["ledger"])
    assert after == {**before, "received": 2 * UNITS.total(), "duplicate": before["duplicate"] + UNITS.total()}


def test_a_partition_is_held_and_released_by_hand(lakehouse: CommandLine, landed: dict[str, Any], tmp_path: Path) -> None:
    """A hold by hand takes a partition out of what is published until it is released; who decided stands in the audit log."""
    before = _sums(_account(lakehouse)["ledger"])
    decision = ("-f", "clinic", "--date", DAY, "--actor", "d.steward", "--reason", "asked by the laboratory")
    assert lakehouse("quarantine", "hold", *decision).code == 0
    assert [(row["state"], row["held"]) for row in lakehouse("status", "--json").json()] == [("▲ held", 1)]
    held = _sums(_account(lakehouse)["ledger"])
    assert (held["canonical"], held["received"]) == (0, before["received"])
    assert lakehouse("quarantine", "release", *decision).code == 0
    assert _sums(_account(lakehouse)["ledger"]) == before
    assert lakehouse("quarantine", "release", *decision).code == 2
    assert lakehouse("catalog", "export", tmp_path / "log.jsonl").code == 0
    log = [json.loads(json.loads(line)["text"]) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [one["kind"] for one in log if one["actor"] == "d.steward"] == ["hold.put", "hold.release"]
    assert "asked by the laboratory" not in (tmp_path / "log.jsonl").read_text()


def test_the_audit_log_is_proved_by_known_keys(lakehouse: CommandLine, landed: dict[str, Any], tmp_path: Path) -> None:
    """Verification answers four questions with yes; with a public key that is not the signer's it says no, with exit code 1."""
    said = lakehouse("catalog", "verify", "--json")
    assert (said.code, [row["holds"] for row in said.json()]) == (0, [True] * 4), said.err
    (tmp_path / "other.pub").write_text("ab" * 32)
    said = lakehouse("catalog", "verify", "--json", "--public-key", tmp_path / "other.pub")
    assert (said.code, [row["holds"] for row in said.json()]) == (1, [True, False, True, True])
    assert "Not proved: signed" in said.err


def test_a_second_writer_is_told_who_writes(lakehouse: CommandLine, landed: dict[str, Any]) -> None:
    """While one run writes, another ends with exit code 3 and the run, command and process that hold the warehouse."""
    with writer_lock(lakehouse.home, "run-of-another", "nightly"):
        said = lakehouse("materialize", lock_wait_seconds=0)
        assert "Now writing: run run-of-another (nightly, process" in lakehouse("status").out
    assert said.code == 3
    assert "run run-of-another (nightly, process" in said.err
    assert "Remedy: wait for it to end" in said.err


def test_a_wrong_key_changes_nothing(lakehouse: CommandLine, landed: dict[str, Any], incoming: Path) -> None:
    """With another key every command is refused with exit code 2, and no byte of the root's data changes."""
    before = _tree(lakehouse.home)
    for words in (("land", incoming / "messages", "-f", "clinic", "-s", "messages"), ("materialize",), ("status",)):
        said = lakehouse(*words, key="ab" * 32)
        assert said.code == 2
        assert "not the key of this root" in said.err
        assert "ab" * 32 not in said.err + said.out
    assert _tree(lakehouse.home) == before


@pytest.mark.parametrize(("name", "value", "part"), [
    ("lock_wait_seconds", "soon", "LAKEHOUSE_LOCK_WAIT_SECONDS"), ("target", "mars", "LAKEHOUSE_TARGET"),
    ("memory", "much", "LAKEHOUSE_MEMORY"), ("key", "00", "64 hex digits"), ("alert_webhook", "ftp://x", "LAKEHOUSE_ALERT_WEBHOOK"),
    ("facilities", "/nowhere.yaml", "LAKEHOUSE_FACILITIES"),
])
def test_a_wrong_setting_is_named(lakehouse: CommandLine, name: str, value: str, part: str) -> None:
    """A setting that cannot be is refused with exit code 2, its name and a remedy."""
    said = lakehouse("status", **{name: value})
    assert said.code == 2
    assert part in said.err
    assert "Remedy" in said.err


@pytest.mark.parametrize(("right", "wrong", "line"), [
    ("timezone: America/New_York", "timezone: Mars/Olympus", 9), ("{kind: hl7v2}", "{kind: telegram}", 19), ("first_batch_date: 2026-01-01", "first_batch_date: soon", 2),
])
def test_a_wrong_registry_names_the_line(lakehouse: CommandLine, tmp_path: Path, right: str, wrong: str, line: int) -> None:
    """A registry that cannot be is refused with exit code 2, naming file, line and remedy."""
    file = tmp_path / "facilities.yaml"
    file.write_text(REGISTRY.replace(right, wrong))
    said = lakehouse("status", facilities=file)
    assert said.code == 2
    assert f"{file}:{line}: " in said.err
    assert "Remedy" in said.err


def test_parity_without_an_account_is_refused_before_anything_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer needs no dbt, no Dagster and no root: they would take tens of seconds on a busy machine."""
    monkeypatch.setitem(sys.modules, "orchestration.parity.sides", None)
    said = CommandLine(tmp_path / "root", tmp_path / "none.yaml", tmp_path / "build")("parity")
    assert said.code == 2
    assert "No Snowflake account is configured" in said.err
    assert not (tmp_path / "root").exists()
