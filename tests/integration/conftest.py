"""Fixtures of the integration tests: an empty data root with the product's own stores."""

from __future__ import annotations

from pathlib import Path

import pytest

from assets.stores.duckdb_warehouse import DuckDBStore
from assets.stores.keys import Keys, open_keys
from assets.stores.landing import LandingStore


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    """Keys of a new root."""
    return open_keys(tmp_path)


@pytest.fixture
def landing(tmp_path: Path, keys: Keys) -> LandingStore:
    """An empty landing folder."""
    return LandingStore(tmp_path, keys)


@pytest.fixture
def warehouse_store(tmp_path: Path, keys: Keys) -> DuckDBStore:
    """A warehouse that does not exist yet."""
    return DuckDBStore(tmp_path, keys, wait_seconds=0.3)
