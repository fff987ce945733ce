"""What identity costs on one generated population: a full run, an increment of 1 % and one undoing, and plain Splink on the same records.

    python tests/identity_bench/speed.py --folder DIR --who product --out FILE
    python tests/identity_bench/speed.py --folder DIR --who peer --out FILE

Each is a process, so that its peak of memory is its own; the peer reads the features that the product left in the folder.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from assets.stores.identity import Settings  # noqa: E402 - the project is found by its place
from assets.stores.identity_file import scratch_identity  # noqa: E402
from orchestration.opening import dbt_runner  # noqa: E402
from orchestration.settings import load_settings  # noqa: E402
from tests.identity_bench.measures import Measures, batch_file, score  # noqa: E402
from tests.identity_bench.plain_splink import COLUMNS, plain_splink  # noqa: E402
from tests.identity_bench.wrong_merges import merge, part  # noqa: E402
from transforms.identity.model import load_model  # noqa: E402
from transforms.identity.policy_file import load_policy  # noqa: E402

# a run over so few records imports dbt and Splink, which is no part of a figure
FEW = 50


@dataclass(frozen=True)
class Spent:
    """What a step took: seconds on the clock, seconds of processor, and the process's peak of memory so far, in GiB."""

    seconds: float
    cpu: float
    gib: float


@dataclass(frozen=True)
class Product:
    """The product's steps, and after the full run its links, its questions and the features (COLUMNS)."""

    full: Spent
    increment: Spent
    undoing: Spent
    links: pa.Table
    review: pa.Table
    features: pa.Table


def spent(work: Callable[[], object]) -> Spent:
    """Do something and say what it took."""
    begun, cpu = time.monotonic(), time.process_time()
    work()
    return Spent(time.monotonic() - begun, time.process_time() - cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)


def measure_product(folder: Path, policy: str = "strict") -> Product:
    """Resolve the population of a folder, then its batch; then merge one pair wrongly and undo it."""
    dbt = dbt_runner(load_settings(), "local")
    dbt.prepare()
    settings = Settings(load_model(), load_policy(policy), salt="bench")
    batch = batch_file(folder)
    with scratch_identity(dbt, settings) as scratch, tempfile.TemporaryDirectory() as few:
        pq.write_table(pq.read_table(batch).slice(0, FEW), Path(few) / "few.parquet")
        scratch.add(Path(few) / "few.parquet")
        scratch.resolve()
    with scratch_identity(dbt, settings) as scratch:
        full = spent(lambda: (scratch.add(folder / "records.parquet"), scratch.resolve()))
        links, review = scratch.links(), scratch.review()
        with scratch.store.open(read_only=True) as warehouse:
            features = warehouse.query(f"select {', '.join(COLUMNS)} from identity.patient_features order by patient_key")
        increment = spent(lambda: (scratch.add(batch), scratch.resolve(everything=False)))
        pair = next(zip(review["record_id_l"].to_pylist(), review["record_id_r"].to_pylist(), strict=True))
        merge(scratch, [pair])
        scratch.resolve(everything=False)
        part(scratch, [pair])
        undoing = spent(lambda: scratch.resolve(everything=False))
    return Product(full, increment, undoing, links, review, features)


def peer_links(features: pa.Table, kind: pa.DataType) -> pa.Table:
    """Give plain Splink's persons by the records' own ids: record_id, person_id."""
    with tempfile.TemporaryDirectory() as spill:
        found = plain_splink(features, Path(spill))
    return pa.table({"record_id": found["patient_key"].cast(kind), "person_id": found["person_id"]})


def _product(folder: Path) -> Measures:
    found = measure_product(folder)
    pq.write_table(found.features, folder / "features.parquet")
    return {step: asdict(getattr(found, step)) for step in ("full", "increment", "undoing")} | _right(folder, found.links, found.review)


def _peer(folder: Path) -> Measures:
    features, found = pq.read_table(folder / "features.parquet"), []
    kind = pq.read_schema(folder / "records.parquet").field("record_id").type
    full = spent(lambda: found.append(peer_links(features, kind)))
    nobody_asked = pa.table({"record_id_l": pa.array([], kind), "record_id_r": pa.array([], kind), "zone": pa.array([], pa.string())})
    return {"full": asdict(full)} | _right(folder, found[0], nobody_asked)


def _right(folder: Path, links: pa.Table, review: pa.Table) -> Measures:
    told = score(folder, links, review)
    return {name: told[name] for name in ("records", "precision", "recall", "over_merged_people")}


def main() -> None:
    """Measure one of the two and write the result."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--folder", type=Path, required=True)
    asked.add_argument("--who", choices=["product", "peer"], required=True)
    asked.add_argument("--out", type=Path, required=True)
    said = asked.parse_args()
    said.out.write_text(json.dumps((_product if said.who == "product" else _peer)(said.folder)))


if __name__ == "__main__":
    main()
