"""The demo: a synthetic network from received bytes to marts, and what a newcomer should see of it."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta

from rich.console import Console

from orchestration.cli.printing import print_table, progress
from orchestration.generate import generate
from orchestration.landing import arrivals_of_network, land_arrivals
from orchestration.preparing import prepare_root
from orchestration.settings import Settings
from orchestration.summary import facility_summary, mart_summary

START = date(2026, 1, 5)


def run_demo(settings: Settings, *, people: int, days: int, seed: int, facilities: int) -> str | None:
    """Run the demo and print its summary; gives what went wrong, or None."""
    began = time.monotonic()
    console = Console(stderr=True)
    out = settings.home / "demo"
    console.print("1/4 Generating a synthetic network …")
    network = generate(out, seed=seed, people=people, days=days, facilities=facilities, start=START, progress=None)
    settings = settings.model_copy(update={"facilities": out / "facilities.yaml"})
    root = prepare_root(settings)
    arrivals = list(arrivals_of_network(out / "feeds"))
    console.print(f"2/4 Landing {len(arrivals):,} files, {network.units:,} records …")
    with progress("Landing", len(arrivals)) as advance:
        land_arrivals(root, arrivals, datetime.now(UTC), advance)
    from orchestration.materialize import materialize

    newest = max(arrival.batch_date for arrival in arrivals)
    dates = [START + timedelta(days=offset) for offset in range((newest - START).days + 1)]
    partitions = [(facility, day) for day in dates for facility in root.registry.facility_ids]
    console.print(f"3/4 Materializing {len(partitions):,} partitions, raw to marts …")
    with progress("Materializing", 6) as advance:
        results = materialize(root, settings, partitions, on_step=lambda step: advance(1, f"Materializing: {step}"))
    for result in results:
        if result.problem is not None:
            return str(result.problem)
    console.print("4/4 Summary")
    summary = facility_summary(root)
    unbalanced = [row["facility"] for row in summary if not row["balanced"]]
    received = sum(int(row["received"]) for row in summary)
    print(f"All {received:,} records received are accounted for." if not unbalanced else f"Unbalanced: {', '.join(unbalanced)}.")
    print_table(summary, ["facility", "received", "canonical", "duplicate", "superseded", "quarantined", "ignored_by_rule", "balanced"])
    print_table(mart_summary(root), ["answer", "figure"])
    print(f"\nTime taken: {time.monotonic() - began:.1f} s")
    print("Next: make ui (the Dagster UI), make catalog (the audit catalog), lakehouse status")
    return f"Unbalanced: {', '.join(unbalanced)}" if unbalanced else None
