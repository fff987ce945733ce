"""Writes a synthetic network to disk: feeds, truth, registry and manifest.

The network itself is pure (`transforms.synthetic`); here it meets the file system.
Layout: `<out>/feeds/<facility>/<source>/<batch_date>/<name>`, `<out>/truth/<table>.parquet`, `<out>/facilities.yaml`,
`<out>/manifest.json`.
"""

from __future__ import annotations

import gc
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from transforms.synthetic.answer_types import CensusAnswer, ReadmissionAnswer, SummaryAnswer, TurnaroundAnswer, VolumeAnswer
from transforms.synthetic.answers import readmission, summary, turnaround
from transforms.synthetic.clock import day_number
from transforms.synthetic.daily_answers import DailyAnswers
from transforms.synthetic.feed_files import FeedFile
from transforms.synthetic.network import Group, NetworkPlan, groups
from transforms.synthetic.registry_text import registry_text
from transforms.synthetic.truth_tables import LedgerTruth, table_of, truth_tables, unit_table


@dataclass(frozen=True)
class GeneratedNetwork:
    """What was written: where, and how much. `outcomes` counts units by what must become of them."""

    root: Path
    files: int
    units: int
    bytes: int
    outcomes: dict[str, int]

    @property
    def feeds(self) -> Path:
        """Directory of the feed files."""
        return self.root / "feeds"

    @property
    def truth(self) -> Path:
        """Directory of the truth tables."""
        return self.root / "truth"

    @property
    def registry(self) -> Path:
        """The registry that describes the feeds."""
        return self.root / "facilities.yaml"


def generate(
    out: Path, *, seed: int = 1, people: int = 400, days: int = 5, facilities: int = 5, start: date = date(2026, 1, 5),
    progress: Callable[[int], None] | None = None,
) -> GeneratedNetwork:
    """Write the network of a seed below `out`; equal arguments give equal bytes.

    `progress` is called with the number of units written so far. Raises ValueError for counts below one and
    FileExistsError where `out` already holds a network.
    """
    if (out / "manifest.json").exists():
        raise FileExistsError(f"{out} already holds a network")
    plan = NetworkPlan(seed, people, days, facilities, start)
    files = units = size = 0
    outcomes: Counter[str] = Counter()
    with _without_cycle_search(), _TruthFolder(out / "truth", plan) as truth:
        for group in groups(plan):
            truth.add_group(group)
            for file in group.files:
                _write(out / "feeds", file)
                truth.add_file(file)
                files, units, size = files + 1, units + len(file.units), size + len(file.content)
                outcomes.update([outcome for _, outcome, _ in file.units])
                if progress is not None:
                    progress(units)
    (out / "facilities.yaml").write_text(registry_text(facilities), encoding="utf-8")
    network = GeneratedNetwork(out, files, units, size, dict(sorted(outcomes.items())))
    _write_manifest(out, plan, network)
    return network


@contextmanager
def _without_cycle_search() -> Iterator[None]:
    """The stories are millions of objects without reference cycles: searching them for cycles takes as long as telling them."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class _TruthFolder:
    """The truth tables on disk, written group by group; what needs all groups is written at the end."""

    def __init__(self, folder: Path, plan: NetworkPlan) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.newest_day = day_number(plan.start) + plan.days - 1
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._ledger, self._daily = LedgerTruth(), DailyAnswers()
        self._units: list[pa.Table] = []

    def __enter__(self) -> _TruthFolder:
        return self

    def __exit__(self, *_: object) -> None:
        self._flush_units()
        self._append("ledger", self._ledger.table())
        self._append("expected_daily_census", table_of(CensusAnswer, self._daily.census()))
        self._append("expected_facility_volume", table_of(VolumeAnswer, self._daily.volume()))
        for writer in self._writers.values():
            writer.close()

    def add_group(self, group: Group) -> None:
        """Write what holds of one group of people, and the answers that their stays give alone."""
        for name, table in truth_tables(group.truth).items():
            self._append(name, table)
        self._append("expected_encounter_summary", table_of(SummaryAnswer, summary(group.truth)))
        self._append("expected_lab_turnaround", table_of(TurnaroundAnswer, turnaround(group.truth)))
        self._append("expected_readmission", table_of(ReadmissionAnswer, readmission(group.truth)))
        self._daily.add(group.truth, self.newest_day)
        self._flush_units()

    def add_file(self, file: FeedFile) -> None:
        """Account for one file's units."""
        self._units.append(unit_table(file))
        self._ledger.add(file)

    def _flush_units(self) -> None:
        if self._units:
            self._append("units", pa.concat_tables(self._units))
            self._units = []

    def _append(self, name: str, table: pa.Table) -> None:
        if name not in self._writers:
            self._writers[name] = pq.ParquetWriter(self.folder / f"{name}.parquet", table.schema, compression="zstd")
        self._writers[name].write_table(table)


def _write(feeds: Path, file: FeedFile) -> None:
    folder = feeds / file.facility_id / file.source / file.batch_date
    folder.mkdir(parents=True, exist_ok=True)
    (folder / file.name).write_bytes(file.content)


def _write_manifest(out: Path, plan: NetworkPlan, network: GeneratedNetwork) -> None:
    told = {**asdict(plan), "start": plan.start.isoformat(), "files": network.files, "units": network.units, "bytes": network.bytes,
            "outcomes": network.outcomes}
    (out / "manifest.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
