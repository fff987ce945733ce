"""The gates of patient identity: generate a population, resolve it as the product does, score it, say what holds.

    make identity-bench SEED=1 PEOPLE=49000 PROFILE=outpatient

Bounds are those of the benchmark for one million records (docs/identity.md). One seed of 100,000 records is noise for the gates that
count over-merged people: five clusters a million are half a cluster here.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from assets.stores.identity import Settings  # noqa: E402 - the project is found by its place
from assets.stores.identity_file import ScratchIdentity, scratch_identity  # noqa: E402
from orchestration.opening import dbt_runner  # noqa: E402
from orchestration.settings import load_settings  # noqa: E402
from transforms.identity.model import load_model  # noqa: E402
from transforms.identity.policy import load_policy  # noqa: E402


@dataclass(frozen=True)
class Gate:
    """One bound: what is measured, whether it is a least or a most."""

    name: str
    measured: float
    bound: float
    least: bool

    def __str__(self) -> str:
        """Say it in one line."""
        held = self.measured >= self.bound if self.least else self.measured <= self.bound
        return f"{'pass' if held else 'FAIL'}  {self.name:<52} {self.measured:>12.6g}  {'>=' if self.least else '<='} {self.bound:g}"


def accuracy_gates(policy: str, profile: str, score: dict[str, Any]) -> Iterator[Gate]:
    """Give the gates on accuracy and review load of one scored resolution."""
    review = score["review"]
    if profile == "hard":
        yield Gate(f"{policy}: precision, hard", score["precision"], 0.999, True)
        yield Gate(f"{policy}: recall resolved by truth, hard", review["resolved"]["recall"], 0.92, True)
        return
    precision, people, recall, resolved = (0.9999, 10, 0.90, 0.95) if policy == "strict" else (0.9998, 40, 0.93, 0.97)
    yield Gate(f"{policy}: precision of auto links", score["precision"], precision, True)
    yield Gate(f"{policy}: over-merged people per million records", score["over_merged_people_per_million"], people, False)
    yield Gate(f"{policy}: recall, auto", score["recall"], recall, True)
    yield Gate(f"{policy}: recall, review resolved by truth", review["resolved"]["recall"], resolved, True)
    yield Gate(f"{policy}: open review / (auto + open review)", review["share_of_auto_plus_review"], 0.06, False)
    yield Gate(f"{policy}: review tasks per 1,000 records", review["tasks_per_1000_records"], 25, False)
    yield Gate(f"{policy}: recall gap between name groups", score["gaps"]["name_group"]["recall_gap"], 0.04, False)


def generate(folder: Path, people: int, seed: int, profile: str, params: str | None) -> None:
    """Write the population of a seed, unless it is there."""
    if not (folder / "manifest.json").exists():
        extra = ["--params", params] if params else []
        run("generate.py", "--people", str(people), "--seed", str(seed), "--profile", profile, "--out", str(folder), *extra)


def score(folder: Path, links: pa.Table, review: pa.Table, compare: pa.Table | None = None, batch: bool = False) -> dict[str, Any]:
    """Score links against the truth."""
    pq.write_table(links, folder / "links.parquet")
    pq.write_table(review, folder / "review.parquet")
    extra = ["--include-batch"] if batch else []
    if compare is not None:
        pq.write_table(compare, folder / "compare.parquet")
        extra += ["--compare", str(folder / "compare.parquet")]
    run("score.py", "--truth", str(folder / "truth.parquet"), "--links", str(folder / "links.parquet"), "--review",
        str(folder / "review.parquet"), "--out", str(folder / "score.json"), *extra)
    found: dict[str, Any] = json.loads((folder / "score.json").read_text())
    return found


def run(script: str, *arguments: str) -> None:
    """Run a script of this folder; its output is kept only where it fails."""
    done = subprocess.run([sys.executable, str(HERE / script), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{script}: {done.stderr[-2000:]}")


def batch_file(folder: Path) -> Path:
    """Write the records held back for the increment and give their file."""
    events = pq.read_table(folder / "events.parquet")
    new = events.filter(pa.compute.equal(events["event_type"], "new"))
    pq.write_table(new.select(pq.read_schema(folder / "records.parquet").names), folder / "batch.parquet")
    return folder / "batch.parquet"


def unmerge(scratch: ScratchIdentity, pairs: int, seed: int) -> tuple[float, float]:
    """Link pairs of records of two persons by decision, part them again: the share of persons restored exactly, the seconds of one undoing."""
    before = _persons(scratch)
    records = sorted(before)
    chosen = random.Random(seed).sample(records, 2 * pairs)
    couples = [(left, right) for left, right in zip(chosen[::2], chosen[1::2], strict=True) if before[left] != before[right]]
    _decide(scratch, couples, "link")
    scratch.resolve(everything=False)
    _decide(scratch, couples[:-1], "cannot_link")
    scratch.resolve(everything=False)
    _decide(scratch, couples[-1:], "cannot_link")
    begun = time.monotonic()
    scratch.resolve(everything=False)
    seconds = time.monotonic() - begun
    after = _persons(scratch)
    touched = [record for couple in couples for record in couple]
    return sum(after[record] == before[record] for record in touched) / len(touched), seconds


def _persons(scratch: ScratchIdentity) -> dict[Any, frozenset[Any]]:
    """Give for each record all records of its person."""
    links = scratch.links()
    members: dict[str, set[Any]] = {}
    for record, person in zip(links["record_id"].to_pylist(), links["person_id"].to_pylist(), strict=True):
        members.setdefault(person, set()).add(record)
    return {record: frozenset(group) for group in members.values() for record in group}


def _decide(scratch: ScratchIdentity, couples: list[tuple[Any, Any]], decision: str) -> None:
    scratch.run_seq += 1
    with scratch.store.open() as warehouse:
        for couple in couples:
            left, right = sorted(str(record) for record in couple)
            warehouse.execute(
                "insert into identity.decision (patient_key_l, patient_key_r, decision_seq, decision) "
                "select ?, ?, coalesce(max(decision_seq), 0) + 1, ? from identity.decision", [left, right, decision])


def bench(folder: Path, policy: str, profile: str, seed: int, extended: bool) -> Iterator[Gate | str]:
    """Resolve and score one policy; `extended` adds time, increment and unmerge."""
    settings = Settings(load_model(), load_policy(policy), salt="bench", memory="2GB")
    dbt = dbt_runner(load_settings(), "local")
    dbt.prepare()
    with scratch_identity(dbt, settings) as scratch:
        begun, cpu = time.monotonic(), time.process_time()
        scratch.add(folder / "records.parquet")
        resolution = scratch.resolve()
        full = time.monotonic() - begun
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        yield f"      {policy}: {resolution.compared:,} records, {full:.0f} s ({time.process_time() - cpu:.0f} s of processor), {peak:.1f} GiB"
        found = score(folder, scratch.links(), scratch.review())
        (folder / f"score_{policy}.json").write_text(json.dumps(found))
        yield from accuracy_gates(policy, profile, found)
        if not extended:
            return
        million = resolution.compared / 1e6
        yield Gate("full run, seconds per million records", full / million, 90, False)
        yield Gate("full run, GiB", peak, 4, False)
        begun = time.monotonic()
        scratch.add(batch_file(folder))
        scratch.resolve(everything=False)
        yield Gate("increment of 1 %, share of the full run", (time.monotonic() - begun) / full, 0.10, False)
        grown = scratch.links()
        exact, seconds = unmerge(scratch, 40, seed)
        yield Gate("wrong link undone: clusters exactly restored", exact, 0.99, True)
        yield Gate("one undoing, seconds", seconds, 2, False)
    with scratch_identity(dbt, settings) as scratch:
        scratch.add(folder / "records.parquet")
        scratch.add(folder / "batch.parquet")
        scratch.resolve()
        differ = score(folder, grown, scratch.review(), compare=scratch.links(), batch=True)["compare"]
        yield Gate("increment against full, clusters differing per million", differ["per_million_records"], 20, False)


def main() -> None:
    """Run the gates and end with 1 where one fails."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    asked.add_argument("--people", type=int, default=49000)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--profile", default="outpatient")
    asked.add_argument("--params", help="JSON of generator parameters")
    asked.add_argument("--out", type=Path, required=True)
    said = asked.parse_args()
    folder = said.out / f"{said.profile}-{said.people}-{said.seed}"
    generate(folder, said.people, said.seed, said.profile, said.params)
    failed = 0
    for policy in ("strict", "balanced"):
        for gate in bench(folder, policy, said.profile, said.seed, extended=policy == "strict" and said.profile != "hard"):
            print(gate, flush=True)
            failed += str(gate).startswith("FAIL")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
