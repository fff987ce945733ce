"""What a whole process spends: wall time, CPU time and peak memory, its children included."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.conftest import PROJECT


@dataclass(frozen=True)
class Spent:
    """Seconds of wall and CPU time, and the highest resident memory in MB."""

    wall: float
    cpu: float
    peak: float


def spend(words: Sequence[str], environment: Mapping[str, str]) -> Spent:
    """Run a command to its end in the project's folder. Raises CalledProcessError where it fails."""
    began = time.perf_counter()
    process = subprocess.Popen(words, cwd=PROJECT, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(words))
    return Spent(time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
