"""A million changed rows, raw to marts with ledger and checks, beside the floor on the same files: wall and CPU seconds, peak memory."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

from orchestration.preparing import prepare_root
from orchestration.settings import Settings
from tests.bench.change_rows import DAY, FACILITY, write_changes
from tests.bench.measuring import Figure
from tests.bench.spending import Spent, spend
from tests.conftest import PROJECT
from tests.pipeline_runs import land_network
from transforms.synthetic.registry_text import registry_text

ROWS = 1_000_000
FLOOR = "DuckDB script, the same tables and keys"


def changed_rows(folder: Path, rows: int = ROWS, runs: int = 3) -> Iterator[Figure]:
    """Measure one run of the product, a process from its start, and several of the floor. The warehouse has every table and no row before."""
    folder.mkdir(parents=True)
    registry = folder / "facilities.yaml"
    registry.write_text(registry_text(5), encoding="utf-8")
    amount = write_changes(folder / "network" / "feeds", rows)
    settings = Settings(home=folder / "home", build=PROJECT / ".build", facilities=registry)
    root = prepare_root(settings)
    environment = {"LAKEHOUSE_HOME": str(root.home), "LAKEHOUSE_FACILITIES": str(registry), "LAKEHOUSE_BUILD": str(settings.build)}
    command = [sys.executable, "-c", "from orchestration.cli.main import main; main()", "materialize", "--facility", FACILITY]
    spend([*command, "--from", "2026-01-02", "--to", "2026-01-02"], environment)
    land_network(root, folder / "network")
    ours = spend([*command, "--from", DAY, "--to", DAY], environment)
    floors = []
    for number in range(runs):
        warehouse = folder / f"floor_{number}" / "LAKE.duckdb"
        warehouse.parent.mkdir()
        floors.append(spend([sys.executable, "-m", "tests.bench.floor", str(folder / "network" / "feeds"), str(warehouse)], {}))
    yield from _figures(f"{amount:,} changed rows, raw to marts with ledger and checks", ours, floors)


def _figures(what: str, ours: Spent, floors: list[Spent]) -> Iterator[Figure]:
    yield Figure(what, "seconds wall, one run", ours.wall, FLOOR, statistics.median(one.wall for one in floors))
    yield Figure(what, "seconds of CPU, one run", ours.cpu, FLOOR, statistics.median(one.cpu for one in floors))
    yield Figure(f"{what}: peak memory", "MiB", ours.peak, FLOOR, statistics.median(one.peak for one in floors))
