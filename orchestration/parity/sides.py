"""The two sides of a parity proof: warehouses of its own on DuckDB and on the configured Snowflake account, fed from one data root.

The DuckDB side lies in the root's folder `parity`. The Snowflake side is database LAKE of the account, which must hold nothing but
earlier proofs: a proof begins empty, and nobody's warehouse is emptied for it. The root's own warehouse is not touched.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from assets.root import Root, Run
from assets.stores.control import SCHEMAS, Partition, create_control
from assets.stores.dbt_runner import CLOUD, LOCAL, NodeResult
from assets.stores.raw import RawLoader
from checks.gate import judge_current, write_verdicts
from checks.ledger import judge_ledger
from orchestration.opening import dbt_runner, open_root, warehouse_store
from orchestration.parity.compare import Compared, Side, compare
from orchestration.settings import Settings, require_snowflake
from orchestration.steps import STEPS, take_step
from transforms.errors import ConfigurationError

# Marks the runs of proofs in `control.run`.
RUN_PREFIX = "parity"


@dataclass(frozen=True)
class Ran:
    """What one run did on one side: the run as that side knows it, and the nodes that dbt built."""

    run: Run
    built: tuple[NodeResult, ...]


@dataclass(frozen=True)
class Sides:
    """The root whose payloads are proved, and the two sides as roots of their own."""

    root: Root
    local: Root
    cloud: Root

    @property
    def folder(self) -> Path:
        """Where the proof keeps its files."""
        return self.root.home / "parity"

    def run(self, run_id: str, partitions: Sequence[Partition], first: Callable[[Root, Run], None] = lambda root, run: None,
            on_step: Callable[[str], None] = lambda step: None) -> tuple[Ran, Ran]:
        """Decode the partitions once, load the same Parquet files into both sides and run all steps on each; `first` acts before them."""
        on_step("decoding")
        now = datetime.now(UTC).replace(tzinfo=None)
        loader = RawLoader(self.folder, self.root.keys, self.root.landing, self.root.registry, memory=self.root.warehouse.memory)
        deliveries = [one for partition in partitions for one in self.root.landing.deliveries(*partition)]
        done = []
        try:
            files = loader.write(deliveries, f"{RUN_PREFIX}-{run_id}")
            for side, name in ((self.local, "DuckDB"), (self.cloud, "Snowflake")):
                on_step(name)
                run = side.begin(f"{RUN_PREFIX}-{run_id}", partitions)
                first(side, run)
                loader.load(side.warehouse.open, run.run_id, run.partitions, files)
                built = [node for step in STEPS[1:] for node in take_step(side, run, step, clock=lambda: now, build_idle=True)]
                _judge(side, run)
                done.append(Ran(run, tuple(built)))
        finally:
            # Copies of what landing keeps; the warehouses have their rows.
            shutil.rmtree(self.folder / "raw", ignore_errors=True)
        return done[0], done[1]

    def compare(self) -> list[Compared]:
        """Compare every table of both sides."""
        with self.local.warehouse.open(read_only=True) as left, self.cloud.warehouse.open(read_only=True) as right:
            return list(compare(Side("DuckDB", LOCAL, left), Side("Snowflake", CLOUD, right), SCHEMAS))

    def clear(self) -> None:
        """Begin anew. Raises ConfigurationError, and changes nothing, where the account's LAKE holds runs that are no proof's."""
        with self.cloud.warehouse.open() as warehouse:
            create_control(warehouse)
            foreign = warehouse.query(f"select count(*) as n from LAKE.control.run where run_id not like '{RUN_PREFIX}-%'")
            if foreign.to_pylist()[0]["n"]:
                raise ConfigurationError(
                    "Snowflake database LAKE holds a warehouse; a parity proof would have to empty it. Nothing was changed. "
                    "Remedy: set LAKEHOUSE_SNOWFLAKE_* to an account kept for proofs."
                )
            for schema in SCHEMAS:
                warehouse.execute(f"drop schema if exists LAKE.{schema} cascade")
        shutil.rmtree(self.folder, ignore_errors=True)


def _judge(side: Root, run: Run) -> None:
    """Judge current tables and ledger, as the checks behind a run's last step do."""
    with side.warehouse.open() as warehouse:
        found = [*judge_current(warehouse, run.run_id, run.partitions), *judge_ledger(warehouse, run.run_id, run.partitions)]
        with warehouse.transaction():
            write_verdicts(warehouse, run.run_id, found)


def open_sides(settings: Settings) -> Sides:
    """Open the root of the settings and its two sides. Raises ConfigurationError where no Snowflake account is configured."""
    require_snowflake(settings)
    root = open_root(settings)
    sides = []
    for target in (LOCAL, CLOUD):
        runner = dbt_runner(settings, target)
        runner.prepare()
        home = root.home / "parity" / target
        sides.append(replace(root, home=home, dbt=runner, warehouse=warehouse_store(settings, target, home, root.keys)))
    return Sides(root, *sides)
