"""The person index of a data root compared anew: first what is pending, as the next run would, then everybody."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from assets.root import Root
from assets.stores.identity import resolve_changes, root_settings, utc_now
from assets.stores.identity_rebuild import Rebuilt, rebuild
from assets.stores.lock import writer_lock
from orchestration.settings import Settings


def rebuild_identity(root: Root, settings: Settings, on_step: Callable[[str], None] = lambda step: None) -> Rebuilt:
    """Resolve what changed since the last run, then everybody anew, and say what differs: nothing, where the increments were right.

    Two resolutions, each a run of its own and one transaction. Features are taken as they are; marts follow with the next run of their
    partitions. The policy is the one that holds on this day (UTC). Raises ConfigurationError where none does, UnavailableError where
    another run writes.
    """
    run_id = str(uuid.uuid4())
    rules = root_settings(root.keys, root.policy(utc_now().date()), settings.memory, root.identity_model)
    with writer_lock(root.home, run_id, "identity", settings.lock_wait_seconds):
        pending, full = (root.begin(f"{run_id}-{name}", []) for name in ("pending", "full"))
        with root.warehouse.open() as warehouse:
            on_step("resolving what changed since the last run")
            resolve_changes(warehouse, pending.run_seq, rules)
            return rebuild(warehouse, full.run_seq, rules, on_step)
