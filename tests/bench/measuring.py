"""Measuring: two ways to do the same on the same bytes, in turn, several times; medians, and the ratio first."""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

RUNS = 5


@dataclass(frozen=True)
class Figure:
    """One line of the table: how many a second by us and by the peer (CPU seconds, median of the runs), or a cost where `unit` says so."""

    what: str
    unit: str
    ours: float
    peer_name: str
    peer: float

    @property
    def ratio(self) -> float:
        """How many times the peer's speed; of a cost, how many times ours is the peer's."""
        if self.peer == 0:
            return 0.0
        return self.peer / self.ours if self.less_is_better else self.ours / self.peer

    @property
    def less_is_better(self) -> bool:
        """Whether the figure is a cost and no rate."""
        return self.unit.startswith(("seconds", "MiB"))

    def to_json(self) -> dict[str, Any]:
        """Give the figure for the JSON file."""
        return {**asdict(self), "ratio": round(self.ratio, 2)}


def side_by_side(what: str, unit: str, amount: int, ours: Callable[[], object], peer_name: str, peer: Callable[[], object],
                 runs: int = RUNS) -> Figure:
    """Run both in turn and give the rates at which `amount` was done."""
    spent: tuple[list[float], list[float]] = ([], [])
    for _ in range(runs):
        for seconds, work in zip(spent, (ours, peer), strict=True):
            began = time.process_time()
            work()
            seconds.append(time.process_time() - began)
    rates = [amount / statistics.median(seconds) for seconds in spent]
    return Figure(what, unit, rates[0], peer_name, rates[1])


def machine() -> str:
    """Say on what was measured."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = {line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")}
    return f"{', '.join(sorted(names)) or platform.processor()}, {platform.python_implementation()} {platform.python_version()}"


def table(figures: list[Figure]) -> str:
    """Give the figures as a Markdown table, ratios first."""
    lines = ["| what | × peer | ours | unit | peer | peer's |", "|---|---:|---:|---|---|---:|"]
    for one in figures:
        form = "{:,.2f}" if one.unit.startswith("seconds") else "{:,.0f}"
        lines.append(f"| {one.what} | {one.ratio:.2f} | {form.format(one.ours)} | {one.unit} | {one.peer_name} | {form.format(one.peer)} |")
    return "\n".join(lines)
