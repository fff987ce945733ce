"""`lakehouse status` tells apart what a facility waits for: rows of a catalog store written by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from assets.root import Root
from assets.stores.lock import writer_lock
from orchestration.opening import open_root
from orchestration.settings import Settings
from orchestration.status import facility_status, is_current
from transforms.governance.projection_rows import Projection

NOW = datetime(2026, 1, 9, 12, tzinfo=UTC)
DAY = date(2026, 1, 8)
FACILITIES = ("held", "failed", "late", "stale", "pending", "waiting", "behind", "silent", "warned", "current", "unbalanced", "broken", "killed", "running")
ENTRY = """- {{facility_id: {0}, valid_from: 2026-01-01, name: N, region: w, owner: n@x.example, timezone: America/Denver, charset: utf-8,
   source_system: epic, default_authority: A, authorities: {{A: 'urn:oid:2.999.1'}}, sources: {{adt: {{kind: hl7v2}}}}}}"""


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """A root without a warehouse, with fourteen facilities that delivered at noon today."""
    registry = "registry_version: 1\nfirst_batch_date: 2026-01-01\nfacilities:\n" + "\n".join(map(ENTRY.format, FACILITIES))
    (tmp_path / "facilities.yaml").write_text(registry)
    root = open_root(Settings(home=tmp_path / "home", build=tmp_path / "build", facilities=tmp_path / "facilities.yaml"))
    _tell(root, "delivery", [_delivery(name) for name in FACILITIES if name not in ("silent", "late", "waiting")])
    return root


def _tell(root: Root, table: str, rows: list[dict[str, Any]]) -> None:
    with root.catalog() as catalog:
        catalog.record((), [Projection(table, rows, {})])


def _delivery(facility: str, received: datetime = NOW, units: int | None = 10) -> dict[str, Any]:
    return {"delivery_id": f"d-{facility}", "payload_id": "ab" * 32, "facility_id": facility, "source": "adt", "batch_date": DAY,
            "size": 5, "received_time": received, "units": units, "flags": None}


def _verdict(facility: str, severity: str, status: str = "failed") -> dict[str, Any]:
    return {"asset": "canonical.patient", "check_name": "schema", "facility_id": facility, "batch_date": DAY, "status": status,
            "severity": severity, "failed_rows": 1, "total_rows": 10, "description": "-", "run_id": "r", "time": NOW}


def _slice(facility: str, state: str) -> dict[str, Any]:
    return {"mart": "mart_census", "facility_id": facility, "service_date": DAY, "state": state, "run_id": "r", "time": NOW}


def _written(facility: str, rules: str | None) -> dict[str, Any]:
    return {"asset": "raw.raw_delivery", "layer": "raw", "facility_id": facility, "batch_date": DAY, "run_id": "r", "code_version": "c",
            "data_version": "v", "reading_rules": rules, "rows": 1, "content_hash": None, "time": NOW}


def _run(facility: str, seq: int, state: str) -> dict[str, Any]:
    return {"run_id": f"run-{seq}", "run_seq": seq, "kind": "pipeline", "facilities": [facility], "dates": ["2026-01-08"], "started": NOW,
            "ended": None if state == "running" else NOW, "state": state}


def test_each_state_has_its_name(root: Root) -> None:
    """A blocking failure is failed and a warning is not, a late feed is late, a run that died is told from one that goes on, and the worst facility stands first."""
    _tell(root, "delivery", [*(_delivery(name) for name in FACILITIES if name not in ("silent", "late", "waiting")),
                             _delivery("late", NOW - timedelta(days=2)), _delivery("waiting", units=None)])
    _tell(root, "verdict", [_verdict("failed", "blocking"), _verdict("warned", "warning"), _verdict("current", "blocking", "passed")])
    _tell(root, "slice", [_slice("pending", "pending"), _slice("stale", "stale"), _slice("current", "current")])
    _tell(root, "hold", [{"facility_id": "held", "batch_date": DAY, "asset": "a", "reason": "schema", "since": NOW, "released": None},
                         {"facility_id": "current", "batch_date": DAY, "asset": "a", "reason": "schema", "since": NOW, "released": NOW}])
    read_under = {"current": root.reading_rules(["current"])["current"].on(DAY), "behind": "of long ago"}
    _tell(root, "materialization", [_written(facility, rules) for facility, rules in read_under.items()])
    numbers = dict.fromkeys(("received", "canonical", "duplicate", "superseded", "quarantined", "ignored_by_rule"), 1)
    _tell(root, "ledger", [{"facility_id": "unbalanced", "batch_date": DAY, "source": "adt", "record_type": "ADT^A01",
                            "unit_kind": "hl7.message", **numbers, "balanced": False}])
    _tell(root, "quarantine", [{"facility_id": "warned", "batch_date": DAY, "source": "adt", "reason": "time.invalid", "owner": "o",
                                "units": 3, "since": NOW - timedelta(days=4, hours=1)}])
    _tell(root, "run", [_run("broken", 1, "failure"), _run("killed", 2, "running"), _run("running", 3, "running"),
                        _run("current", 4, "failure"), _run("current", 5, "success")])
    with writer_lock(root.home, "run-3", "pipeline"):
        rows = facility_status(root, NOW)
    assert [(row["facility"], row["state"].split(maxsplit=1)[1]) for row in rows] == [
        ("unbalanced", "unbalanced"), ("broken", "run failed"), ("killed", "run failed"), ("held", "held"), ("failed", "failed"), ("late", "late"), ("stale", "stale"),
        ("pending", "pending"), ("waiting", "pending"), ("behind", "behind"), ("silent", "silent"), ("warned", "warnings"), ("current", "current"), ("running", "current"),
    ]
    assert [row["facility"] for row in rows if is_current(row)] == ["warned", "current", "running"]
    by_name = {row["facility"]: row for row in rows}
    assert (by_name["failed"]["failed"], by_name["failed"]["warnings"]) == (1, 0)
    assert (by_name["warned"]["failed"], by_name["warned"]["warnings"]) == (0, 1)
    assert (by_name["warned"]["quarantined"], by_name["warned"]["quarantine_days"]) == (3, 4)
    assert by_name["late"]["late_feeds"] == 1
