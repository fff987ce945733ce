"""Patient identity on a generated population with known truth, beside plain Splink (`tests/identity_bench/plain_splink.py`).

A million records, clock and memory: `make identity-bench SEED=1 PEOPLE=500000 PARTS=speed`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from tests.bench.measuring import Figure
from tests.identity_bench.measures import run, score
from tests.identity_bench.plain_splink import PEER
from tests.identity_bench.speed import measure_product, peer_links, spent

PEOPLE = 24_000


def identities(folder: Path) -> Iterator[Figure]:
    """Measure a full run, an increment of 1 % and one undoing, in CPU seconds, and how many pairs are right."""
    run("generate.py", "--people", str(PEOPLE), "--seed", "17", "--out", str(folder))
    ours = measure_product(folder)
    found: list[pa.Table] = []
    peer = spent(lambda: found.append(peer_links(ours.features, ours.links.schema.field("record_id").type))).cpu
    records = f"{ours.links.num_rows:,} patient records"
    yield Figure(f"{records}: who is one human, all anew", "seconds of CPU, one run", ours.full.cpu, PEER, peer)
    yield Figure(f"{records} and 1 % more", "seconds of CPU, one run", ours.increment.cpu, f"{PEER}, all again", peer)
    yield Figure(f"{records}: one wrong merge undone", "seconds of CPU, one run", ours.undoing.cpu, f"{PEER}, all again", peer)
    told, plain = score(folder, ours.links, ours.review), score(folder, found[0], ours.review)
    for what, measure in (("linked pairs that are one human", "precision"), ("pairs of one human that are linked, nobody asked", "recall")):
        yield Figure(f"{records}: {what}", "of 100,000", 1e5 * told[measure], PEER, 1e5 * plain[measure])
