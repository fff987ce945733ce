"""Fixtures that several kinds of tests share: roots of their own, one parsed dbt project for all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.memory_folder import use_memory

PROJECT = Path(__file__).resolve().parent.parent
RECEIVED = datetime(2026, 1, 20, 6, tzinfo=UTC)

# Dagster and dbt read it when they are imported; no test may write to a home that another one uses.
os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")
# Before pytest chooses its folder; the workers inherit it.
use_memory()

# In CI the same examples every time: a red run must mean a change, and new examples are found by everybody else's runs.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI") == "true":
    settings.load_profile("ci")


@pytest.fixture(scope="session")
def build_folder() -> Path:
    """The parsed dbt project, shared by all roots and test processes."""
    return PROJECT / ".build"


@pytest.fixture(scope="session")
def open_test_root(build_folder: Path) -> Callable[..., Any]:
    """Opens a data root in a folder: `open_test_root(home, facilities=…, **settings)` gives root and settings."""
    from filelock import FileLock

    from orchestration.opening import dbt_runner, open_root
    from orchestration.settings import Settings

    def opened(home: Path, facilities: Path | None = None, **more: Any) -> Any:
        settings = Settings(home=home, build=build_folder, facilities=facilities, **more)
        build_folder.mkdir(exist_ok=True)
        with FileLock(build_folder / "prepare.lock"):
            dbt_runner(settings).prepare()
        return open_root(settings), settings

    return opened


@pytest.fixture(scope="session")
def open_built_root(open_test_root: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """As `open_test_root`, on a data root in which every table exists and none has a row: a copy of one that ran over a partition to which
    nothing was delivered, made once for all test processes. It saves a test the first build of every model."""
    from filelock import FileLock

    from tests.steps import run_steps
    from transforms.synthetic.registry_text import registry_text

    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    made, registry = shared / "built", shared / "built.yaml"
    with FileLock(shared / "built.lock"):
        if not made.exists():
            registry.write_text(registry_text(5), encoding="utf-8")
            root, _ = open_test_root(shared / "building", registry)
            run_steps(root, "built", [("lakeside", date(2026, 1, 5))])
            (shared / "building").rename(made)

    def opened(home: Path, facilities: Path | None = None, **more: Any) -> Any:
        assert not home.exists() or not any(home.iterdir()), f"{home} is a root already"
        shutil.copytree(made, home, dirs_exist_ok=True)
        return open_test_root(home, facilities, **more)

    return opened


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small synthetic network with its truth: `feeds/`, `truth/`, `facilities.yaml`."""
    from orchestration.generate import generate

    out = tmp_path_factory.mktemp("network")
    generate(out, seed=7, people=80, days=4, facilities=5, start=date(2026, 1, 5), progress=None)
    return out
