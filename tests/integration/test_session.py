"""A run's session says how the run ended: of itself Dagster tears it down alike after success and failure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from assets.root import Root, Run
from assets.session import session_resource
from assets.stores.catalog_reading import read_catalog
from assets.stores.lock import lock_holder
from orchestration.opening import open_root
from orchestration.settings import Settings


@pytest.mark.parametrize(("breaks", "state"), [(True, "failure"), (False, "success")])
def test_a_run_whose_step_breaks_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, breaks: bool, state: str) -> None:
    """A step that raises leaves the run recorded as failed, one that finishes as succeeded; the lock is free after either."""
    begin: Callable[..., Run] = lambda self, run_id, partitions: Run(run_id, 1, ())  # noqa: E731 - stands for a warehouse
    monkeypatch.setattr(Root, "begin", begin)
    monkeypatch.setattr(Root, "code_version", "c0de")
    root = open_root(Settings(home=tmp_path / "home", build=tmp_path / "build"))

    @dg.op(required_resource_keys={"session"})
    def step(context) -> None:  # type: ignore[no-untyped-def]  # Dagster reads annotations, which are texts here
        context.resources.session.step("raw", [])
        assert lock_holder(root.home) is not None
        if breaks:
            raise ValueError("a step that breaks")
        context.resources.session.finished("raw")

    @dg.job(resource_defs={"session": session_resource(root, 0)})
    def pipeline() -> None:
        step()

    assert pipeline.execute_in_process(raise_on_error=False).success is not breaks
    assert read_catalog(root.home, "select state from run") == [{"state": state}]
    assert lock_holder(root.home) is None
