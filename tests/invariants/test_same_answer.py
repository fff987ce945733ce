"""The same answer always: re-running, any order of processing, any order of landing, everything delivered twice.

The warehouse that the others are compared with is made by Dagster's job; theirs by the same steps without it."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from orchestration.generate import generate
from tests.bucket_server import BUCKET, CREDENTIALS, bucket_server
from tests.pipeline_runs import land_network, landed_partitions, run
from tests.steps import run_steps
from tests.whole_warehouse import differences, whole_warehouse


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network small enough to be run many times."""
    out = tmp_path_factory.mktemp("small")
    generate(out, seed=11, people=24, days=3, facilities=5, start=date(2026, 1, 5), progress=None)
    return out


@pytest.fixture(scope="module")
def reference(small: Path, tmp_path_factory: pytest.TempPathFactory, open_test_root: Callable[..., Any]) -> Any:
    """A root that was run once, everything in one run."""
    root, settings = open_test_root(tmp_path_factory.mktemp("reference"), small / "facilities.yaml")
    land_network(root, small)
    run(root, settings, landed_partitions(root))
    return root, settings


def test_running_partitions_again_changes_nothing(reference: Any) -> None:
    """After some partitions and then all were run again, every table is what it was."""
    root, settings = reference
    before = whole_warehouse(root)
    partitions = landed_partitions(root)
    run(root, settings, partitions[:2])
    assert differences(before, whole_warehouse(root)) == []
    run(root, settings, partitions)
    assert differences(before, whole_warehouse(root)) == []


def test_processing_order_does_not_matter(reference: Any, small: Path, tmp_path: Path, open_built_root: Callable[..., Any]) -> None:
    """Partitions run one by one in a random order give the warehouse of one run over all."""
    root, _ = open_built_root(tmp_path, small / "facilities.yaml")
    land_network(root, small)
    partitions = landed_partitions(root)
    random.Random(5).shuffle(partitions)
    half = len(partitions) // 2
    # A single partition first, then the rest in two groups: as an engineer would.
    for number, scope in enumerate([partitions[:1], partitions[1:half], partitions[half:]]):
        run_steps(root, f"run-{number}", scope)
    assert differences(whole_warehouse(reference[0]), whole_warehouse(root)) == []


def test_landing_order_does_not_matter(
    reference: Any, small: Path, tmp_path: Path, open_built_root: Callable[..., Any], monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Everything landed in reverse order, in a bucket of S3 with its raw files beside it, gives the same rows."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with bucket_server() as endpoint:
        root, _ = open_built_root(tmp_path, small / "facilities.yaml", landing=f"s3://{BUCKET}/landing", raw=f"s3://{BUCKET}/raw",
                                  s3_endpoint=endpoint)
        land_network(root, small, reverse=True)
        run_steps(root, "only", landed_partitions(root))
        assert root.raw_objects.names()
    assert not (tmp_path / "landing").exists()
    assert differences(whole_warehouse(reference[0], without_arrival=True), whole_warehouse(root, without_arrival=True)) == []


def test_the_same_files_again_are_all_duplicates(small: Path, tmp_path: Path, open_built_root: Callable[..., Any]) -> None:
    """A second landing of every file makes each of its units a duplicate and changes what no current row and no mart says."""
    root, _ = open_built_root(tmp_path, small / "facilities.yaml")
    land_network(root, small, only=["lakeside", "harbor"])
    partitions = landed_partitions(root)
    run_steps(root, "first", partitions)
    before, first = whole_warehouse(root, without_arrival=True, without_provenance=True), _outcomes(root)
    land_network(root, small, only=["lakeside", "harbor"])
    run_steps(root, "second", partitions)
    after, second = whole_warehouse(root, without_arrival=True, without_provenance=True), _outcomes(root)
    kept = {name for name in before if name.startswith(("marts.", "identity.")) or _is_current(name)}
    assert differences({name: before[name] for name in kept}, {name: after[name] for name in kept}) == []
    units = sum(first.values())
    assert sum(second.values()) == 2 * units
    assert second["duplicate"] == first["duplicate"] + units


def _outcomes(root: Any) -> dict[str, int]:
    with root.warehouse.open(read_only=True) as warehouse:
        rows = warehouse.query("select outcome, count(*) as n from LAKE.canonical.unit_outcome group by outcome").to_pylist()
    return {row["outcome"]: row["n"] for row in rows}


def _is_current(table: str) -> bool:
    name = table.removeprefix("canonical.")
    return table.startswith("canonical.") and not name.endswith("_version") and not name.startswith(("unit", "ledger", "reconciliation"))
