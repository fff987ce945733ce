"""How answers are printed: one sentence, a table, what to do next; or JSON and nothing else."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

SHORT = 13
Json = typer.Option(False, "--json", help="Print JSON and nothing else.")


def print_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, title: str = "", as_json: bool = False) -> None:
    """Print rows as a table of at most 100 columns' width, or as JSON."""
    if as_json:
        print(json.dumps([{name: row.get(name) for name in columns} for row in rows], default=str, indent=1))
        return
    table = Table(title=title or None, title_justify="left", box=None, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    for name in columns:
        numeric = bool(rows) and all(isinstance(row.get(name), int) and not isinstance(row.get(name), bool) for row in rows)
        words = [*(_cell(row.get(name)) for row in rows), *name.split("_")]
        longest = max(map(len, words))
        # Short values (names, dates, counts) are never cut: their header wraps and long texts give way.
        table.add_column(name.replace("_", " "), justify="right" if numeric else "left", min_width=longest if longest <= SHORT else None)
    for row in rows:
        table.add_row(*(_cell(row.get(name)) for name in columns))
    Console(width=None if sys.stdout.isatty() else 100, highlight=False).print(table)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


@contextmanager
def progress(description: str, total: int | None) -> Iterator[Any]:
    """Show progress with a rate and a remaining time on a terminal, nothing elsewhere; gives `advance(done, text)`."""
    console = Console(stderr=True)
    bar = Progress(SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
                   TimeRemainingColumn(), console=console, disable=not console.is_terminal, transient=True)
    with bar:
        task = bar.add_task(description, total=total)

        def advance(done: int = 1, text: str | None = None) -> None:
            bar.update(task, advance=done, description=text)

        yield advance
