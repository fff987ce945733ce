"""Fixtures of the integration tests: an empty data root with the product's own stores, buckets of an S3 server, a warehouse before the gate."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from assets.stores.duckdb_warehouse import DuckDBStore
from assets.stores.keys import Keys, open_keys
from assets.stores.objects import FolderObjects, ObjectStore
from assets.stores.s3_objects import S3Objects
from tests.bucket_server import BUCKET, CREDENTIALS, bucket_server
from tests.integration.gate_world import GateWorld


@dataclass(frozen=True)
class Bucket:
    """A bucket with object lock, and a prefix in it that a test has for itself."""

    endpoint: str
    client: Any
    prefix: str
    name: str = BUCKET

    def objects(self, lock_days: int = 0, name: str = BUCKET) -> S3Objects:
        """The product's store of the prefix."""
        return S3Objects(self.client, name, self.prefix, lock_days=lock_days)


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    """Keys of a new root."""
    return open_keys(tmp_path)


@pytest.fixture
def warehouse_store(tmp_path: Path, keys: Keys) -> DuckDBStore:
    """A warehouse that does not exist yet."""
    return DuckDBStore(tmp_path, keys, wait_seconds=0.3)


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """Address of an S3 server in this process."""
    with bucket_server() as endpoint:
        yield endpoint


@pytest.fixture
def bucket(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """A prefix of the bucket, and the credentials that the server takes, where AWS's own tools look for them."""
    from dagster_aws.s3 import S3Resource

    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    return Bucket(s3_endpoint, S3Resource(endpoint_url=s3_endpoint).get_client(), f"{uuid4().hex}/")


@pytest.fixture(params=["folder", "bucket"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """An empty store of each kind."""
    if request.param == "folder":
        return FolderObjects(tmp_path / "landing")
    found: Bucket = request.getfixturevalue("bucket")
    return found.objects(lock_days=1)


@pytest.fixture(scope="session")
def gate_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two facilities, each with a patient, one delivery and rows of some resources, all in order."""
    path = tmp_path_factory.mktemp("gate") / "LAKE.duckdb"
    made = GateWorld(path)
    for facility in ("north", "south"):
        made.admit(facility)
        made.deliver(facility, units=3)
        for resource in ("patient", "encounter", "observation"):
            made.say(resource, facility, rows=2)
    made.connection.close()
    return path


@pytest.fixture
def world(gate_file: Path, tmp_path: Path) -> Iterator[GateWorld]:
    """A copy of that warehouse, for tests of the gate."""
    path = Path(shutil.copy(gate_file, tmp_path))
    opened = GateWorld(path)
    yield opened
    opened.connection.close()
