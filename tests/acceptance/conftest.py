"""One small network, run once from bytes to marts, for all tests that only look."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline_runs import land_network, landed_partitions, run


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory, network: Path, open_test_root: Callable[..., Any]) -> Any:
    """The network's data root after one run over everything; do not change it."""
    root, settings = open_test_root(tmp_path_factory.mktemp("lake"), network / "facilities.yaml")
    land_network(root, network)
    run(root, settings, landed_partitions(root))
    return root
