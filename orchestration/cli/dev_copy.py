"""The command `dev-copy`: a masked, referentially whole copy for analysts."""

from __future__ import annotations

from pathlib import Path

import typer

from orchestration.cli.printing import Json, print_table, progress
from orchestration.cli.scope import Facility, FromDate, ToDate, chosen_partitions


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("dev-copy")(dev_copy)


def dev_copy(
    facility: list[str] | None = Facility,
    from_date: str | None = FromDate,
    to_date: str | None = ToDate,
    out: Path | None = typer.Option(None, "--out", help="Folder of the copy, LAKE.duckdb. Default: `dev` in the data root."),
    as_json: bool = Json,
) -> None:
    """Write a masked copy for analysts: no identifier, name, address or true date in it, joins and intervals whole."""
    from orchestration.dev_copy import make_dev_copy
    from orchestration.preparing import prepare_root
    from orchestration.settings import load_settings

    settings = load_settings()
    root = prepare_root(settings)
    partitions = chosen_partitions(root, facility, from_date, to_date)
    with progress("Copying", None) as advance:
        folder = (out or root.home / "dev").resolve()
        copied = make_dev_copy(root, settings, partitions, folder, lambda step: advance(1, f"Copying: {step}"))
    if not as_json:
        print(f"Copied {sum(copied.rows.values()):,} masked rows of {len(partitions):,} partitions to {copied.path}.")
    print_table([{"table": table, "rows": rows} for table, rows in copied.rows.items() if rows], ("table", "rows"), as_json=as_json)
    if not as_json:
        print("Next: docs/analyst.md")
