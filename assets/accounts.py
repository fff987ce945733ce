"""The accounts of a run in the catalog: ledger, quarantine, holds, corrections and slices, projected after the tables moved."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from assets.root import Root, Run
from assets.stores.warehouse import Warehouse
from transforms.governance.events import Event, partition_subject
from transforms.governance.projection_rows import Projection

# Partitions whose accounts this run may have changed: its own, and those whose units it moved between outcomes.
AFFECTED = """
  select facility_id, batch_date from LAKE.control.run_scope where run_id = ?
  union
  select facility_id, batch_date from LAKE.control.outcome_move where run_seq = ?
"""


def project_accounts(root: Root, run: Run) -> None:
    """Project ledger, quarantine, holds and corrections of the affected partitions, with their events."""
    with root.warehouse.open(read_only=True) as warehouse:
        affected = _rows(warehouse, f"select facility_id, cast(batch_date as varchar) as batch_date from ({AFFECTED}) order by 1, 2", run)
        ledger = _rows(warehouse, _LEDGER, run)
        quarantine = _rows(warehouse, _QUARANTINE, run)
        moves = _rows(warehouse, _MOVES, run, twice=False)
        corrections = _corrections(warehouse, run)
    scopes = [{"facility_id": row["facility_id"], "batch_date": row["batch_date"][:10]} for row in affected]
    for row in (*ledger, *quarantine, *moves):
        row["batch_date"] = row["batch_date"][:10]
    events = [
        Event("ledger", partition_subject(row["source"], row["facility_id"], row["batch_date"]),
              {key: row[key] for key in ("facility_id", "batch_date", "record_type", "received", "canonical", "duplicate", "superseded",
                                         "quarantined", "ignored_by_rule")}, run_id=run.run_id)
        for row in ledger
    ] + [
        Event("outcome.move", partition_subject(row["record_type"], row["facility_id"], row["batch_date"]), row, run_id=run.run_id)
        for row in moves
    ] + [
        Event("correct", partition_subject(row["resource"], row["facility_id"], row["batch_date"]),
              {key: row[key] for key in ("facility_id", "batch_date", "resource", "facts")}, run_id=run.run_id)
        for row in corrections
    ]
    with root.catalog() as catalog:
        catalog.record(events, [
            Projection("ledger", ledger, scopes),
            Projection("quarantine", quarantine, scopes),
            _correction_projection(run, corrections),
        ])


def project_slices(root: Root, run: Run) -> None:
    """Project the state of every slice that this run built or left pending, how far corrections reached, and what was published."""
    with root.warehouse.open(read_only=True) as warehouse:
        slices = warehouse.query(_SLICES, [run.run_seq, run.run_seq]).to_pylist()
        corrections = _corrections(warehouse, run)
    now = datetime.now(UTC)
    rows = [{**row, "service_date": row["service_date"][:10], "run_id": run.run_id, "time": now} for row in slices]
    published: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row["state"] == "current":
            published.setdefault((row["mart"], row["facility_id"]), []).append(row["service_date"])
    events = [
        Event("publish", f"{mart}|{facility}", {
            "mart": mart, "facility_id": facility, "first_date": min(days), "last_date": max(days), "slices": len(days), "state": "current",
        }, run_id=run.run_id)
        for (mart, facility), days in sorted(published.items())
    ]
    scopes = [{"mart": row["mart"], "facility_id": row["facility_id"], "service_date": row["service_date"]} for row in rows]
    with root.catalog() as catalog:
        catalog.record(events, [_correction_projection(run, corrections), *([Projection("slice", rows, scopes)] if rows else [])])


def _corrections(warehouse: Warehouse, run: Run) -> list[dict[str, Any]]:
    rows = warehouse.query(_CORRECTIONS, [run.run_seq, run.run_seq]).to_pylist()
    return [{**row, "batch_date": row["batch_date"][:10]} for row in rows]


def _correction_projection(run: Run, corrections: list[dict[str, Any]]) -> Projection:
    now = datetime.now(UTC)
    return Projection("correction", [{**row, "run_id": run.run_id, "time": now} for row in corrections], [{"run_id": run.run_id}])


def _rows(warehouse: Warehouse, sql: str, run: Run, twice: bool = True) -> list[dict[str, Any]]:
    return list(warehouse.query(sql, [run.run_id, run.run_seq] if twice else [run.run_seq]).to_pylist())


_LEDGER = f"""
select ledger.facility_id, cast(ledger.batch_date as varchar) as batch_date, ledger.source, ledger.record_type, ledger.unit_kind,
  ledger.units as received, ledger.canonical, ledger.duplicate, ledger.superseded, ledger.quarantined, ledger.ignored_by_rule,
  reconciliation.is_balanced as balanced
