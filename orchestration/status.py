"""Answers behind `lakehouse status`, `reconcile` and `quarantine show`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from assets.root import Root
from assets.stores.catalog_reading import read_catalog
from assets.stores.lock import lock_holder
from checks.silence import LateFeed, late_feeds
from checks.verdict import CONTRACT
from orchestration.behind import behind_partitions

COUNTS = ("received", "held", "failed", "warnings", "quarantined", "pending_slices", "stale_slices")


def facility_status(root: Root, now: datetime) -> list[dict[str, Any]]:
    """Give one row for each registered facility at `now` (UTC), worst first.

    `failed` counts failing checks that block and are released or not; `warnings` those that only warn. `quarantine_days` is the age of
    the oldest quarantined unit, `late_feeds` the feeds past their window, `behind` the partitions read under rules edited since.
    """
    known = {row["facility_id"]: row for row in read_catalog(root.home, _STATUS)}
    holder = lock_holder(root.home) or ""
    late = Counter(one.facility_id for one in overdue_feeds(root, now))
    behind = Counter(facility_id for facility_id, _ in behind_partitions(root))
    return sorted((_row(name, known.get(name, {}), late[name], behind[name], holder, now) for name in root.registry.facility_ids),
                  key=lambda row: (_ORDER.index(row["state"]), -row["quarantined"], row["facility"]))


_ORDER = ["■ unbalanced", "■ run failed", "▲ held", "■ failed", "○ late", "▲ stale", "○ pending", "○ behind", "○ silent",
          "● warnings", "● current"]


def is_current(row: Mapping[str, Any]) -> bool:
    """Whether everything a facility sent is published: warnings show, they keep nothing back."""
    return bool(row["state"] in _ORDER[-2:])


def _row(facility_id: str, found: Mapping[str, Any], late: int, behind: int, holder: str, now: datetime) -> dict[str, Any]:
    counts = {name: int(found.get(name) or 0) for name in COUNTS}
    since = found.get("quarantined_since")
    row = {
        "facility": facility_id, **counts, "late_feeds": late, "behind": behind, "newest_batch": found.get("newest_batch"),
        "newest_delivery": found.get("newest_delivery"), "quarantine_days": (now - datetime.fromisoformat(since)).days if since else None,
    }
    run_id, _, ended = str(found.get("last_run") or "").partition(" ")
    # A run that never ended and holds no lock has died.
    has_died = ended == "failure" or (ended == "running" and run_id not in holder)
    return {**row, "state": _state(row, bool(found.get("unbalanced")), has_died, bool(found.get("waiting")))}


def _state(row: Mapping[str, Any], is_unbalanced: bool, has_died: bool, is_waiting: bool) -> str:
    reasons = {
        "■ unbalanced": is_unbalanced, "■ run failed": has_died, "▲ held": row["held"], "■ failed": row["failed"],
        # A facility that never sent anything is silent, not late.
        "○ silent": row["newest_batch"] is None, "○ late": row["late_feeds"], "▲ stale": row["stale_slices"],
        "○ pending": is_waiting or row["pending_slices"], "○ behind": row["behind"], "● warnings": row["warnings"],
    }
    return next((state for state, is_so in reasons.items() if is_so), "● current")


def newest_arrivals(root: Root) -> dict[tuple[str, str], datetime]:
    """Give the received time (UTC) of each feed's newest delivery; a feed that never delivered is absent."""
    rows = read_catalog(root.home, "select facility_id, source, max(received_time) as newest from delivery group by facility_id, source")
    return {(row["facility_id"], row["source"]): datetime.fromisoformat(row["newest"]).astimezone(UTC) for row in rows}


def overdue_feeds(root: Root, now: datetime) -> list[LateFeed]:
    """Give the feeds whose delivery is overdue at `now` (UTC), by facility and source."""
    return late_feeds(root.registry, newest_arrivals(root), now)


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


def contract_words(root: Root, facility_id: str, day: date) -> list[str]:
    """Say which columns of a partition's files break their contract, by name; nothing where none does."""
    rows = read_catalog(root.home, "select description from verdict where facility_id = ? and batch_date = ? and check_name = ? "
                                   "and status = 'failed'", [facility_id, day.isoformat(), CONTRACT])
    return [row["description"] for row in rows]


_STATUS = """
select d.facility_id, max(d.batch_date) as newest_batch, max(d.received_time) as newest_delivery, sum(d.units) as received,
  sum(d.units is null) as waiting,
  (select count(*) from ledger l where l.facility_id = d.facility_id and l.balanced = 0) as unbalanced,
  (select count(distinct h.batch_date) from hold h where h.facility_id = d.facility_id and h.released is null) as held,
  (select count(*) from verdict v where v.facility_id = d.facility_id and v.status = 'failed' and v.severity = 'blocking') as failed,
  (select count(*) from verdict v where v.facility_id = d.facility_id and v.status = 'failed' and v.severity <> 'blocking') as warnings,
  (select coalesce(sum(q.units), 0) from quarantine q where q.facility_id = d.facility_id) as quarantined,
  (select min(q.since) from quarantine q where q.facility_id = d.facility_id) as quarantined_since,
  (select count(*) from slice s where s.facility_id = d.facility_id and s.state = 'stale') as stale_slices,
  (select r.run_id || ' ' || r.state from run r, json_each(r.facilities) f where f.value = d.facility_id
   order by r.run_seq desc limit 1) as last_run,
  (select count(*) from slice s where s.facility_id = d.facility_id and s.state not in ('current', 'stale')) as pending_slices
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
