"""Golden cases on their way through the product: a facility for each case, all cases of a round in one run.

A store takes the first file of every case, runs, takes the second, and so on; every round is a batch date of its own. What is
found afterwards is read once and kept by case. Runs take the steps of the real job without Dagster, whose two events for each asset and
partition would cost more than all the steps; a case that is alone in its store is run by the job itself. Does not belong here: what is
right (`case_comparison.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from tests.acceptance.case_rows import Found, read_found
from tests.acceptance.golden_cases import Case, feed_of, written_out
from tests.case_registry import facility_of_case, registry_text
from tests.pipeline_runs import run
from tests.steps import run_steps

# Dagster lists every partition from the registry's first batch date up to today, for every asset: few days keep that list short.
FIRST_DAY = date.today() - timedelta(days=21)
RECEIVED = time(11)
# As far as the ledger; persons and marts have tests of their own.
LAYERS = ("group:raw", "group:canonical", "group:control")


@dataclass
class CaseLake:
    """One data root with the facilities of some cases; `days` counts the batch dates used so far."""

    root: Any
    settings: Any
    facility_ids: dict[str, str]
    files: dict[str, list[Path]]
    by_job: bool = False
    days: int = 0
    found: dict[str, dict[str, Found]] = field(default_factory=dict)

    def deliver(self, rounds: Sequence[Sequence[tuple[str, Path]]]) -> None:
        """Land each round's files (case id, file) on a batch date of their own and run the pipeline after each."""
        for arrivals in rounds:
            day = FIRST_DAY + timedelta(days=self.days)
            self.days += 1
            for place, (case_id, path) in enumerate(arrivals):
                self.root.landing.land(
                    path.read_bytes(), facility_id=self.facility_ids[case_id], source=feed_of(path), batch_date=day,
                    original_name=path.name, received_time=datetime.combine(day, RECEIVED, UTC) + timedelta(seconds=place),
                )
            partitions = sorted({(self.facility_ids[case_id], day) for case_id, _ in arrivals})
            if partitions and self.by_job:
                run(self.root, self.settings, partitions, LAYERS)
            elif partitions:
                run_steps(self.root, f"round-{self.days}", partitions, until="current")

    def read(self, name: str, first_day: int = 0) -> None:
        """Keep what the store holds now under a name; units of batch dates before `first_day` are left out."""
        rows = read_found(self.root, FIRST_DAY + timedelta(days=first_day))
        self.found[name] = {case_id: rows.get(facility, Found()) for case_id, facility in self.facility_ids.items()}

    def one_by_one(self, *, reverse: bool = False) -> list[list[tuple[str, Path]]]:
        """Rounds of single files: the n-th of each case, from the first or from the last."""
        ordered = {case: paths[::-1] if reverse else paths for case, paths in self.files.items()}
        longest = max(map(len, ordered.values()))
        return [[(case, paths[n]) for case, paths in ordered.items() if n < len(paths)] for n in range(longest)]

    def together(self) -> list[list[tuple[str, Path]]]:
        """One round with all files, received in order of name."""
        return [[(case, path) for case, paths in self.files.items() for path in paths]]


def open_case_lake(open_root: Any, folder: Path, chosen: Sequence[Case], *, by_job: bool = False) -> CaseLake:
    """A new data root whose registry holds a facility for each case."""
    inputs = {case.id: written_out(case, folder / "input" / case.id) for case in chosen}
    # Cases with many files stand together, so that the partitions of a round are neighbours and make one run.
    ordered = sorted(chosen, key=lambda case: (-len(inputs[case.id]), case.id))
    facility_ids = {case.id: f"case{number:03}" for number, case in enumerate(ordered, 1)}
    facilities = [facility_of_case(case.facility, facility_ids[case.id]) for case in ordered]
    registry = folder / "facilities.yaml"
    registry.write_text(registry_text(facilities, FIRST_DAY.isoformat()), encoding="utf-8")
    root, settings = open_root(folder / "root", registry)
    return CaseLake(root, settings, facility_ids, {case.id: inputs[case.id] for case in ordered}, by_job)