from LAKE.canonical.ledger ledger
join ({AFFECTED}) affected on affected.facility_id = ledger.facility_id and affected.batch_date = ledger.batch_date
join LAKE.canonical.reconciliation reconciliation on reconciliation.facility_id = ledger.facility_id
  and reconciliation.batch_date = ledger.batch_date and reconciliation.source = ledger.source
"""
_QUARANTINE = f"""
select unit_outcome.facility_id, cast(unit_outcome.batch_date as varchar) as batch_date, unit_outcome.source, unit_outcome.reason,
  coalesce(max(reason_code.owner), 'platform') as owner, count(*) as units, min(unit.received_time) as since
from LAKE.canonical.unit_outcome unit_outcome
join LAKE.canonical.unit unit on unit.unit_id = unit_outcome.unit_id
join ({AFFECTED}) affected on affected.facility_id = unit_outcome.facility_id and affected.batch_date = unit_outcome.batch_date
left join LAKE.ref.reason_code reason_code on reason_code.code = unit_outcome.reason
where unit_outcome.outcome = 'quarantined'
group by unit_outcome.facility_id, unit_outcome.batch_date, unit_outcome.source, unit_outcome.reason
"""
_MOVES = """
select move.facility_id, cast(move.batch_date as varchar) as batch_date, unit.record_type, move.old_outcome as from_outcome,
  move.new_outcome as to_outcome, count(*) as units
from LAKE.control.outcome_move move
join LAKE.canonical.unit unit on unit.unit_id = move.unit_id
where move.run_seq = ? and move.old_outcome <> move.new_outcome
group by move.facility_id, move.batch_date, unit.record_type, move.old_outcome, move.new_outcome
"""
# A correction: a current row that existed before changed or vanished. Its slices are known once the marts' touches are derived.
_CORRECTIONS = """
select change_log.facility_id, cast(change_log.batch_date as varchar) as batch_date, change_log.object as resource,
  count(distinct change_log.fact_key) as facts, coalesce(max(touched.slices), 0) as slices,
  cast(min(change_log.old_from) as varchar) as oldest_service_date
from LAKE.control.change_log change_log
left join (
  select slice.by_facility_id, slice.by_batch_date, count(*) as slices
  from (select distinct touched_slice.mart, touched_slice.facility_id, touched_slice.service_date, touched_slice.by_facility_id,
          touched_slice.by_batch_date from LAKE.control.touched_slice touched_slice where touched_slice.run_seq = ?) slice
  group by slice.by_facility_id, slice.by_batch_date
) touched on touched.by_facility_id = change_log.facility_id and touched.by_batch_date = change_log.batch_date
where change_log.run_seq = ? and change_log.old_subject_key is not null and change_log.batch_date is not null
  and change_log.object not like '%_version' and change_log.object not in ('unit', 'link', 'patient_survivor')
group by change_log.facility_id, change_log.batch_date, change_log.object
"""
# Built and not published: the candidate failed its checks, and the last good slice stands.
_SLICES = """
with touched as (
  select mart, facility_id, service_date, max(run_seq) as run_seq from LAKE.control.touched_slice group by mart, facility_id, service_date
)
select touched.mart, touched.facility_id, cast(touched.service_date as varchar) as service_date,
  case when state.built_seq is null or touched.run_seq > state.built_seq then 'pending'
       when coalesce(state.published_seq, -1) < state.built_seq then 'stale' else 'current' end as state
from touched
left join LAKE.control.slice_state state
  on state.mart = touched.mart and state.facility_id = touched.facility_id and state.service_date = touched.service_date
where touched.run_seq = ? or state.built_seq = ? or state.built_seq is null or state.built_seq < touched.run_seq
  or coalesce(state.published_seq, -1) < state.built_seq
"""
