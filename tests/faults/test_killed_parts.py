"""Each store, killed beside each of its writes and asked again, holds what it holds undisturbed: nothing lost, nothing twice."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.bucket_server import CREDENTIALS, bucket_server
from tests.conftest import PROJECT
from tests.faults.killed_parts import PARTS

# What is reached inside dbt's steps and between them is in `test_crash_anywhere`.
POINTS = {
    "landing": ("landing.part", "landing.payload", "landing.delivery", "landing.logged", "catalog.writing", "catalog.written"),
    "raw": ("raw.file", "raw.files", "raw.loading", "raw.loaded"), "gate": ("gate.deciding",), "mart": ("mart.publishing",),
    "identity": ("identity.writing",),
    # Beside the writes that a bucket takes; the others are those above.
    "landing in a bucket": ("landing.payload", "landing.delivery", "landing.logged"), "raw in a bucket": ("raw.file", "raw.files", "raw.loading"),
}
Case = tuple[str, str | None, bool]
KILLED = [(part, point) for part, points in POINTS.items() for point in points]
# Points inside a transaction; what a part that died there left, and what one left that did not act.
INSIDE = (("raw", "raw.loading"), ("raw in a bucket", "raw.loading"), ("gate", "gate.deciding"), ("mart", "mart.publishing"), ("identity", "identity.writing"))
LOADED: Case = ("raw in a bucket", "raw.loaded", False)


@pytest.fixture(scope="module")
def bucket() -> Iterator[None]:
    """An S3 server for the parts in a bucket; it outlives whoever writes to it."""
    with bucket_server() as endpoint, pytest.MonkeyPatch.context() as patched:
        for name, value in {**CREDENTIALS, "LAKEHOUSE_S3_ENDPOINT": endpoint}.items():
            patched.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory, bucket: None) -> Mapping[Case, Path]:
    """Where each part acted: once for each point, once undisturbed, once only until it died, once not at all. One process makes all children."""
    cases: list[Case] = [*((part, point, True) for part, point in KILLED), *((part, None, True) for part in PARTS),
                         *((part, point, False) for part, point in INSIDE), *((part, None, False) for part, _ in INSIDE), LOADED]
    made = {case: tmp_path_factory.mktemp(case[0].replace(" ", "-")) for case in cases}
    job = json.dumps([(part, str(made[part, point, again]), point, again) for part, point, again in cases])
    done = subprocess.run([sys.executable, "-m", "tests.faults.killed_parts"], cwd=PROJECT, input=job, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr[-3000:]
    ends = dict(zip(cases, json.loads(done.stdout.splitlines()[-1]), strict=True))
    wrong = {case: end for case, end in ends.items() if end != ["lived", *["killed"] * bool(case[1]), *["lived"] * case[2]]}
    assert wrong == {}, done.stderr[-3000:]
    return made


@pytest.mark.parametrize(("part", "point"), KILLED)
def test_killed_and_asked_again(folders: Mapping[Case, Path], part: str, point: str) -> None:
    """Killed at the point and asked again, the part left what it leaves undisturbed."""
    assert PARTS[part].left(folders[part, point, True]) == PARTS[part].left(folders[part, None, True])


@pytest.mark.parametrize(("part", "point"), INSIDE)
def test_killed_inside_a_transaction(folders: Mapping[Case, Path], part: str, point: str) -> None:
    """Killed within a transaction, and before it is asked again, the part left what was there: all or nothing."""
    assert PARTS[part].left(folders[part, point, False]) == PARTS[part].left(folders[part, None, False])


def test_a_file_that_the_warehouse_names_is_in_the_bucket(folders: Mapping[Case, Path]) -> None:
    """Killed as soon as its load is committed, a run has its raw files in the bucket already."""
    left = PARTS["raw in a bucket"].left(folders[LOADED])
    assert len(left["raw_unit"]) == 2
    assert left["named files that are not kept"] == []


def test_undisturbed_parts_leave_something(folders: Mapping[Case, Path]) -> None:
    """What is compared is there: deliveries and their entries, raw rows, verdicts and a hold, a published slice, persons."""
    for place in ("", " in a bucket"):
        names, logged, shown, _, unfinished = PARTS["landing" + place].left(folders["landing" + place, None, True])
        assert names == logged == shown
        assert len(names) == 2
        assert unfinished == []
        assert {table: len(rows) for table, rows in PARTS["raw" + place].left(folders["raw" + place, None, True]).items()} == {
            "raw_delivery": 2, "raw_unit": 2, "raw_hl7v2__pid": 2, "named files that are not kept": 0}
    assert [len(rows) for rows in PARTS["gate"].left(folders["gate", None, True])] == [2, 1, 1]
    assert [row[4] for row in PARTS["mart"].left(folders["mart", None, True])[0]] == [2]
    assert PARTS["identity"].left(folders["identity", None, True])[0] == [(["a", "b"], 2), (["c"], 1)]
