"""Holds and releases by hand: a recorded decision, then a run of the partition that carries it out."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date

from assets.root import Root
from assets.stores.lock import writer_lock
from checks.gate import hold, release
from checks.hold import Decision
from orchestration.materialize import materialize, refuse_unknown
from orchestration.settings import Settings
from transforms.governance.events import Event, partition_subject


def release_partition(root: Root, settings: Settings, facility_id: str, batch_date: date, reason: str, actor: str) -> None:
    """Release a held partition and publish it. The reason is kept beside the audit log's entry.

    Raises ConfigurationError where the partition is unknown or not held.
    """
    _carry_out(root, settings, facility_id, batch_date, reason, actor, release)


def hold_partition(root: Root, settings: Settings, facility_id: str, batch_date: date, reason: str, actor: str) -> None:
    """Hold a partition until somebody releases it, and take its rows out of what is published.

    Raises ConfigurationError where the partition is unknown.
    """
    _carry_out(root, settings, facility_id, batch_date, reason, actor, hold)


def _carry_out(root: Root, settings: Settings, facility_id: str, batch_date: date, reason: str, actor: str,
               decide: Callable[..., Decision]) -> None:
    refuse_unknown(root, [(facility_id, batch_date)])
    run_id = str(uuid.uuid4())
    with writer_lock(root.home, run_id, decide.__name__, settings.lock_wait_seconds):
        run = root.begin(run_id, [(facility_id, batch_date)])
        with root.warehouse.open() as warehouse:
            decision = decide(warehouse, run_id, run.run_seq, facility_id, batch_date, reason, actor)
        with root.catalog() as catalog:
            catalog.append([_event(decision)])
    for result in materialize(root, settings, [(facility_id, batch_date)]):
        if result.problem is not None:
            raise result.problem


def _event(decision: Decision) -> Event:
    day = decision.batch_date.isoformat()
    return Event(
        decision.kind, partition_subject("canonical", decision.facility_id, day),
        {"facility_id": decision.facility_id, "batch_date": day, "asset": decision.causes[0][0],
         "checks": [f"{asset}:{check}".replace(" ", "_") for asset, check in decision.causes]},
        actor=decision.actor, run_id=decision.run_id, detail=decision.reason,
    )
