"""The asset graph as Dagster loads it: a snapshot of what everybody sees, and nothing that Dagster warns of.

`WRITE_SNAPSHOT=1 pytest tests/integration/test_definitions.py` writes the snapshot anew; its diff is part of the change's review.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from orchestration.definitions import build_defs
from tests.conftest import PROJECT

SNAPSHOT = Path(__file__).with_name("asset_graph.json")
# Its own environment is the third parties' business; the product's modules must load without a warning.
STRICT = ["-W", "error", "-W", "ignore:sqlglotrs is deprecated:DeprecationWarning"]


@pytest.fixture(scope="module")
def defs(tmp_path_factory: pytest.TempPathFactory, open_test_root: Callable[..., Any]) -> dg.Definitions:
    """The definitions of an empty root with the shipped registry."""
    root, settings = open_test_root(tmp_path_factory.mktemp("root"))
    return build_defs(root, settings)


def _graph(defs: dg.Definitions) -> dict[str, Any]:
    graph = defs.resolve_asset_graph()
    checks: dict[str, list[str]] = {}
    for key in graph.asset_check_keys:
        checks.setdefault(key.asset_key.to_user_string(), []).append(key.name)
    shown = {}
    for key in graph.get_all_asset_keys():
        node, name = graph.get(key), key.to_user_string()
        shown[name] = {
            "group": node.group_name, "kinds": sorted(node.kinds), "owners": sorted(node.owners),
            "partitions": sorted(node.partitions_def.partition_dimension_names) if node.partitions_def else None,
            "runs": node.is_executable, "reads": sorted(parent.to_user_string() for parent in node.parent_keys),
            "checks": sorted(checks.get(name, [])),
        }
    return dict(sorted(shown.items()))


def test_the_graph_is_the_one_reviewed(defs: dg.Definitions) -> None:
    """Keys, groups, kinds, owners, partitions, edges and checks of every asset are those of the snapshot."""
    found = _graph(defs)
    if os.environ.get("WRITE_SNAPSHOT") == "1":
        SNAPSHOT.write_text("{\n" + ",\n".join(f"{json.dumps(name)}: {json.dumps(asset)}" for name, asset in found.items()) + "\n}\n")
    assert found == json.loads(SNAPSHOT.read_text()), "The graph changed. If that is meant: WRITE_SNAPSHOT=1, and review the diff."


def test_every_asset_says_what_it_is(defs: dg.Definitions) -> None:
    """Every asset of the product has a description, an owner and a group; every one that runs has a code version."""
    graph = defs.resolve_asset_graph()
    lacking = []
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        if not node.is_materializable and not node.owners:
            continue  # a source that only dbt knows: the registry's tables and the seeds
        has = {"description": node.description, "owner": node.owners, "group": node.group_name != "default",
               "code version": node.code_version or not node.is_executable}
        lacking += [f"{key.to_user_string()}: {what}" for what, there in has.items() if not there]
    assert lacking == []


def test_all_assets_share_one_partitions_definition(defs: dg.Definitions) -> None:
    """Every asset that runs is partitioned by facility and date, by the same definition."""
    graph = defs.resolve_asset_graph()
    found = {graph.get(key).partitions_def for key in graph.executable_asset_keys}
    assert len(found) == 1
    assert found.pop().partition_dimension_names == ["date", "facility"]


def test_jobs_schedules_and_sensors_are_known(defs: dg.Definitions) -> None:
    """The doors of the graph: three jobs, two schedules, two sensors, by name; everything that runs by itself is switched on by a person."""
    repository = defs.get_repository_def()
    assert {job.name for job in repository.get_all_jobs()} - {"__ASSET_JOB"} == {"pipeline", "freshness", "rebuild_slices"}
    assert {one.name: one.default_status.value for one in repository.schedule_defs} == {"nightly": "STOPPED", "freshness_hourly": "STOPPED"}
    assert {one.name: one.default_status.value for one in repository.sensor_defs} == {"landed": "STOPPED", "run_failed": "STOPPED"}


def test_the_code_location_loads_without_a_warning(tmp_path: Path, build_folder: Path, open_test_root: Callable[..., Any]) -> None:
    """A new process loads and validates what the Dagster UI serves, with every warning an error."""
    open_test_root(tmp_path / "root")
    code = "import dagster as dg; from orchestration.code_location import defs; dg.Definitions.validate_loadable(defs)"
    environment = {**os.environ, "LAKEHOUSE_HOME": str(tmp_path / "root"), "LAKEHOUSE_BUILD": str(build_folder)}
    done = subprocess.run([sys.executable, *STRICT, "-c", code], cwd=PROJECT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
