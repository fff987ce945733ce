"""Runs of the pipeline: one facility-day again as a process of its own, and a date over 120 facilities beside one facility."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from orchestration.generate import generate
from orchestration.preparing import prepare_root
from orchestration.settings import Settings
from tests.bench.measuring import Figure
from tests.bench.spending import spend
from tests.conftest import PROJECT
from tests.pipeline_runs import land_network, landed_partitions, run

DAY = date(2026, 1, 5)


def running(folder: Path, runs: int) -> Iterator[Figure]:
    """Measure both, in roots below a folder."""
    yield _again(folder / "again", runs)
    yield _one_date(folder)


def _again(folder: Path, runs: int) -> Figure:
    """Wall time of `lakehouse materialize` for one facility-day that was run before; the peer is the start of Python with Dagster and dbt."""
    generate(folder / "network", seed=1, people=400, days=5, facilities=5, start=DAY, progress=None)
    settings = Settings(home=folder / "home", build=PROJECT / ".build", facilities=folder / "network" / "facilities.yaml")
    root = prepare_root(settings)
    land_network(root, folder / "network")
    run(root, settings, landed_partitions(root))
    environment = {**os.environ, "LAKEHOUSE_HOME": str(root.home), "LAKEHOUSE_FACILITIES": str(settings.facilities),
                   "LAKEHOUSE_BUILD": str(settings.build)}
    command = [sys.executable, "-c", "from orchestration.cli.main import main; main()", "materialize", "--facility", "harbor",
               "--from", "2026-01-06", "--to", "2026-01-06"]
    start = [sys.executable, "-c", "import dagster_dbt, dbt.cli.main, dbt.adapters.duckdb, duckdb, polars"]
    spent: tuple[list[float], list[float]] = ([], [])
    for _ in range(runs):
        for seconds, words in zip(spent, (command, start), strict=True):
            began = time.perf_counter()
            subprocess.run(words, cwd=PROJECT, env=environment, check=True, capture_output=True)
            seconds.append(time.perf_counter() - began)
    return Figure("One facility-day again, raw to marts with checks, start included", "seconds wall", statistics.median(spent[0]),
                  "importing Dagster and dbt", statistics.median(spent[1]))


def _one_date(folder: Path) -> Figure:
    """Wall time of `lakehouse materialize` over one date of 120 facilities, run first, beside as many people at one facility."""
    spent = []
    for facilities in (120, 1):
        network = folder / f"network_{facilities}"
        generate(network, seed=2, people=1200, days=1, facilities=facilities, start=DAY, progress=None)
        settings = Settings(home=folder / f"home_{facilities}", build=PROJECT / ".build", facilities=network / "facilities.yaml")
        root = prepare_root(settings)
        land_network(root, network)
        environment = {"LAKEHOUSE_HOME": str(root.home), "LAKEHOUSE_FACILITIES": str(settings.facilities), "LAKEHOUSE_BUILD": str(settings.build)}
        command = [sys.executable, "-c", "from orchestration.cli.main import main; main()", "materialize"]
        spent.append(spend([*command, "--from", DAY.isoformat(), "--to", DAY.isoformat()], environment).wall)
    return Figure("One date over 120 facilities, raw to marts, start included", "seconds wall, one run", spent[0], "the same people at one facility", spent[1])
