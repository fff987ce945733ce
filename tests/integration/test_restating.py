"""What counts as said otherwise, and what as behind: rows of a catalog store written by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from assets.restating import restatements
from assets.root import Root
from orchestration.behind import behind_partitions
from orchestration.opening import open_root
from orchestration.settings import Settings
from transforms.governance.projection_rows import Projection

REGISTRY = """\
registry_version: 1
first_batch_date: 2026-01-01
facilities:
- {facility_id: elm, valid_from: 2026-01-07, name: N, region: w, owner: n@x.example, timezone: America/Denver, charset: utf-8,
   source_system: epic, default_authority: A, authorities: {A: 'urn:oid:2.999.1'}, sources: {adt: {kind: hl7v2}}}
"""


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """A root without a warehouse, whose one facility has an entry from the seventh on."""
    (tmp_path / "facilities.yaml").write_text(REGISTRY)
    return open_root(Settings(home=tmp_path / "home", build=tmp_path / "build", facilities=tmp_path / "facilities.yaml"))


def written(day: int, **otherwise: str) -> dict[str, Any]:
    """A version table's materialization of a day: the first, but for what is said otherwise."""
    said = {"code_version": "c", "data_version": "v", "reading_rules": "r", "content_hash": "h", **otherwise}
    return {"asset": "canonical.patient_version", "layer": "canonical", "facility_id": "elm", "batch_date": date(2026, 1, day).isoformat(),
            "run_id": "r", "rows": 1, "time": datetime(2026, 1, 9, 12, tzinfo=UTC), **said}


@pytest.fixture
def standing(root: Root) -> Root:
    """The same root after a run over the sixth, before the entry's first day, and the eighth."""
    with root.catalog() as catalog:
        catalog.record((), [Projection("materialization", [written(6), written(8)], {})])
    return root


@pytest.mark.parametrize(("otherwise", "expected"), [
    ({"code_version": "d", "content_hash": "i"}, 1), ({"reading_rules": "s", "content_hash": "i"}, 1),
    # New files say it, not new rules; the same is said by other rules; rows that moved though nothing else did are a fault, not an edit.
    ({"code_version": "d", "content_hash": "i", "data_version": "w"}, 0), ({"code_version": "d"}, 0), ({"content_hash": "i"}, 0),
])
def test_only_other_rules_on_the_same_files_restate(standing: Root, otherwise: dict[str, str], expected: int) -> None:
    """Content that moved is a restatement where the files are the same and code or reading rules are not."""
    assert len(restatements(standing.home, [written(8, **otherwise)], "run")) == expected


def test_a_day_that_no_entry_reads_is_not_behind(standing: Root) -> None:
    """A run could not read a day before the first entry anew; the day after it is behind."""
    assert behind_partitions(standing) == [("elm", date(2026, 1, 8))]
