"""The gates of patient identity: generate populations, measure the policies on them, pool, say what holds.

    make identity-bench SEED=1 PEOPLE=49000 PROFILE=outpatient
    make identity-bench SEED="1 2 3" PEOPLE=500000          # the gates as they are meant: a million records, three seeds

Several seeds are pooled as counts. Bounds are those for one million records (docs/identity.md): with 100,000 one cluster of two humans is
twenty people a million. `PARTS=accuracy` leaves increment and undoing out, `POLICIES=strict` the other policy, and
`PARAMS='{"twin": 0.1}'` changes the population (parameters of generate.py). `PARTS=speed` measures time and memory alone, of the product and of plain Splink, each in a process of its own (`speed.py`; Splink may take 8 GB and more on disk).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from tests.identity_bench.measures import Measures, run  # noqa: E402 - the project is found by its place


@dataclass(frozen=True)
class Gate:
    """One bound: what is measured, whether it is a least or a most."""

    name: str
    measured: float
    bound: float
    least: bool

    def holds(self) -> bool:
        """Is the bound kept?"""
        return self.measured >= self.bound if self.least else self.measured <= self.bound

    def __str__(self) -> str:
        """Say it in one line."""
        return (f"{'pass' if self.holds() else 'FAIL'}  {self.name:<56} {self.measured:>12.6g}  "
                f"{'>=' if self.least else '<='} {self.bound:g}")


def pooled(scores: Sequence[Measures]) -> Measures:
    """Put scores together as counts: precision, recall, resolved, people (over-merged, a million), share, tasks, gap and the zones' errors."""

    def total(*path: str) -> float:
        return sum(_at(score, path) for score in scores)

    linked, true, records = total("linked_pairs"), total("true_pairs"), total("records")
    resolved = sum(score["true_pairs"] * score["review"]["resolved"]["recall"] for score in scores) / true
    asked = total("review", "open_pairs")
    asked_true = sum(score["review"]["open_pairs"] * (score["review"]["pair_yield"] or 0) for score in scores)
    return {
        "precision": 1 - total("false_pairs") / linked, "recall": (linked - total("false_pairs")) / true, "resolved": resolved,
        "people": 1e6 * total("over_merged_people") / records, "share": asked / (asked + linked), "gap": _gap(scores),
        "tasks": 1000 * total("review", "tasks") / records, "false_linked": total("false_pairs"), "linked": linked, "asked": asked,
        "asked_two_humans": asked - asked_true, "not_asked": (1 - resolved) * true,
    }


def _at(score: Any, path: Sequence[str]) -> float:
    for key in path:
        score = score[key]
    return float(score)


def _gap(scores: Sequence[Measures]) -> float:
    """Largest difference of recall between name groups, each weighed over the populations by its records."""
    recalls: dict[str, list[tuple[float, float]]] = {}
    for score in scores:
        for name, stratum in score["strata"].items():
            if name.startswith("name_group=") and stratum["records"] >= 500:
                recalls.setdefault(name, []).append((stratum["records"], stratum["recall"]))
    means = [sum(records * recall for records, recall in one) / sum(records for records, _ in one) for one in recalls.values()]
    return max(means) - min(means)


def accuracy_gates(policy: str, profile: str, found: Measures) -> Iterator[Gate]:
    """Give the gates on accuracy and review load of pooled scores."""
    if profile == "hard":
        yield Gate(f"{policy}, hard: precision of auto links", found["precision"], 0.999, True)
        yield Gate(f"{policy}, hard: recall, review resolved by truth", found["resolved"], 0.92, True)
        return
    precision, people, recall, resolved = (0.9999, 10, 0.90, 0.95) if policy == "strict" else (0.9998, 40, 0.93, 0.97)
    yield Gate(f"{policy}: precision of auto links", found["precision"], precision, True)
    yield Gate(f"{policy}: over-merged people per million records", found["people"], people, False)
    yield Gate(f"{policy}: recall, auto", found["recall"], recall, True)
    yield Gate(f"{policy}: recall, review resolved by truth", found["resolved"], resolved, True)
    yield Gate(f"{policy}: open review / (auto + open review)", found["share"], 0.06, False)
    yield Gate(f"{policy}: review tasks per 1,000 records", found["tasks"], 25, False)
    yield Gate(f"{policy}: recall gap between name groups", found["gap"], 0.04, False)


def extended_gates(measured: Sequence[Measures]) -> Iterator[Gate]:
    """Give the gates on time, memory, increment and undoing; of several populations the worst."""
    million = sum(one["score"]["records"] for one in measured) / 1e6
    yield from full_run_gates(sum(one["seconds"] for one in measured) / million, max(one["gib"] for one in measured))
    if "increment" not in measured[0]:
        return
    yield from increment_gates(max(one["increment"] for one in measured), max(one["undoing"] for one in measured))
    yield Gate("increment against full, clusters differing per million", sum(one["differing"] for one in measured) / million, 20, False)
    wrong = sum(one["wrong_merges"] for one in measured)
    yield Gate(f"{wrong:,} wrong merges undone: exactly restored", sum(one["wrong_merges"] * one["restored"] for one in measured) / wrong,
               0.99, True)


