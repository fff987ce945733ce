"""Writes a synthetic network to disk: feeds, truth, registry and manifest.

The network itself is pure (`transforms.synthetic`); here it meets the file system.
Layout: `<out>/feeds/<facility>/<source>/<batch_date>/<name>`, `<out>/truth/<table>.parquet`, `<out>/facilities.yaml`,
`<out>/manifest.json`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from transforms.synthetic.feed_files import FeedFile
from transforms.synthetic.network import NetworkPlan, groups
from transforms.synthetic.registry_text import registry_text


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
    for group in groups(plan):
        for file in group.files:
            _write(out / "feeds", file)
            files, units, size = files + 1, units + len(file.units), size + len(file.content)
            outcomes.update(outcome for _, outcome, _ in file.units)
            if progress is not None:
                progress(units)
    (out / "facilities.yaml").write_text(registry_text(facilities), encoding="utf-8")
    network = GeneratedNetwork(out, files, units, size, dict(sorted(outcomes.items())))
    _write_manifest(out, plan, network)
    return network


def _write(feeds: Path, file: FeedFile) -> None:
    folder = feeds / file.facility_id / file.source / file.batch_date
    folder.mkdir(parents=True, exist_ok=True)
    (folder / file.name).write_bytes(file.content)


def _write_manifest(out: Path, plan: NetworkPlan, network: GeneratedNetwork) -> None:
    told = {**asdict(plan), "start": plan.start.isoformat(), "files": network.files, "units": network.units, "bytes": network.bytes,
            "outcomes": network.outcomes}
    (out / "manifest.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
