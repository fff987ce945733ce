"""What landing stands on, a folder or a bucket: a name is written once and whole, and what dead writers left goes."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from assets.stores import objects as objects_module
from assets.stores.durable import UNFINISHED, remove_earlier_parts, write_temporary
from assets.stores.objects import FolderObjects, ObjectStore
from orchestration.opening import bucket_objects
from orchestration.settings import Settings
from tests.integration.conftest import Bucket
from transforms.errors import ConfigurationError, UnavailableError


def test_name_that_is_taken_stays_as_it_is(objects: ObjectStore) -> None:
    """A second writer of a name is told so and changes nothing; a replacement is asked for by name."""
    assert objects.add("a/b", b"first")
    assert not objects.add("a/b", b"second")
    assert objects.get("a/b") == b"first"
    objects.replace("a/c", b"one")
    objects.replace("a/c", b"two")
    assert objects.get("a/c") == b"two"
    assert objects.names("a/") == ["a/b", "a/c"]
    assert objects.get("a/d") is None


def test_name_that_is_taken_while_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two writers who both saw that a name was free, the one that comes second is told so and changes nothing."""
    store, write, raced = FolderObjects(tmp_path), objects_module.write_temporary, []

    def late(root: Path, blocks: Iterable[bytes]) -> Any:
        if not raced:
            raced.append(True)
            assert store.add("a/b", b"first")
        return write(root, blocks)

    monkeypatch.setattr(objects_module, "write_temporary", late)
    assert not store.add("a/b", b"second")
    assert store.get("a/b") == b"first"


def test_what_writers_of_earlier_versions_left_is_removed_after_a_day(tmp_path: Path) -> None:
    """They left it beside its target: it goes where nobody has written to it for a day; payloads and other hidden files stay."""
    store, now = FolderObjects(tmp_path), datetime(2026, 1, 6, 3, tzinfo=UTC).timestamp()
    store.add("payloads/ab/abcd", b"kept")
    old, young, other = (tmp_path / "payloads" / "ab" / name for name in (".abcd.0123cdef.part", ".abcd.89abcdef.part", ".abcd.part"))
    for path, age in ((old, 90_000), (young, 3_600), (other, 90_000)):
        path.write_bytes(b"left")
        os.utime(path, (now - age, now - age))
    remove_earlier_parts(tmp_path, now)
    assert [path.exists() for path in (old, young, other)] == [False, True, True]
    assert store.names() == ["payloads/ab/abcd"]


def test_what_a_dead_writer_left_is_removed_and_a_living_ones_is_not(tmp_path: Path) -> None:
    """The next write removes unfinished files that nobody holds, whichever name they were for; one that is being written stays and is kept."""
    store, folder = FolderObjects(tmp_path), tmp_path / UNFINISHED
    with write_temporary(tmp_path, [b"living"]) as living:
        (folder / "left").write_bytes(b"dead")
        assert store.add("a/b", b"next")
        assert set(folder.iterdir()) == {living}
        assert living.read_bytes() == b"living"
    assert set(folder.iterdir()) == set()
    assert store.names() == ["a/b"]


def test_a_writer_whose_file_was_taken_for_abandoned_begins_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between making its file and locking it a writer is not known to live: a file that was removed meanwhile is not the one that it writes."""
    lock, raced = fcntl.flock, list[Path]()

    def late(file: Any, how: int) -> None:
        if not raced:
            raced.append(Path(file.name))
            assert FolderObjects(tmp_path).add("a/other", b"other")
            assert not raced[0].exists()
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", late)
    assert FolderObjects(tmp_path).add("a/b", b"kept")
    assert FolderObjects(tmp_path).get("a/b") == b"kept"


@pytest.mark.parametrize("place", ["bucket/prefix", "s3://", "file:///tmp"])
def test_place_that_is_no_bucket_is_refused(place: str) -> None:
    """A landing that is no `s3://bucket/prefix` is refused with the setting and the remedy, and what stood there is not repeated."""
    with pytest.raises(ConfigurationError, match=r"^LAKEHOUSE_LANDING: no bucket\. Remedy: s3://bucket/prefix, or unset it for the root's own folder\.$"):
        bucket_objects(Settings(), place, "LAKEHOUSE_LANDING")


def test_wrong_bucket_is_the_operators_and_a_silent_service_is_nobodys(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bucket that does not exist ends with exit code 2, a service that does not answer with 3."""
    with pytest.raises(ConfigurationError, match="NoSuchBucket"):
        bucket.objects(name="nobodys").get("a")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    silent = bucket_objects(Settings(s3_endpoint="http://127.0.0.1:9", s3_region="us-east-1"), "s3://lake", "LAKEHOUSE_LANDING")
    assert silent is not None
    with pytest.raises(UnavailableError, match="does not answer"):
        silent.get("a")
