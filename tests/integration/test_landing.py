"""Landing keeps its promises in a folder and in a bucket alike: bytes given back, sealed, never changed, every arrival once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from assets.stores.control import begin_run, create_control
from assets.stores.keys import Keys, open_keys
from assets.stores.landing import LandingStore
from assets.stores.objects import FolderObjects, ObjectStore
from assets.stores.raw import RawLoader, create_raw
from orchestration.opening import open_root
from orchestration.settings import Settings
from tests.integration.conftest import Bucket
from transforms.errors import ConfigurationError, PayloadError
from transforms.landing.delivery import Delivery

DAY = date(2026, 1, 5)
NOW = datetime(2026, 1, 6, 3, tzinfo=UTC)
CANARY = b"MSH|^~\\&|CANARY-QUILLFEATHER"


@pytest.fixture
def landing(objects: ObjectStore, keys: Keys) -> LandingStore:
    """Landing over an empty store."""
    return LandingStore(objects, keys)


@dataclass(frozen=True)
class Failing:
    """A store whose process dies where a name begins with `at`: before the bytes are kept, or after it."""

    objects: ObjectStore
    at: str
    is_kept: bool

    def add(self, name: str, content: bytes) -> bool:
        """Keep bytes under a new name, unless it is the one."""
        if name.startswith(self.at):
            if self.is_kept:
                self.objects.add(name, content)
            raise KeyboardInterrupt
        return self.objects.add(name, content)

    def add_blocks(self, name: str, blocks: Iterable[bytes]) -> bool:
        """Keep blocks under a new name, unless it is the one."""
        return self.add(name, b"".join(blocks))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.objects, name)


def land(landing: LandingStore, content: bytes = CANARY, token: str | None = None) -> Delivery:
    """Land a file of one feed."""
    return landing.land(content, facility_id="riverside", source="bulk", batch_date=DAY, original_name="QUILLFEATHER.hl7",
                        received_time=NOW, token=token)


def test_payload_is_kept_and_given_back(landing: LandingStore) -> None:
    """What was landed is read back byte for byte under its SHA-256."""
    assert landing.read(land(landing).payload_id) == CANARY


def test_nothing_landed_lies_in_the_clear(landing: LandingStore) -> None:
    """Neither content nor the sender's file name is found in any object or object name."""
    land(landing)
    names = landing.objects.names()
    assert len(names) == 2
    for name in names:
        assert b"QUILLFEATHER" not in (landing.objects.get(name) or b"")
        assert "QUILLFEATHER" not in name


def test_same_file_twice_is_two_deliveries(landing: LandingStore) -> None:
    """A completed landing is a delivery, even of bytes that are known, which are kept once."""
    first, second = land(landing), land(landing)
    assert first.payload_id == second.payload_id
    assert [first.ordinal, second.ordinal] == [1, 2]
    assert {one.delivery_id for one in landing.deliveries("riverside", DAY)} == {first.delivery_id, second.delivery_id}
    assert len(landing.objects.names("payload/")) == 1


def test_repeated_token_is_the_same_delivery(landing: LandingStore) -> None:
    """A source that repeats itself with its token delivers once."""
    assert land(landing, token="v1").delivery_id == land(landing, token="v1").delivery_id
    assert len(landing.deliveries("riverside", DAY)) == 1


def test_partitions_and_deliveries_come_in_the_order_of_their_names(landing: LandingStore) -> None:
    """Walking the landing gives the same order whatever order the files arrived in."""
    for facility, day in (("summit", DAY), ("lakeside", DAY + timedelta(days=1)), ("lakeside", DAY)):
        for content in (b"two", b"one"):
            landing.land(content, facility_id=facility, source="adt", batch_date=day, original_name="f", received_time=NOW)
    found = list(landing.partitions())
    assert [(facility, day) for facility, day, _ in found] == [("lakeside", DAY), ("lakeside", DAY + timedelta(days=1)), ("summit", DAY)]
    for facility, day, ids in found:
        assert list(ids) == sorted(ids)
        assert [one.delivery_id for one in landing.deliveries(facility, day)] == list(ids)


@pytest.mark.parametrize(("at", "is_kept", "delivered"), [
    ("payload/", False, 1), ("payload/", True, 1), ("delivery/", False, 1), ("delivery/", True, 2),
])
def test_crash_loses_nothing_that_was_told(objects: ObjectStore, keys: Keys, at: str, is_kept: bool, delivered: int) -> None:
    """A process that dies while landing leaves a landing that can be read, and the file landed again is there with its bytes."""
    with pytest.raises(KeyboardInterrupt):
        land(LandingStore(Failing(objects, at, is_kept), keys))
    landing = LandingStore(objects, keys)
    assert land(landing) in landing.deliveries("riverside", DAY)
    assert len(landing.deliveries("riverside", DAY)) == delivered
    assert {landing.read(one.payload_id) for one in landing.deliveries("riverside", DAY)} == {CANARY}


