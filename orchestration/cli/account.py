"""Commands that account for what was received: `status`, `reconcile`, `quarantine`."""

from __future__ import annotations

from datetime import UTC, datetime

import typer

from orchestration.cli.printing import Json, print_table
from orchestration.cli.scope import parse_day
from transforms.errors import LakehouseError

OUTCOMES = ("canonical", "duplicate", "superseded", "quarantined", "ignored_by_rule")

Facility = typer.Option(..., "--facility", "-f", help="Facility.")
Day = typer.Option(..., "--date", help="Batch date (YYYY-MM-DD).")
Reason = typer.Option(..., help="Why; kept beside the audit log, where it may be erased.")
Actor = typer.Option(..., help="Who decides.")

quarantine = typer.Typer(no_args_is_help=True, help="Units that wait for their owner, and held partitions.")


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(status)
    app.command()(reconcile)


def status(as_json: bool = Json, limit: int = typer.Option(20, help="Facilities shown, worst first.")) -> None:
    """Show each facility, worst first: holds, failed checks, warnings, overdue feeds, quarantine, slices. Reads the catalog only."""
    from orchestration.opening import open_root
    from orchestration.settings import load_settings
    from orchestration.status import facility_status, is_current, running_words

    root = open_root(load_settings())
    rows = facility_status(root, datetime.now(UTC))
    columns = ["facility", "state", "newest_batch", "received", "held", "failed", "warnings", "late_feeds", "behind", "quarantined"]
    if as_json:
        print_table(rows, [*columns, "quarantine_days", "pending_slices", "stale_slices", "newest_delivery"], as_json=True)
        return
    print(f"{sum(map(is_current, rows))} of {len(rows)} facilities are current." + running_words(root))
    print_table(rows[:limit], columns)
    if len(rows) > limit:
        print(f"… and {len(rows) - limit} more facilities. Next: lakehouse status --limit {len(rows)}")


def reconcile(
    facility: str | None = typer.Option(None, "--facility", "-f", help="One facility."),
    day: str | None = typer.Option(None, "--date", help="One batch date."),
    as_json: bool = Json,
) -> None:
    """Show the ledger: received against the five outcomes. Exit 1 where it does not balance."""
    from orchestration.opening import open_root
    from orchestration.settings import load_settings
    from orchestration.status import ledger_rows

    root = open_root(load_settings())
    rows = ledger_rows(root, facility, parse_day(day, "--date") if day else None)
    columns = ["facility_id", "batch_date", "source", "received", *OUTCOMES, "balanced"]
    unbalanced = [row for row in rows if not row["balanced"]]
    if not as_json:
        received = sum(row["received"] for row in rows)
        print(f"{'All' if not unbalanced else 'Not all'} {received:,} records received are accounted for.")
    print_table(rows, columns, as_json=as_json)
    if unbalanced:
        raise LakehouseError(f"{len(unbalanced)} feeds and dates do not balance. Remedy: materialize them again; see the run's checks.")


@quarantine.command("list")
def quarantine_list(as_json: bool = Json) -> None:
    """List quarantined units by facility, reason and owner, oldest first."""
    from assets.stores.catalog_reading import read_catalog
    from orchestration.opening import open_root
    from orchestration.settings import load_settings

    root = open_root(load_settings())
    rows = read_catalog(
        root.home, "select facility_id, batch_date, source, reason, owner, units, since from quarantine "
                   "order by since, facility_id, batch_date, source, reason"
    )
    if not as_json:
        print(f"{sum(row['units'] for row in rows):,} units wait in quarantine.")
    print_table(rows, ["facility_id", "batch_date", "source", "reason", "owner", "units"], as_json=as_json)


@quarantine.command("show")
def quarantine_show(
    facility: str = Facility, day: str = Day, reason: str | None = typer.Option(None, help="One reason code."), as_json: bool = Json,
) -> None:
    """Show the coordinates of quarantined units of one partition: where they are, never what they say."""
    from orchestration.opening import open_root
    from orchestration.settings import load_settings
    from orchestration.status import contract_words, quarantined_units

    root, on = open_root(load_settings()), parse_day(day, "--date")
    rows = quarantined_units(root, facility, on, reason)
    if not as_json:
        for said in contract_words(root, facility, on):
            print(f"Contract: {said} Next: agree with the sender, or register the change under contract_changes and retry.")
    print_table(rows, ["unit_id", "source", "record_type", "reason", "reject_path", "unit_locator", "payload_id"], as_json=as_json)


@quarantine.command("release")
def quarantine_release(facility: str = Facility, day: str = Day, reason: str = Reason, actor: str = Actor) -> None:
    """Release a held partition: its rows are published by a run of it, started at once. Who and why go into the audit log."""
    from orchestration.holds import release_partition
    from orchestration.preparing import prepare_root
    from orchestration.settings import load_settings

    settings = load_settings()
    release_partition(prepare_root(settings), settings, facility, parse_day(day, "--date"), reason, actor)
    print(f"Released {facility} {day}. Next: lakehouse status")


@quarantine.command("hold")
def quarantine_hold(facility: str = Facility, day: str = Day, reason: str = Reason, actor: str = Actor) -> None:
    """Hold a partition by hand: a run, started at once, takes its rows out of what is published, until it is released."""
    from orchestration.holds import hold_partition
    from orchestration.preparing import prepare_root
    from orchestration.settings import load_settings

    settings = load_settings()
    hold_partition(prepare_root(settings), settings, facility, parse_day(day, "--date"), reason, actor)
    print(f"Held {facility} {day}. Next: lakehouse status")


@quarantine.command("retry")
def quarantine_retry(facility: str = Facility, day: str = Day) -> None:
    """Judge a partition's units again, for instance after a mapping was mended."""
    from orchestration.cli.pipeline import materialize

    materialize(facility=[facility], from_date=day, to_date=day, select=None)
