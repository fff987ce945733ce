"""Commands that run the asset graph: `prepare`, `materialize`, `demo`, `ui`."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

import typer

from assets.loading import loading
from orchestration.cli.printing import progress
from orchestration.cli.scope import Facility, FromDate, ToDate, chosen_partitions
from transforms.errors import ConfigurationError, LakehouseError

STEPS = 6


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(prepare)
    app.command()(materialize)
    app.command()(demo)
    app.command()(ui)


def prepare() -> None:
    """Parse the dbt project for the current target and set up the data root; a few seconds once, then nothing."""
    from orchestration.preparing import prepare_root
    from orchestration.settings import load_settings

    root = prepare_root(load_settings())
    print(f"Prepared: {root.home}")


def materialize(
    facility: list[str] | None = Facility,
    from_date: str | None = FromDate,
    to_date: str | None = ToDate,
    behind: bool = typer.Option(False, "--behind", help="Only those read under registry entries or maps that were edited since."),
    select: list[str] | None = typer.Option(None, "--select", help="Assets in Dagster's selection syntax. Default: all, raw to marts."),
    anew: list[str] | None = typer.Option(None, "--anew", metavar="TABLE", help="Drop a derived table, fill it from all that was landed."),
) -> None:
    """Run the pipeline for the chosen facilities and dates. Running it again gives the same answer."""
    with loading():
        from orchestration.preparing import prepare_root
        from orchestration.settings import load_settings

    if anew and (facility or from_date or to_date or behind or select):
        raise ConfigurationError("--anew fills a table from all that was landed. Remedy: leave the other options out.")
    settings = load_settings()
    root = prepare_root(settings)
    partitions = chosen_partitions(root, facility, from_date, to_date)
    if anew:
        from orchestration.anew import forget_tables

        forget_tables(root, settings, anew)
    if behind:
        from orchestration.behind import behind_partitions

        partitions = sorted(set(partitions) & set(behind_partitions(root)))
        if not partitions:
            print("None of these partitions is behind.")
            return
    with loading():
        from assets.stores.dbt_methods import late_methods

        with late_methods():
            from orchestration.materialize import materialize as run_pipeline

    began = time.monotonic()
    with progress("Materializing", None) as advance:
        results = run_pipeline(root, settings, partitions, select=select or (), on_step=lambda step: advance(1, f"Materializing: {step}"))
    for result in results:
        if result.problem is not None:
            raise result.problem
    seconds = time.monotonic() - began
    said = f"{len(partitions):,} partition{'s' if len(partitions) != 1 else ''} in {len(results)} run{'s' if len(results) != 1 else ''}"
    print(f"Materialized {said}, {seconds:.1f} s.")
    print("Next: lakehouse reconcile, lakehouse status")


def demo(
    people: int = typer.Option(400, min=1, help="People in the network."),
    days: int = typer.Option(5, min=1, help="Days of feeds."),
    seed: int = typer.Option(1, help="One seed, one network."),
    facilities: int = typer.Option(5, min=1, help="Facilities."),
    again: bool = typer.Option(True, help="Start from an empty data root of the demo's own."),
) -> None:
    """Generate a synthetic network, land it, materialize every layer, run the checks, print a summary."""
    from orchestration.demo import run_demo
    from orchestration.settings import load_settings

    settings = load_settings()
    if again and (settings.home / "demo").exists():
        shutil.rmtree(settings.home)
    failed = run_demo(settings, people=people, days=days, seed=seed, facilities=facilities)
    if failed:
        raise LakehouseError(failed)


def ui(
    port: int = typer.Option(3000, help="Port of the Dagster UI."),
    host: str = typer.Option("127.0.0.1", help="Address to listen on."),
) -> None:
    """Start the Dagster UI and daemon on the data root."""
    from orchestration.preparing import prepare_root
    from orchestration.settings import PROJECT, load_settings

    root = prepare_root(load_settings())
    os.environ.setdefault("LAKEHOUSE_HOME", str(root.home))
    dagster = Path(sys.executable).with_name("dagster")
    os.execv(dagster, [str(dagster), "dev", "-w", str(PROJECT / "workspace.yaml"), "-p", str(port), "-h", host])  # noqa: S606 - replaces this process by the UI's
