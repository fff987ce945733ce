"""The steps of a run, one after the other and without Dagster: for proofs and tests, where its events and retries would prove nothing more.

Each step is what its assets do between `Session.step` and `Session.finished`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from assets.identity import resolution_settings
from assets.idle import idle_models
from assets.models import read_manifest
from assets.root import Root, Run
from assets.stores.dbt_runner import NodeResult
from assets.stores.identity import resolve_changes, utc_now
from checks.gate import apply_gate, judge
from checks.slices import publish_slices

STEPS = ("raw", "version", "gate", "current", "identity", "mart")


def take_step(
    root: Root, run: Run, step: str, *, clock: Callable[[], datetime] | None = None, build_idle: bool = False
) -> tuple[NodeResult, ...]:
    """Take one of `STEPS` of a begun run; gives the nodes that dbt built.

    `clock` says when identity was resolved (UTC), if not now; `build_idle` also builds models that could change nothing."""
    if step in ("version", "current", "mart"):
        return _build(root, run, step, build_idle)
    if step == "raw":
        root.raw.replace(root.warehouse.open, run.run_id, run.partitions)
        return ()
    with root.warehouse.open() as warehouse:
        if step == "gate":
            apply_gate(warehouse, run.run_id, run.run_seq, judge(warehouse, run.run_id, run.partitions))
        else:
            now = clock or utc_now
            resolve_changes(warehouse, run.run_seq, replace(resolution_settings(root, now().date()), clock=now))
    return ()


def _build(root: Root, run: Run, group: str, build_idle: bool) -> tuple[NodeResult, ...]:
    models = read_manifest(root.dbt.manifest_path)["nodes"].values()
    nodes = [node for node in models if node["resource_type"] == "model" and group in node["config"]["tags"]]
    idle = [] if build_idle else [node["unique_id"] for node in idle_models(root, run, nodes)]
    busy = [node for node in nodes if node["unique_id"] not in idle]
    built = root.build(run, [node["unique_id"] for node in busy]) if busy else ()
    if group == "mart":
        with root.warehouse.open() as warehouse:
            publish_slices(warehouse, run.run_id, run.run_seq)
    return tuple(built)
