"""Does the catalog agree with the log? What no hash can show: an event that was never appended, a projection edited by hand.

Every partition that stands must have the entry that wrote it, with the same rows and content hash; ledger lines and runs likewise.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from lineage.audit_verify import Answer

FAULTS_SHOWN = 20

_PARTITIONS = """
select m.asset || '|' || m.facility_id || '|' || m.batch_date as subject, m.run_id from materialization m
where not exists (
  select 1 from entry e indexed by entry_subject
  where e.subject = m.asset || '|' || m.facility_id || '|' || m.batch_date and e.kind = 'materialize'
    and e.run_id = m.run_id and json_extract(e.body, '$.body.rows') = m.rows
    and coalesce(json_extract(e.body, '$.body.content_hash'), '') = coalesce(m.content_hash, ''))
"""
_LEDGER = """
select l.source || '|' || l.facility_id || '|' || l.batch_date as subject, '' as run_id from ledger l
where not exists (
  select 1 from entry e indexed by entry_subject
  where e.subject = l.source || '|' || l.facility_id || '|' || l.batch_date and e.kind = 'ledger'
    and json_extract(e.body, '$.body.record_type') = l.record_type and json_extract(e.body, '$.body.received') = l.received
    and json_extract(e.body, '$.body.quarantined') = l.quarantined and json_extract(e.body, '$.body.canonical') = l.canonical)
"""
_RUNS = """
select r.run_id as subject, r.run_id from run r
where not exists (select 1 from entry e where e.run_id = r.run_id and e.kind = 'run.start')
"""


@dataclass(frozen=True)
class Gap:
    """Something that the catalog shows and the log does not say."""

    subject: str
    run_id: str


def gaps(connection: sqlite3.Connection, limit: int = FAULTS_SHOWN) -> list[Gap]:
    """Partitions, ledger lines and runs without the entry that they come from, at most `limit` of each."""
    found = []
    for sql in (_PARTITIONS, _LEDGER, _RUNS):
        found += [Gap(row["subject"], row["run_id"]) for row in connection.execute(f"{sql} order by 1 limit ?", (limit,))]
    return found


def completeness(connection: sqlite3.Connection) -> Answer:
    """The fourth verdict: does every figure of the catalog have its entry?"""
    missing = gaps(connection, 1)
    if missing:
        return Answer(False, f"{missing[0].subject} stands in the catalog and not, or otherwise, in the log.")
    return Answer(True, "Every partition, ledger line and run of the catalog has the entry that it comes from.")
