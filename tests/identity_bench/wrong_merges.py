"""Wrong merges (HL7 v2 A40), injected and undone: are the persons again what they would be had the merges never come?

The world without them holds the right merges of the population's events. Wrong are those of the events, pairs that the policy itself asks
about although they are two humans (the hardest: twins, namesakes), and pairs drawn at random; each record occurs in one wrong merge at most.
"""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from assets.stores.identity_file import ScratchIdentity

Pairs = list[tuple[Any, Any]]


def undo_wrong_merges(scratch: ScratchIdentity, folder: Path, seed: int, most: int) -> tuple[int, float, float]:
    """Inject up to `most` wrong merges and undo them: how many, the share whose two persons are exactly restored, ids too, and the seconds
    that one undoing takes.
    """
    right, wrong = _said(folder)
    merge(scratch, right)
    scratch.resolve(everything=False)
    ids, members = _persons(scratch)
    wrong = _injected(wrong, right, _asked(scratch, folder), ids, random.Random(seed), most)
    merge(scratch, wrong)
    scratch.resolve(everything=False)
    joined, _ = _persons(scratch)
    assert all(joined[left] == joined[right] for left, right in wrong), "a wrong merge did not merge"
    part(scratch, wrong[:-1])
    scratch.resolve(everything=False)
    part(scratch, wrong[-1:])
    begun = time.monotonic()
    scratch.resolve(everything=False)
    seconds = time.monotonic() - begun
    now, groups = _persons(scratch)
    restored = sum(all(now[one] == ids[one] and groups[now[one]] == members[ids[one]] for one in pair) for pair in wrong)
    return len(wrong), restored / len(wrong), seconds


def _said(folder: Path) -> tuple[Pairs, Pairs]:
    """Merges of the events, retired record first: the right and the wrong ones."""
    events = pq.read_table(folder / "events.parquet", columns=["event_id", "event_type", "record_id", "retired_record_id"])
    merges = events.filter(pc.equal(events["event_type"], "merge")).join(
        pq.read_table(folder / "events_truth.parquet", columns=["event_id", "correct"]), "event_id").to_pylist()
    said: dict[bool, Pairs] = {True: [], False: []}
    for row in sorted(merges, key=lambda row: row["event_id"]):
        said[row["correct"]].append((row["retired_record_id"], row["record_id"]))
    return said[True], said[False]


def _asked(scratch: ScratchIdentity, folder: Path) -> Pairs:
    """Pairs that wait for a steward although they are two humans."""
    truth = pq.read_table(folder / "truth.parquet", columns=["record_id", "person_no"])
    human = dict(zip(truth["record_id"].to_pylist(), truth["person_no"].to_pylist(), strict=True))
    review = scratch.review()
    pairs = zip(review["record_id_l"].to_pylist(), review["record_id_r"].to_pylist(), strict=True)
    return [(left, right) for left, right in pairs if human[left] != human[right]]


def _injected(events: Pairs, right: Pairs, asked: Pairs, ids: dict[Any, str], drawing: random.Random, most: int) -> Pairs:
    """Choose the wrong merges; a record that a right merge retired speaks for nobody any more and is left out."""
    used = {record for pair in right for record in pair}
    free = sorted(ids.keys() - used)
    drawn = drawing.sample(free, min(len(free), 2 * most))
    chosen: Pairs = []
    for pair in (*drawing.sample(asked, len(asked))[: most // 2], *events, *zip(drawn[::2], drawn[1::2], strict=True)):
        if len(chosen) < most and used.isdisjoint(pair) and pair[0] in ids and pair[1] in ids and ids[pair[0]] != ids[pair[1]]:
            chosen.append(pair)
            used.update(pair)
    return chosen


def _persons(scratch: ScratchIdentity) -> tuple[dict[Any, str], dict[str, frozenset[Any]]]:
    """Give the person of each record and the records of each person."""
    links = scratch.links()
    ids = dict(zip(links["record_id"].to_pylist(), links["person_id"].to_pylist(), strict=True))
    members: dict[str, set[Any]] = {}
    for record, person in ids.items():
        members.setdefault(person, set()).add(record)
    return ids, {person: frozenset(group) for person, group in members.items()}


def merge(scratch: ScratchIdentity, pairs: Pairs) -> None:
    """Let trusted merges arrive as the next run."""
    scratch.run_seq += 1
    rows = pa.table({"patient_key": [str(pair[0]) for pair in pairs], "survivor_key": [str(pair[1]) for pair in pairs]},
                    schema=pa.schema([("patient_key", pa.string()), ("survivor_key", pa.string())]))
    with scratch.store.open() as warehouse:
        warehouse.load("canonical.patient_survivor", rows)


def part(scratch: ScratchIdentity, pairs: Pairs) -> None:
    """Let a steward part pairs, as the next run."""
    scratch.run_seq += 1
    ordered = [sorted(str(record) for record in pair) for pair in pairs]
    with scratch.store.open() as warehouse:
        first = warehouse.query("select coalesce(max(decision_seq), 0) + 1 as n from identity.decision")["n"][0].as_py()
        warehouse.load("identity.decision", pa.table({
            "patient_key_l": [pair[0] for pair in ordered], "patient_key_r": [pair[1] for pair in ordered],
            "decision_seq": pa.array(range(first, first + len(ordered)), pa.int64()), "decision": ["cannot_link"] * len(ordered)}))
