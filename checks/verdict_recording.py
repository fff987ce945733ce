"""Verdicts and holds in the catalog store, with their events: what pages, `lakehouse status` and the auditor see of the gate."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from assets.root import Root, Run
from assets.stores.catalog_reading import read_catalog
from assets.stores.control import Partition
from checks.gate import GateResult
from checks.verdict import Verdict
from transforms.governance.events import Event, partition_subject
from transforms.governance.projection_rows import Projection


def record_verdicts(root: Root, run: Run, verdicts: Sequence[Verdict]) -> None:
    """Replace the verdicts of the same asset, check and partition; failing ones get an event each, all others one a partition."""
    now = datetime.now(UTC)
    rows = [_row(one, run, now) for one in verdicts]
    scopes = [{name: row[name] for name in ("asset", "check_name", "facility_id", "batch_date")} for row in rows]
    events = [
        Event("check", partition_subject(row["asset"], row["facility_id"], row["batch_date"]), {
            "facility_id": row["facility_id"], "batch_date": row["batch_date"], "asset": row["asset"], "check": row["check_name"],
            "severity": row["severity"], "status": row["status"], "failed_rows": row["failed_rows"], "total_rows": row["total_rows"],
        }, run_id=run.run_id)
        for row in rows
    ]
    with root.catalog() as catalog:
        catalog.record(events, [Projection("verdict", rows, scopes)] if rows else [])


def record_holds(root: Root, run: Run, result: GateResult) -> None:
    """Write which partitions are held and why; a hold keeps the time since when, a hold that ended its end."""
    now = datetime.now(UTC)
    known = {
        (row["facility_id"], row["batch_date"], row["asset"], row["reason"]): row
        for row in read_catalog(root.home, "select facility_id, batch_date, asset, reason, since, released from hold")
    }
    held = {
        (facility_id, day.isoformat(), asset, reason)
        for (facility_id, day), causes in result.held.items() for asset, reason in causes
    }
    rows = []
    for key in sorted(held | set(known)):
        before = known.get(key)
        since = before["since"] if before and not (key in held and before["released"]) else now
        released = None if key in held else (before or {}).get("released") or now
        rows.append({"facility_id": key[0], "batch_date": key[1], "asset": key[2], "reason": key[3],
                     "since": _instant(since), "released": _instant(released) if released else None})
    events = [_hold_event("hold.put", run, partition, result) for partition in result.newly_held]
    events += [_hold_event("hold.release", run, partition, result) for partition in result.newly_published]
    with root.catalog() as catalog:
        catalog.record(events, [Projection("hold", rows, {})])


def _hold_event(kind: str, run: Run, partition: Partition, result: GateResult) -> Event:
    facility_id, day = partition
    causes = result.held.get(partition, ())
    return Event(kind, partition_subject("canonical", facility_id, day.isoformat()), {
        "facility_id": facility_id, "batch_date": day.isoformat(), "asset": causes[0][0] if causes else "canonical",
        "checks": [f"{asset}:{check}".replace(" ", "_") for asset, check in causes] or ["passed"],
    }, run_id=run.run_id)


def _row(one: Verdict, run: Run, now: datetime) -> dict[str, Any]:
    return {
        "asset": one.asset, "check_name": one.check_name, "facility_id": one.facility_id, "batch_date": one.batch_date.isoformat(),
        "status": "passed" if one.has_passed else "failed", "severity": "blocking" if one.is_blocking else "warning",
        "failed_rows": one.failed_rows, "total_rows": one.total_rows, "description": one.description, "run_id": run.run_id, "time": now,
    }


def _instant(value: str | datetime) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)