def speed_gates(product: Measures) -> Iterator[Gate]:
    """Give the gates on time and memory of one population; the increment by the clock, as the others."""
    full = product["full"]
    yield from full_run_gates(full["seconds"] / (product["records"] / 1e6), full["gib"])
    yield from increment_gates(product["increment"]["seconds"] / full["seconds"], product["undoing"]["seconds"])


def full_run_gates(seconds_per_million: float, gib: float) -> Iterator[Gate]:
    """Give the gates on time and memory of a full run."""
    yield Gate("full run, seconds per million records", seconds_per_million, 90, False)
    yield Gate("full run, GiB", gib, 4, False)


def increment_gates(share: float, undoing_seconds: float) -> Iterator[Gate]:
    """Give the gates on an increment, as a share of the full run, and on one undoing."""
    yield Gate("increment of 1 %, share of the full run", share, 0.10, False)
    yield Gate("one undoing, seconds", undoing_seconds, 2, False)


def measured_speeds(said: argparse.Namespace) -> int:
    """Measure product and peer on each seed, print both and the gates; gives how many gates fail."""
    failed = 0
    for seed in said.seed:
        folder = population(said, seed)
        found: dict[str, Measures] = {}
        for who in ("product", "peer"):
            file = folder / f"speed_{who}.json"
            run("speed.py", "--folder", str(folder), "--who", who, "--out", str(file))
            found[who] = json.loads(file.read_text())
            for step in ("full", "increment", "undoing"):
                if step in found[who]:
                    spent = found[who][step]
                    print(f"      seed {seed}, {'plain Splink' if who == 'peer' else who}, {step}: {spent['seconds']:.1f} s, "
                          f"{spent['cpu']:.1f} s of processor, {spent['gib']:.2f} GiB", flush=True)
            print(f"      {found[who]['records']:,} records: precision {found[who]['precision']:.6f}, recall {found[who]['recall']:.3f}, "
                  f"{found[who]['over_merged_people']:,} people over-merged", flush=True)
        for gate in speed_gates(found["product"]):
            print(gate, flush=True)
            failed += not gate.holds()
    return failed


def population(said: argparse.Namespace, seed: int) -> Path:
    """Give the folder of a population, generated where it is missing; one of other parameters has a folder of its own."""
    params = json.dumps(json.loads(said.params), sort_keys=True) if said.params else ""
    other = f"-{hashlib.sha256(params.encode()).hexdigest()[:8]}" if params else ""
    folder = Path(said.out / f"{said.profile}-{said.people}-{seed}{other}")
    if not (folder / "manifest.json").exists():
        extra = ["--params", params] if params else []
        run("generate.py", "--people", str(said.people), "--seed", str(seed), "--profile", said.profile, "--out", str(folder), *extra)
    return folder


def measured_populations(said: argparse.Namespace, policy: str) -> list[Measures]:
    """Generate what is missing and measure each seed in a process of its own."""
    found = []
    for seed in said.seed:
        folder = population(said, seed)
        extent = ["--extended"] if policy == "strict" and said.parts == "all" and said.profile != "hard" else []
        file = folder / f"measured_{policy}.json"
        run("measures.py", "--folder", str(folder), "--policy", policy, "--seed", str(seed), "--out", str(file), *extent)
        found.append(json.loads(file.read_text()))
        score = found[-1]["score"]
        print(f"      {found[-1]['versions']['policy']}, seed {seed}: {score['records']:,} records, {found[-1]['seconds']:.0f} s "
              f"({found[-1]['cpu']:.0f} s of processor), {found[-1]['gib']:.1f} GiB; {score['over_merged_people']} people over-merged",
              flush=True)
    return found


def main() -> None:
    """Run the gates and end with 1 where one fails."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    asked.add_argument("--people", type=int, default=49000)
    asked.add_argument("--seed", type=int, nargs="+", default=[1])
    asked.add_argument("--profile", default="outpatient")
    asked.add_argument("--params", default="", help='JSON of generator parameters (generate.py), as {"twin": 0.1, "miss": 1.2}')
    asked.add_argument("--policies", nargs="+", default=["strict", "balanced"])
    asked.add_argument("--parts", default="all", choices=["all", "accuracy", "speed"])
    asked.add_argument("--out", type=Path, required=True)
    said = asked.parse_args()
    if said.parts == "speed":
        sys.exit(1 if measured_speeds(said) else 0)
    failed = 0
    for policy in said.policies:
        measured = measured_populations(said, policy)
        found = pooled([one["score"] for one in measured])
        gates = [*accuracy_gates(policy, said.profile, found), *(extended_gates(measured) if policy == "strict" else ())]
        for gate in gates:
            print(gate, flush=True)
        print(f"      {policy}, error by zone: auto {found['false_linked']:,.0f} of {found['linked']:,.0f} pairs are two humans; review "
              f"{found['asked_two_humans']:,.0f} of {found['asked']:,.0f}; {found['not_asked']:,.0f} pairs of one human are neither", flush=True)
        failed += sum(not gate.holds() for gate in gates)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
