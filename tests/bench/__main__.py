"""`make bench`: prints the table and writes it, with the machine, to `docs/benchmarks.md` and `.build/benchmarks.json`."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import typer

from orchestration.generate import generate
from tests.bench.changed import ROWS, changed_rows
from tests.bench.decoding import decoding
from tests.bench.identities import identities
from tests.bench.measuring import Figure, machine, table
from tests.bench.running import running
from tests.bench.starting import starting
from tests.conftest import PROJECT
from transforms.facilities.registry import load_registry

PARTS = ("decoding", "starting", "identity", "running", "changed")


def main() -> None:
    """Measure what was asked for. The table is written anew after each part, so that a part that ends badly takes none along."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=PARTS, help="one part; then nothing is written")
    parser.add_argument("--runs", type=int, default=3, help="runs of whole processes")
    parser.add_argument("--rows", type=int, default=ROWS, help="changed rows of the part `changed`")
    arguments = parser.parse_args()
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="lakehouse-bench-") as name:
        for part in [arguments.only] if arguments.only else PARTS:
            for figure in _measured(part, Path(name), arguments.runs, arguments.rows):
                typer.echo(table([figure]).splitlines()[-1])
                figures.append(figure)
            if arguments.only is None:
                _write(figures)


def _measured(part: str, folder: Path, runs: int, rows: int) -> Iterator[Figure]:
    if part == "decoding":
        generate(folder / "feeds", seed=1, people=4000, days=2, facilities=5, start=date(2026, 1, 5), progress=None)
        return decoding(folder / "feeds", load_registry((folder / "feeds" / "facilities.yaml").read_text()))
    if part == "starting":
        return starting(folder / "start", runs)
    if part == "identity":
        return identities(folder / "identity")
    return running(folder, runs) if part == "running" else changed_rows(folder / "changed", rows)


def _write(figures: list[Figure]) -> None:
    (PROJECT / ".build").mkdir(exist_ok=True)
    (PROJECT / ".build" / "benchmarks.json").write_text(json.dumps([one.to_json() for one in figures], indent=1))
    text = ("# Benchmarks\n\nBy `make bench`: medians, each beside a named peer on the same bytes in the same run, ratios first (of a rate ours to the peer's, of a cost the "
            f"peer's to ours: above 1 is better than the peer); decoders in CPU seconds of one core. What was profiled and tried: "
            f"[speed.md](speed.md). Machine: {machine()}.\n\n{table(figures)}\n")
    (PROJECT / "docs" / "benchmarks.md").write_text(text)


if __name__ == "__main__":
    main()
