"""Memory is bounded by what is worked on at once, not by the payload: large files from landing to raw tables in a process of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PROJECT

# A process that only has the product's modules loaded needs some 200 MB.
BOUND = 1000


def _taken(kind: str, megabytes: int, folder: Path) -> dict[str, int]:
    words = [sys.executable, "-m", "tests.integration.large_payload", kind, str(megabytes), str(folder)]
    ended = subprocess.run(words, cwd=PROJECT, check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr[-2000:]
    found: dict[str, int] = json.loads(ended.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_a_file_of_160_megabytes_takes_less_than_a_gigabyte(kind: str, tmp_path: Path) -> None:
    """Landed, counted, decoded and loaded, a file that would take more if it were held stays below the bound, and no unit is lost."""
    found = _taken(kind, 160, tmp_path)
    assert found["after"] < BOUND
    assert found["received_units"] == found["units"] > 10_000


@pytest.mark.soak
@pytest.mark.parametrize(("kind", "megabytes"), [("csv", 5000), ("ndjson", 2000), ("changes", 2000), ("hl7", 1000)])
def test_a_file_of_gigabytes_takes_no_more(kind: str, megabytes: int, tmp_path: Path) -> None:
    """The true sizes stay below the same bound."""
    found = _taken(kind, megabytes, tmp_path)
    assert found["after"] < BOUND
    assert found["received_units"] == found["units"] > 10_000
