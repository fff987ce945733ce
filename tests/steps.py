"""Runs on one data root, step by step, with the accounts that a run leaves in the catalog."""

from __future__ import annotations

from collections.abc import Sequence

from assets.accounts import project_accounts, project_slices
from assets.root import Root, Run
from assets.stores.control import Partition
from orchestration.steps import STEPS, take_step


def run_steps(root: Root, run_id: str, partitions: Sequence[Partition], since: str = STEPS[0], until: str | None = None) -> Run:
    """Take the steps of a run over partitions; `until` names the last one taken, as if the process had died after it."""
    begun = root.begin(run_id, partitions)
    last = STEPS.index(until) if until else len(STEPS)
    for name in STEPS[STEPS.index(since):last + 1]:
        take_step(root, begun, name)
        if name == "current":
            project_accounts(root, begun)
        elif name == "mart":
            project_slices(root, begun)
    return begun
