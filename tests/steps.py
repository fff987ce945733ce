"""The steps of a run on one data root, as the assets take them, without Dagster's events: for tests that run very many partitions."""

from __future__ import annotations

from collections.abc import Sequence

from assets.accounts import project_accounts, project_slices
from assets.idle import idle_models
from assets.models import read_manifest, selection_of
from assets.root import Root, Run
from assets.stores.control import Partition
from assets.stores.identity import resolve_changes, root_settings
from checks.gate import apply_gate, judge
from checks.slices import publish_slices

STEPS = ("raw", "version", "gate", "current", "identity", "mart")


def run_steps(root: Root, run_id: str, partitions: Sequence[Partition], since: str = STEPS[0], until: str | None = None) -> Run:
    """Take the steps of a run over partitions; `until` names the last one taken, as if the process had died after it."""
    begun = root.begin(run_id, partitions)
    last = STEPS.index(until) if until else len(STEPS)
    for name in STEPS[STEPS.index(since):last + 1]:
        _take(root, begun, name)
    return begun


def _take(root: Root, run: Run, step: str) -> None:
    if step == "raw":
        root.raw.replace(root.warehouse.open, run.run_id, run.partitions)
    elif step == "gate":
        with root.warehouse.open() as warehouse:
            apply_gate(warehouse, run.run_id, run.run_seq, judge(warehouse, run.run_id, run.partitions))
    elif step == "identity":
        with root.warehouse.open() as warehouse:
            resolve_changes(warehouse, run.run_seq, root_settings(root.keys, root.identity_policy))
    else:
        nodes = [node for node in read_manifest(root.dbt.manifest_path)["nodes"].values()
                 if node["resource_type"] == "model" and step in node["config"]["tags"]]
        idle = [node["unique_id"] for node in idle_models(root, run, nodes)]
        root.build(run, selection_of(node for node in nodes if node["unique_id"] not in idle).split())
        if step == "current":
            project_accounts(root, run)
        elif step == "mart":
            with root.warehouse.open() as warehouse:
                publish_slices(warehouse, run.run_id, run.run_seq)
            project_slices(root, run)
