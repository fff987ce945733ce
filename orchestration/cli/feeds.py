"""Commands that bring files in: `generate` and `land`."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import typer

from orchestration.cli.printing import Json, print_table, progress
from orchestration.cli.scope import parse_day
from transforms.errors import ConfigurationError


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(generate)
    app.command()(land)


def generate(
    out: Path = typer.Argument(..., help="Folder to write to."),
    seed: int = typer.Option(1, help="One seed, one network."),
    people: int = typer.Option(400, min=1, help="People in the network."),
    days: int = typer.Option(5, min=1, help="Days of feeds."),
    facilities: int = typer.Option(5, min=1, help="Facilities; the five styles repeat."),
    start: str = typer.Option("2026-01-05", help="First batch date (YYYY-MM-DD)."),
) -> None:
    """Write synthetic multi-EMR feeds with their truth beside them."""
    from orchestration.generate import generate as write_network

    with progress("Generating", None) as advance:
        network = write_network(out, seed=seed, people=people, days=days, facilities=facilities, start=parse_day(start, "--start"),
                                progress=lambda units: advance(0, f"Generating: {units:,} records"))
    print(f"Generated {network.units:,} records in {network.files:,} files of {facilities} facilities under {out}.")
    print(f"Next: LAKEHOUSE_FACILITIES={out / 'facilities.yaml'} lakehouse land {out / 'feeds'} --network")


def land(
    paths: list[Path] = typer.Argument(..., help="Files, or folders whose files are landed."),
    facility: str | None = typer.Option(None, "--facility", "-f", help="Facility that sent the files."),
    source: str | None = typer.Option(None, "--source", "-s", help="Feed of the facility that they belong to."),
    day: str | None = typer.Option(None, "--date", help="Batch date. Default: the facility's local date now."),
    network: bool = typer.Option(False, help="PATH is a generated network: facility, source and date are its folders' names."),
    as_json: bool = Json,
) -> None:
    """Land files: their bytes are kept, sealed and never changed; each completed landing is a delivery."""
    from orchestration.landing import Arrival, arrivals_of_network, arrivals_of_paths, land_arrivals
    from orchestration.opening import open_root
    from orchestration.settings import load_settings

    root = open_root(load_settings())
    now = datetime.now(UTC)
    if network:
        arrivals: list[Arrival] = [arrival for path in paths for arrival in arrivals_of_network(path)]
    else:
        if facility is None or source is None:
            raise ConfigurationError("land needs --facility and --source. Remedy: name both; `lakehouse status` lists them.")
        batch_date: date | None = parse_day(day, "--date") if day else None
        arrivals = arrivals_of_paths(root.registry, paths, facility, source, batch_date, now)
    with progress("Landing", len(arrivals)) as advance:
        landed = land_arrivals(root, arrivals, now, advance)
    rows = [{"facility": one.facility_id, "source": one.source, "batch_date": one.batch_date.isoformat(), "delivery_id": one.delivery_id,
             "size": one.size, "ordinal": one.ordinal} for one in landed]
    if as_json:
        print_table(rows, ["facility", "source", "batch_date", "delivery_id", "size", "ordinal"], as_json=True)
        return
    print(f"Landed {len(landed):,} deliveries, {sum(one.size for one in landed):,} bytes.")
    print("Next: lakehouse materialize")
