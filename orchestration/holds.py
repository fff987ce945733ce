"""Releases and holds by hand: a recorded decision, then a run of the partition that carries it out."""

from __future__ import annotations

import uuid
from datetime import date

from assets.root import Root
from assets.stores.lock import writer_lock
from checks.gate import release
from orchestration.materialize import materialize
from orchestration.settings import Settings
from transforms.governance.events import Event, partition_subject


def release_partition(root: Root, settings: Settings, facility_id: str, batch_date: date, reason: str, actor: str) -> None:
    """Release a held partition and publish it. The reason is kept beside the audit log's entry."""
    run_id = str(uuid.uuid4())
    with writer_lock(root.home, run_id, "release", settings.lock_wait_seconds):
        run = root.begin(run_id, [(facility_id, batch_date)])
        with root.warehouse.open() as warehouse:
            release(warehouse, run_id, run.run_seq, facility_id, batch_date, reason, actor)
        with root.catalog() as catalog:
            catalog.append([Event(
                "hold.release", partition_subject("canonical", facility_id, batch_date.isoformat()),
                {"facility_id": facility_id, "batch_date": batch_date.isoformat(), "asset": "canonical", "checks": ["released"]},
                actor=actor, run_id=run_id, detail=reason,
            )])
    for result in materialize(root, settings, [(facility_id, batch_date)]):
        if result.problem is not None:
            raise result.problem
