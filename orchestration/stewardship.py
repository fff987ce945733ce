"""Decisions on the person index: recorded, carried out at once, and noted in the audit log."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from datetime import UTC, datetime

from assets.root import Root
from assets.stores.identity import Resolution, resolve_changes, root_settings
from assets.stores.identity_decisions import LINK, Decision, record_decision, refuse_unseen
from assets.stores.identity_review import needs_another
from assets.stores.lock import writer_lock
from orchestration.settings import Settings
from transforms.governance.events import Event


def decide(root: Root, settings: Settings, said: Decision) -> tuple[int, Resolution] | None:
    """Record a decision and cluster anew what it touches; give its number and what the resolution did.

    None: where several stewards must say the same, it is kept as an opinion and waits for another.
    The decision stays where the resolution fails: the next run carries it out. Marts follow with the next run of their partitions.
    """
    run_id = str(uuid.uuid4())
    rules = root_settings(root.keys, root.identity_policy, settings.memory, root.identity_model)
    with writer_lock(root.home, run_id, "identity", settings.lock_wait_seconds):
        run = root.begin(run_id, [])
        with root.warehouse.open() as warehouse:
            now = datetime.now(UTC).replace(tzinfo=None)
            refuse_unseen(warehouse, said)
            is_opinion = needs_another(warehouse, said, settings.identity_reviewers, now, rules.policy.version)
            if is_opinion:
                _note(root, said, run_id, f"opinion_{said.decision}", rules.policy.version)
                return None
            number = record_decision(warehouse, said, now, rules.model.version, rules.policy.version)
            resolution = resolve_changes(warehouse, run.run_seq, rules)
        _note(root, said, run_id, f"steward_{said.decision}", rules.policy.version)
    return number, resolution


def _note(root: Root, said: Decision, run_id: str, rule: str, policy_version: str) -> None:
    """Write to the audit log who said what of which pair; records are named by keyed hashes alone."""
    marks = [hmac.new(root.keys.derive("audit"), f"patient|{key}".encode(), hashlib.sha256).hexdigest() for key in (said.left, said.right)]
    with root.catalog() as catalog:
        catalog.append([Event(
            "identity.link" if said.decision == LINK else "identity.unlink", "identity|pair",
            {"left": marks[0], "right": marks[1], "rule": rule, "evidence_version": policy_version},
            actor=said.decided_by, run_id=run_id, detail=said.reason,
        )])
