"""The generator on disk: layout, manifest, truth tables."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from orchestration.generate import GeneratedNetwork, generate


def _digest(root: Path) -> dict[str, str]:
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(root.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> GeneratedNetwork:
    """Sixty people, two days, seven facilities."""
    return generate(tmp_path_factory.mktemp("network") / "n", seed=3, people=60, days=2, facilities=7, start=date(2026, 1, 5))


def test_written_twice_is_written_alike(network: GeneratedNetwork, tmp_path: Path) -> None:
    """Feeds, truth, registry and manifest are the same bytes for the same arguments."""
    generate(tmp_path / "n", seed=3, people=60, days=2, facilities=7, start=date(2026, 1, 5))
    assert _digest(tmp_path / "n") == _digest(network.root)


def test_manifest_counts_what_is_there(network: GeneratedNetwork) -> None:
    """The manifest's counts are those of the files and of the truth's units."""
    manifest = json.loads((network.root / "manifest.json").read_text(encoding="utf-8"))
    files = [path for path in network.feeds.rglob("*") if path.is_file()]
    units = pq.read_table(network.truth / "units.parquet")
    assert (manifest["files"], manifest["bytes"]) == (len(files), sum(path.stat().st_size for path in files))
    assert manifest["units"] == units.num_rows == sum(manifest["outcomes"].values())


def test_layout_names_facility_source_and_date(network: GeneratedNetwork) -> None:
    """Feeds lie under facility, source and batch date; seven facilities, two of a second repeat of their style."""
    places = {path.relative_to(network.feeds).parts[:3] for path in network.feeds.rglob("*") if path.is_file()}
    assert {facility for facility, _, _ in places} == {
        "riverside", "lakeside", "summit", "harbor", "oldmill", "riverside_2", "lakeside_2"}
    assert {day for _, _, day in places} == {"2026-01-05", "2026-01-06"}


def test_an_existing_network_is_not_overwritten(network: GeneratedNetwork) -> None:
    """Generating into a directory that holds a network is refused."""
    with pytest.raises(FileExistsError):
        generate(network.root, people=1)
