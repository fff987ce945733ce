"""Decisions on the person index: recorded, carried out at once, and noted in the audit log."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from datetime import UTC, datetime

from assets.root import Root
from assets.stores.identity import Resolution, resolve_changes, root_settings
from assets.stores.identity_decisions import LINK, Decision, record_decision
from assets.stores.lock import writer_lock
from orchestration.settings import Settings
from transforms.governance.events import Event


def decide(root: Root, settings: Settings, said: Decision) -> tuple[int, Resolution]:
    """Record a decision and cluster anew what it touches; give its number and what the resolution did.

    The decision stays where the resolution fails: the next run carries it out. Marts follow with the next run of their partitions.
    """
    run_id = str(uuid.uuid4())
    rules = root_settings(root.keys, root.identity_policy, settings.memory, root.identity_model)
    with writer_lock(root.home, run_id, "identity", settings.lock_wait_seconds):
        run = root.begin(run_id, [])
        with root.warehouse.open() as warehouse:
            now = datetime.now(UTC).replace(tzinfo=None)
            number = record_decision(warehouse, said, now, rules.model.version, rules.policy.version)
            resolution = resolve_changes(warehouse, run.run_seq, rules)
        with root.catalog() as catalog:
            marks = [hmac.new(root.keys.derive("audit"), f"patient|{key}".encode(), hashlib.sha256).hexdigest()
                     for key in (said.left, said.right)]
            catalog.append([Event(
                "identity.link" if said.decision == LINK else "identity.unlink", "identity|pair",
                {"left": marks[0], "right": marks[1], "rule": f"steward_{said.decision}", "evidence_version": rules.policy.version},
                actor=said.decided_by, run_id=run_id, detail=said.reason,
            )])
    return number, resolution