def test_second_writer_of_an_ordinal_counts_again(objects: ObjectStore, keys: Keys) -> None:
    """Two processes that land the same file at once make two deliveries: the one that comes second takes the next ordinal."""
    landing = LandingStore(objects, keys)

    @dataclass(frozen=True)
    class Late:
        """Lets another process land between the counting and the writing, once."""

        raced: list[Delivery]

        def add(self, name: str, content: bytes) -> bool:
            if name.startswith("delivery/") and not self.raced:
                self.raced.append(land(landing))
            return objects.add(name, content)

        def __getattr__(self, name: str) -> Any:
            return getattr(objects, name)

    raced: list[Delivery] = []
    assert land(LandingStore(Late(raced), keys)).ordinal == 2
    assert [one.ordinal for one in raced] == [1]
    assert len(landing.deliveries("riverside", DAY)) == 2


def test_altered_payload_is_refused(landing: LandingStore) -> None:
    """A bit that flips in a sealed payload is noticed and named, whoever flipped it."""
    delivery = land(landing)
    name = landing.objects.names("payload/")[0]
    content = bytearray(landing.objects.get(name) or b"")
    content[-20] ^= 1
    landing.objects.replace(name, bytes(content))
    with pytest.raises(PayloadError, match="altered"):
        landing.read(delivery.payload_id)


def test_exchanged_payload_is_refused(landing: LandingStore) -> None:
    """A payload's file in another's place is whole and sealed by the right key, and is noticed all the same."""
    one, other = land(landing), land(landing, b"MSH|another")
    names = {name.rpartition("/")[2]: name for name in landing.objects.names("payload/")}
    landing.objects.replace(names[one.payload_id], landing.objects.get(names[other.payload_id]) or b"")
    with pytest.raises(PayloadError, match="altered"):
        landing.read(one.payload_id)


def test_missing_payload_is_named(landing: LandingStore) -> None:
    """A payload that is not there is named by its SHA-256, with the remedy."""
    with pytest.raises(PayloadError, match=f"payload {'0' * 64}.*missing.*Remedy"):
        landing.read("0" * 64)


def test_wrong_key_opens_nothing_and_changes_nothing(objects: ObjectStore, keys: Keys, tmp_path: Path) -> None:
    """Another key is refused before anything is opened."""
    land(LandingStore(objects, keys))
    before = {name: objects.get(name) for name in objects.names()}
    with pytest.raises(ConfigurationError, match="not the key of this root"):
        open_keys(tmp_path, "11" * 32)
    assert {name: objects.get(name) for name in objects.names()} == before


def test_locked_payload_outlives_whoever_would_delete_it(bucket: Bucket, keys: Keys) -> None:
    """With object lock no version of a payload can be deleted, and an overwritten one is still there below."""
    landing = LandingStore(bucket.objects(lock_days=1), keys)
    delivery = land(landing)
    key = f"{bucket.prefix}{landing.objects.names('payload/')[0]}"
    version = bucket.client.head_object(Bucket=bucket.name, Key=key)["VersionId"]
    with pytest.raises(ClientError, match="AccessDenied"):
        bucket.client.delete_object(Bucket=bucket.name, Key=key, VersionId=version)
    bucket.client.put_object(Bucket=bucket.name, Key=key, Body=b"other", ChecksumAlgorithm="SHA256")
    with pytest.raises(PayloadError):
        landing.read(delivery.payload_id)
    kept = bucket.client.get_object(Bucket=bucket.name, Key=key, VersionId=version)
    assert kept["ObjectLockMode"] == "COMPLIANCE"
    assert kept["ObjectLockRetainUntilDate"] > datetime.now(UTC) + timedelta(hours=23)


def test_bucket_of_the_settings_is_the_landing(bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`LAKEHOUSE_LANDING=s3://bucket/prefix` moves landing there and leaves no payload in the root's folder."""
    monkeypatch.setenv("LAKEHOUSE_LANDING", f"s3://{bucket.name}/{bucket.prefix}")
    monkeypatch.setenv("LAKEHOUSE_S3_ENDPOINT", bucket.endpoint)
    root = open_root(Settings(home=tmp_path))
    assert root.landing.read(land(root.landing).payload_id) == CANARY
    assert len(bucket.objects().names("payload/")) == 1
    assert not (tmp_path / "landing").exists()


def test_raw_files_are_kept_in_the_bucket_and_nowhere_else(bucket: Bucket, keys: Keys, tmp_path: Path) -> None:
    """A run's Parquet files go to the bucket before they are loaded, sealed, and none stays on the disk."""
    root = open_root(Settings(home=tmp_path))
    landing, kept = LandingStore(FolderObjects(tmp_path / "landing"), keys), bucket.objects()
    land(landing)
    with root.warehouse.open() as warehouse:
        create_control(warehouse)
        create_raw(warehouse)
        begin_run(warehouse, "r1", [("riverside", DAY)])
    RawLoader(tmp_path, keys, landing, root.registry, kept).replace(root.warehouse.open, "r1", [("riverside", DAY)])
    names = kept.names()
    assert "raw_delivery/r1-0000.parquet" in names
    assert all((kept.get(name) or b"")[:4] == b"PARE" for name in names)  # encrypted footer
    assert list((tmp_path / "raw").rglob("*.parquet")) == []
    with root.warehouse.open(read_only=True) as warehouse:
        assert warehouse.query("select count(*) as n from LAKE.raw.raw_delivery").to_pylist() == [{"n": 1}]
        assert {row["name"] for row in warehouse.query(
            "select distinct raw_table || '/' || file_name as name from LAKE.control.raw_file").to_pylist()} == set(names)
