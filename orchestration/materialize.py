"""Runs the pipeline in this process for any set of facilities and dates: what the command line, the demo and tests call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import dagster as dg

from assets.root import Root
from assets.stores.control import Partition
from orchestration.definitions import build_defs
from orchestration.jobs import PIPELINE
from orchestration.problems import problem_of_run
from orchestration.run_requests import range_tags, rectangles
from orchestration.settings import Settings
from transforms.errors import ConfigurationError, LakehouseError

# Dagster keeps every event; the terminal shows what somebody must read.
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class RunResult:
    """One run: the rectangle it covered and whether it succeeded."""

    run_id: str
    first_key: str
    last_key: str
    success: bool
    problem: LakehouseError | None


def materialize(root: Root, settings: Settings, partitions: Iterable[Partition], *, select: Sequence[str] = (),
                instance: dg.DagsterInstance | None = None, on_step: Callable[[str], None] | None = None) -> list[RunResult]:
    """Materialize partitions, as few runs as their shape allows; `select` takes Dagster's asset selection syntax.

    Raises ConfigurationError on an unknown facility, a date before the registry's first, or an empty selection.
    """
    wanted = list(partitions)
    refuse_unknown(root, wanted)
    defs = build_defs(root, settings, on_step)
    job = defs.resolve_job_def(PIPELINE)
    assets = _selected(defs, select)
    results = []
    for first, last in rectangles(wanted, root.registry.facility_ids):
        done = job.execute_in_process(
            instance=instance or dg.DagsterInstance.get(), tags=range_tags(first, last), raise_on_error=False, asset_selection=assets,
            run_config=QUIET,
        )
        results.append(RunResult(done.run_id, first, last, done.success, problem_of_run(done)))
    return results


def refuse_unknown(root: Root, partitions: Sequence[Partition]) -> None:
    """Raise ConfigurationError on a facility that is not registered or a date before the registry's first."""
    for facility_id, day in partitions:
        if facility_id not in root.registry.facility_ids:
            known = ", ".join(root.registry.facility_ids[:8])
            raise ConfigurationError(f"Unknown facility {facility_id!r}. Remedy: one of {known}, or register it in the registry.")
        if day < root.registry.first_batch_date:
            raise ConfigurationError(f"Batch date {day} lies before the registry's first_batch_date {root.registry.first_batch_date}.")


def _selected(defs: dg.Definitions, select: Sequence[str]) -> list[dg.AssetKey] | None:
    if not select:
        return None
    graph = defs.resolve_asset_graph()
    chosen: set[dg.AssetKey] = set()
    for text in select:
        chosen |= dg.AssetSelection.from_string(text).resolve(graph)
    executable = sorted(chosen & graph.executable_asset_keys)
    if not executable:
        raise ConfigurationError(f"--select {' '.join(select)}: no asset. Remedy: a key such as canonical/patient, or group:marts.")
    return executable

