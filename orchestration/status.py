"""Answers behind `lakehouse status`, `reconcile` and `quarantine show`."""

from __future__ import annotations

from datetime import date
from typing import Any

from assets.root import Root
from assets.stores.catalog_reading import read_catalog
from assets.stores.lock import lock_holder


def facility_status(root: Root) -> list[dict[str, Any]]:
    """Give one row for each registered facility, worst first."""
    known = {row["facility_id"]: row for row in read_catalog(root.home, _STATUS)}
    rows = []
    for facility_id in root.registry.facility_ids:
        found = known.get(facility_id, {})
        counts = {name: found.get(name) or 0 for name in ("received", "held", "failed_checks", "quarantined", "pending_slices")}
        row = {"facility": facility_id, **counts, "newest_batch": found.get("newest_batch")}
        rows.append({**row, "state": _state(row)})
    return sorted(rows, key=lambda row: (_ORDER.index(row["state"]), -row["quarantined"], row["facility"]))


_ORDER = ["▲ held", "■ failed check", "○ pending", "○ silent", "● current"]


def _state(row: dict[str, Any]) -> str:
    if row["held"]:
        return "▲ held"
    if row["failed_checks"]:
        return "■ failed check"
    if row["newest_batch"] is None:
        return "○ silent"
    return "○ pending" if row["pending_slices"] else "● current"


def running_words(root: Root) -> str:
    """Say who is writing now, or nothing."""
    holder = lock_holder(root.home)
    return f" Now writing: {holder}." if holder else ""


def ledger_rows(root: Root, facility_id: str | None, day: date | None) -> list[dict[str, Any]]:
    """Give the ledger by facility, batch date and feed."""
    rows = read_catalog(root.home, _LEDGER, [facility_id, facility_id, day.isoformat() if day else None, day.isoformat() if day else None])
    return [{**row, "balanced": bool(row["balanced"])} for row in rows]


def quarantined_units(root: Root, facility_id: str, day: date, reason: str | None) -> list[dict[str, Any]]:
    """Give the coordinates of a partition's quarantined units."""
    with root.warehouse.open(read_only=True) as warehouse:
        return list(warehouse.query(_UNITS, [facility_id, day, reason, reason]).to_pylist())


_STATUS = """
select d.facility_id, max(d.batch_date) as newest_batch, sum(d.units) as received,
  (select count(distinct h.batch_date) from hold h where h.facility_id = d.facility_id and h.released is null) as held,
  (select count(*) from verdict v where v.facility_id = d.facility_id and v.status = 'failed') as failed_checks,
  (select coalesce(sum(q.units), 0) from quarantine q where q.facility_id = d.facility_id) as quarantined,
  (select count(*) from slice s where s.facility_id = d.facility_id and s.state <> 'current') as pending_slices
from delivery d group by d.facility_id
"""
_LEDGER = """
select facility_id, batch_date, source, sum(received) as received, sum(canonical) as canonical, sum(duplicate) as duplicate,
  sum(superseded) as superseded, sum(quarantined) as quarantined, sum(ignored_by_rule) as ignored_by_rule, min(balanced) as balanced
from ledger
where (? is null or facility_id = ?) and (? is null or batch_date = ?)
group by facility_id, batch_date, source order by facility_id, batch_date, source
"""
_UNITS = """
select outcome.unit_id, outcome.source, outcome.record_type, outcome.reason, raw_unit.reject_path, raw_unit.unit_locator,
  raw_unit.payload_id
from LAKE.canonical.unit_outcome outcome
join LAKE.raw.raw_unit raw_unit on raw_unit.unit_id = outcome.unit_id
where outcome.outcome = 'quarantined' and outcome.facility_id = ? and outcome.batch_date = ? and (? is null or outcome.reason = ?)
order by outcome.source, raw_unit.unit_locator
"""
