"""Runs that are killed at named points, in children of one process that has imported everything: `python -m tests.faults.killed_runs`.

Reads a job as JSON from standard input: home, facilities, build, feeds, and `points`, each of which is one life of the same data root:
land every file, materialize every partition, die at the point; null lives to the end. Writes each life's end as JSON. This process
itself opens nothing, so that a child begins as a new process would.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from assets.stores import crash_points
from orchestration.landing import arrivals_of_network, land_arrivals
from orchestration.materialize import materialize
from orchestration.preparing import prepare_root
from orchestration.settings import Settings
from tests.pipeline_runs import RECEIVED, landed_partitions

KILLED, LIVED = "killed", "lived"


def live(job: dict[str, Any]) -> None:
    """Land and materialize once. Landing names each file by a token, as a source does that sends again what may have been lost."""
    settings = Settings(home=Path(job["home"]), facilities=Path(job["facilities"]), build=Path(job["build"]))
    root = prepare_root(settings)
    arrivals = [replace(one, token="/".join(one.path.parts[-4:])) for one in arrivals_of_network(Path(job["feeds"]))]
    land_arrivals(root, arrivals, RECEIVED)
    for result in materialize(root, settings, landed_partitions(root)):
        if result.problem is not None:
            raise result.problem


def one_life(job: dict[str, Any], point: str | float | None) -> str:
    """Live in a child that dies at a point, or after so many seconds; gives how it ended."""
    child = os.fork()
    if child == 0:
        if isinstance(point, str):
            crash_points.arm(point)
        code = 1
        try:
            live(job)
            code = 0
        finally:
            # Without Python's farewell, which would run the parent's.
            os._exit(code)
    if isinstance(point, float):
        time.sleep(point)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return KILLED
    return LIVED if os.WEXITSTATUS(status) == 0 else f"failed with {os.WEXITSTATUS(status)}"


if __name__ == "__main__":
    wanted = json.load(sys.stdin)
    sys.stdout.write(json.dumps([one_life(wanted, point) for point in wanted["points"]]) + "\n")
