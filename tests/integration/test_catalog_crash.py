"""The audit log under several writers and under kill -9: nothing forks, nothing is half there."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from lineage.audit_log import read_anchors
from lineage.audit_verify import verify

WRITER = """
import sys
from pathlib import Path
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from assets.stores.catalog import CatalogStore
from transforms.governance.events import Event
from transforms.governance.projection_rows import Projection

path, name, batches, size = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
store = CatalogStore(path, Ed25519PrivateKey.from_private_bytes(bytes(32)), path.parent / "anchors.jsonl")
for batch in range(batches):
    events = [Event("run.end", f"{name}:{batch}", {"run_seq": i, "state": "success"}) for i in range(size)]
    row = {"asset": name, "upstream": f"batch:{batch}"}
    store.record(events, [Projection("asset_edge", [row], {"asset": name})])
    print(batch, flush=True)
store.checkpoint()
"""


def start(path: Path, name: str, batches: int, size: int) -> subprocess.Popen[str]:
    """A writer process."""
    command = [sys.executable, "-c", WRITER, str(path), name, str(batches), str(size)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])


def test_four_writers_do_not_fork_the_log(tmp_path: Path) -> None:
    """Four processes that append at once lose no entry, and the tree is that of the entries."""
    path = tmp_path / "audit.sqlite"
    writers = [start(path, f"w{i}", 25, 12) for i in range(4)]
    for writer in writers:
        writer.communicate(timeout=60)
    assert [writer.returncode for writer in writers] == [0, 0, 0, 0]
    result = verify(path, read_anchors(tmp_path / "anchors.jsonl"))
    assert result.intact
    assert result.entries == 1 + 4 * 25 * 12


def test_kill_during_append(tmp_path: Path) -> None:
    """A writer killed at a random moment leaves whole batches only: what it reported is there, and the log verifies."""
    path = tmp_path / "audit.sqlite"
    chance = random.Random(7)
    reported = 0
    for attempt in range(5):
        writer = start(path, f"k{attempt}", 100_000, 7)
        assert writer.stdout is not None
        first = writer.stdout.readline()
        time.sleep(chance.uniform(0.0, 0.2))
        os.kill(writer.pid, signal.SIGKILL)
        rest, _ = writer.communicate(timeout=20)
        reported += 1 + len([line for line in rest.splitlines() if line]) if first else 0
        result = verify(path, read_anchors(tmp_path / "anchors.jsonl"))
        assert result.intact, result
        assert (result.entries - 1) % 7 == 0
        assert result.entries - 1 >= reported * 7
    with sqlite3.connect(path) as db:
        for asset, upstream in db.execute("select asset, upstream from asset_edge").fetchall():
            batches = {row[0] for row in db.execute("select subject from entry where subject glob ? || ':*'", (asset,))}
            last = int(upstream.split(":")[1])
            assert batches == {f"{asset}:{batch}" for batch in range(last + 1)}
    db.close()
