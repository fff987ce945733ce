"""A process killed beside any write loses nothing, doubles nothing, and leaves what an undisturbed run leaves."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from assets.stores.catalog_reading import read_catalog
from assets.stores.crash_points import POINTS
from lineage.audit_completeness import completeness
from lineage.audit_log import open_catalog, read_anchors
from lineage.audit_verify import verify
from orchestration.generate import generate
from tests.conftest import PROJECT
from tests.faults.killed_runs import KILLED, LIVED
from tests.whole_warehouse import differences, whole_warehouse

# One life after the other on one root: between landing and log, after commits that the catalog never heard of, inside a transaction.
CHAIN = ("landing.delivery", "raw.loaded", "current.recorded", "mart.publishing")


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few people at five facilities, which send every format, one day."""
    out = tmp_path_factory.mktemp("network")
    generate(out, seed=11, people=5, days=1, facilities=5, start=date(2026, 1, 5), progress=None)
    return out


@pytest.fixture(scope="module")
def lives(network: Path, open_test_root: Callable[..., Any]) -> Callable[..., Any]:
    """Lives of one root, given where each ends; gives the root when the last one has lived to its end."""

    def lived(home: Path, points: Sequence[str | float]) -> Any:
        root, settings = open_test_root(home, network / "facilities.yaml")
        job = {"home": str(home), "facilities": str(network / "facilities.yaml"), "build": str(settings.build),
               "feeds": str(network / "feeds"), "points": [*points, None]}
        done = subprocess.run([sys.executable, "-m", "tests.faults.killed_runs"], cwd=PROJECT, input=json.dumps(job), text=True,
                              capture_output=True)
        assert done.returncode == 0, done.stderr[-3000:]
        ends = json.loads(done.stdout.splitlines()[-1])
        expected = [{KILLED} if isinstance(point, str) else {KILLED, LIVED} for point in points]
        assert all(end in of for end, of in zip(ends, [*expected, {LIVED}], strict=True)), dict(zip(points, ends, strict=False))
        return root

    return lived


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, lives: Callable[..., Any]) -> Any:
    """The whole warehouse after one life that nothing disturbed."""
    return whole_warehouse(lives(tmp_path_factory.mktemp("undisturbed"), []))


def _assert_equal(root: Any, undisturbed: Any, network: Path) -> None:
    """Same rows everywhere, every file landed once, an audit log that is whole and holds all that the catalog shows."""
    assert differences(undisturbed, whole_warehouse(root)) == []
    files = sum(1 for path in (network / "feeds").rglob("*") if path.is_file())
    landed = read_catalog(root.home, "select count(*) as n, count(distinct json_extract(body, '$.body.delivery_id')) as deliveries "
                                     "from entry where kind = 'land'")
    assert landed == [{"n": files, "deliveries": files}]
    assert sum(len(names) for _, _, names in root.landing.partitions()) == files
    store = root.home / "catalog" / "audit.sqlite"
    found = verify(store, read_anchors(root.home / "catalog" / "anchors.jsonl"))
    assert found.intact, found
    with open_catalog(store) as connection:
        assert completeness(connection).ok


@pytest.mark.soak
def test_killed_again_and_again_the_answer_is_the_same(
    tmp_path: Path, lives: Callable[..., Any], undisturbed: Any, network: Path,
) -> None:
    """A root whose process was killed four times, each time further on, ends as one that nothing disturbed."""
    _assert_equal(lives(tmp_path / "root", CHAIN), undisturbed, network)


@pytest.mark.soak
@pytest.mark.parametrize("point", POINTS)
def test_killed_at_each_point(tmp_path: Path, lives: Callable[..., Any], undisturbed: Any, network: Path, point: str) -> None:
    """Killed at one named point and run again, a root is as one that nothing disturbed."""
    _assert_equal(lives(tmp_path / "root", [point]), undisturbed, network)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_killed_at_random_moments(tmp_path: Path, lives: Callable[..., Any], undisturbed: Any, network: Path, seed: int) -> None:
    """Killed three times at moments that nobody chose, a root is as one that nothing disturbed."""
    moments = random.Random(seed)
    _assert_equal(lives(tmp_path / "root", [moments.uniform(0.5, 12) for _ in range(3)]), undisturbed, network)


def test_every_point_is_in_the_code_once() -> None:
    """Each named point is reached at exactly one place, and each place reaches a named point; all stand in the document of faults."""
    code = "\n".join(path.read_text() for package in ("assets", "checks", "orchestration") for path in (PROJECT / package).rglob("*.py"))
    # The three groups of models reach theirs by name.
    reached = re.findall(r'reach\("([a-z.]+)"\)', code) + [f"{group}.built" for group in ("version", "current", "mart")]
    assert sorted(reached) == sorted(POINTS)
    assert [point for point in POINTS if f"`{point}`" not in (PROJECT / "docs" / "faults.md").read_text()] == []
