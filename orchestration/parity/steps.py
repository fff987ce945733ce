"""The steps of a run behind raw, one after the other and without Dagster: versions, gate, current rows, identity, marts, verdicts.

Parity takes them on both targets in one process, where Dagster's events, partitions and retries would prove nothing more.
"""

from __future__ import annotations

from assets.root import Root, Run
from assets.stores.dbt_runner import NodeResult
from assets.stores.identity import resolve_changes, root_settings
from checks.gate import apply_gate, judge, judge_current, write_verdicts
from checks.ledger import judge_ledger
from checks.slices import publish_slices


def run_steps(root: Root, run: Run) -> tuple[NodeResult, ...]:
    """Take every step of a begun run whose raw rows are loaded; gives the nodes that dbt built."""
    built = root.build(run, ["tag:version"])
    with root.warehouse.open() as warehouse:
        apply_gate(warehouse, run.run_id, run.run_seq, judge(warehouse, run.run_id, run.partitions))
    built += root.build(run, ["tag:current"])
    with root.warehouse.open() as warehouse:
        resolve_changes(warehouse, run.run_seq, root_settings(root.keys, root.identity_policy))
    built += root.build(run, ["tag:mart"])
    with root.warehouse.open() as warehouse:
        publish_slices(warehouse, run.run_id, run.run_seq)
        found = [*judge_current(warehouse, run.run_id, run.partitions), *judge_ledger(warehouse, run.run_id, run.partitions)]
        with warehouse.transaction():
            write_verdicts(warehouse, run.run_id, found)
    return tuple(built)
