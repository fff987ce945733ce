"""What one generated population shows of one policy: resolved as the product does, scored against the truth, grown and undone.

    python tests/identity_bench/measures.py --folder DIR --policy strict [--extended] --out FILE

One population and policy is one process, so that its peak of memory is its own. `--extended` adds the increment, its comparison with a full
run and the undoing of wrong merges. What was measured under the same policy, model and extent is not measured again.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from assets.stores.identity import Settings  # noqa: E402 - the project is found by its place
from assets.stores.identity_file import ScratchIdentity, scratch_identity  # noqa: E402
from orchestration.opening import dbt_runner  # noqa: E402
from orchestration.settings import load_settings  # noqa: E402
from tests.identity_bench.wrong_merges import undo_wrong_merges  # noqa: E402
from transforms.identity.model import load_model  # noqa: E402
from transforms.identity.policy_file import load_policy  # noqa: E402

# one wrong merge for so many records: more of them would chain strangers together
RECORDS_PER_WRONG_MERGE = 500
Measures = dict[str, Any]


def run(script: str, *arguments: str) -> None:
    """Run a script of this folder; its output is shown only where it fails."""
    done = subprocess.run([sys.executable, str(HERE / script), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{script}: {done.stderr[-2000:]}")


def score(folder: Path, links: pa.Table, review: pa.Table, compare: pa.Table | None = None, batch: bool = False) -> Measures:
    """Score links against the truth of a folder; `compare`: other links; `batch`: the records of the increment are among them."""
    pq.write_table(links, folder / "links.parquet")
    pq.write_table(review, folder / "review.parquet")
    extra = ["--include-batch"] if batch else []
    if compare is not None:
        pq.write_table(compare, folder / "compare.parquet")
        extra += ["--compare", str(folder / "compare.parquet")]
    run("score.py", "--truth", str(folder / "truth.parquet"), "--links", str(folder / "links.parquet"), "--review",
        str(folder / "review.parquet"), "--out", str(folder / "score.json"), *extra)
    found: Measures = json.loads((folder / "score.json").read_text())
    return found


def measure(folder: Path, policy: str, extended: bool, seed: int) -> Measures:
    """Resolve and score a population; keys of the result: score, seconds, cpu, gib and, extended, increment, differing, wrong_merges,
    restored, undoing.
    """
    settings = Settings(load_model(), load_policy(policy), salt="bench")
    dbt = dbt_runner(load_settings(), "local")
    dbt.prepare()
    with scratch_identity(dbt, settings) as scratch:
        begun, cpu = time.monotonic(), time.process_time()
        scratch.add(folder / "records.parquet")
        scratch.resolve()
        found: Measures = {"seconds": time.monotonic() - begun, "cpu": time.process_time() - cpu,
                           "gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
                           "score": score(folder, scratch.links(), scratch.review())}
        return found | _extended(scratch, folder, seed, found["seconds"]) if extended else found


def _extended(scratch: ScratchIdentity, folder: Path, seed: int, full_seconds: float) -> Measures:
    begun = time.monotonic()
    scratch.add(batch_file(folder))
    scratch.resolve(everything=False)
    increment = (time.monotonic() - begun) / full_seconds
    grown = scratch.links()
    scratch.resolve(everything=True)
    compared = score(folder, grown, scratch.review(), compare=scratch.links(), batch=True)["compare"]
    wrong, restored, undoing = undo_wrong_merges(scratch, folder, seed, grown.num_rows // RECORDS_PER_WRONG_MERGE)
    return {"increment": increment, "differing": compared["clusters_differing"], "wrong_merges": wrong, "restored": restored,
            "undoing": undoing}


def batch_file(folder: Path) -> Path:
    """Write the records held back for the increment and give their file."""
    events = pq.read_table(folder / "events.parquet")
    new = events.filter(pc.equal(events["event_type"], "new"))
    pq.write_table(new.select(pq.read_schema(folder / "records.parquet").names), folder / "batch.parquet")
    return folder / "batch.parquet"


def main() -> None:
    """Measure and write the result, unless the same was measured before."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--folder", type=Path, required=True)
    asked.add_argument("--policy", default="strict")
    asked.add_argument("--seed", type=int, required=True)
    asked.add_argument("--extended", action="store_true")
    asked.add_argument("--out", type=Path, required=True)
    said = asked.parse_args()
    versions = {"policy": load_policy(said.policy).version, "model": load_model().version, "extended": said.extended}
    if said.out.exists() and json.loads(said.out.read_text()).get("versions") == versions:
        return
    found = measure(said.folder, said.policy, said.extended, said.seed)
    said.out.write_text(json.dumps({"versions": versions, **found}))


if __name__ == "__main__":
    main()
