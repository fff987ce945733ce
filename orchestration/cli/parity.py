"""The command `parity`: DuckDB and Snowflake side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from orchestration.cli.printing import Json, print_table, progress
from orchestration.cli.scope import Facility, FromDate, ToDate, chosen_partitions
from transforms.errors import LakehouseError

if TYPE_CHECKING:
    from orchestration.parity.compare import Compared

COLUMNS = ("table", "rows_duckdb", "rows_snowflake", "result", "columns", "rows")


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(parity)


def parity(
    facility: list[str] | None = Facility,
    from_date: str | None = FromDate,
    to_date: str | None = ToDate,
    compare_only: bool = typer.Option(False, "--compare-only", help="Compare what the last proof left, without running it again."),
    as_json: bool = Json,
) -> None:
    """Load the same raw rows into DuckDB and Snowflake, run the same models, compare every table. Exit 1 where one differs."""
    from orchestration.settings import load_settings, require_snowflake

    settings = load_settings()
    # before what follows, which imports dbt and Dagster and parses the project
    require_snowflake(settings)
    from assets.stores.lock import writer_lock
    from orchestration.parity.sides import open_sides

    sides = open_sides(settings)
    with writer_lock(sides.root.home, "parity", "parity", settings.lock_wait_seconds), progress("Parity", None) as advance:
        if not compare_only:
            partitions = chosen_partitions(sides.root, facility, from_date, to_date)
            sides.clear()
            sides.run("proof", partitions, on_step=lambda step: advance(1, f"Parity: {step}"))
        advance(1, "Parity: comparing")
        tables = sides.compare()
    different = [one for one in tables if one.difference]
    if not as_json:
        print(f"{len(tables) - len(different)} of {len(tables)} tables are equal on DuckDB and Snowflake.")
    print_table([_row(one, as_json) for one in tables], COLUMNS, as_json=as_json)
    if different:
        raise LakehouseError(f"{len(different)} tables differ: {', '.join(one.table for one in different[:5])}.")


def _row(one: Compared, as_json: bool) -> dict[str, object]:
    named = [{"side": row.side, **row.key} for row in one.rows]
    return {
        "table": one.table, "rows_duckdb": one.rows_left, "rows_snowflake": one.rows_right, "result": one.difference or "equal",
        "columns": list(one.columns) if as_json else ", ".join(one.columns),
        "rows": named if as_json else "; ".join(" ".join(str(value) for value in row.values() if value is not None) for row in named),
    }
