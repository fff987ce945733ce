"""`lakehouse materialize --anew`: a derived table of any kind is dropped, and a run over everything landed fills it with the same rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from assets.idle import table_of
from assets.models import read_manifest
from assets.root import Root
from orchestration.anew import forget_tables
from orchestration.generate import generate
from orchestration.settings import Settings
from tests.pipeline_runs import land_network, landed_partitions
from tests.steps import run_steps
from tests.whole_warehouse import differences, whole_warehouse
from transforms.errors import ConfigurationError

LINKS = "select patient_key, person_id, link_rule, run_seq from LAKE.identity.link order by patient_key"
KINDS = {
    "versions": ("canonical.patient_version", "canonical.encounter_version", "canonical.observation_version", "canonical.unit"),
    "current": ("canonical.patient", "canonical.encounter", "canonical.observation", "canonical.unit_outcome",
                "identity.feature_rule", "identity.patient_features", "identity.person"),
}


def derived(root: Root) -> tuple[str, ...]:
    """Every table that `--anew` takes."""
    nodes = read_manifest(root.dbt.manifest_path)["nodes"].values()
    return tuple(table_of(node) for node in nodes if node["config"].get("materialized") == "scoped")


def rows(root: Root, sql: str) -> list[dict[str, Any]]:
    """Rows of a query."""
    with root.warehouse.open(read_only=True) as warehouse:
        return [dict(row) for row in warehouse.query(sql).to_pylist()]


@pytest.fixture(scope="module")
def lived(open_built_root: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> tuple[Root, Settings]:
    """Three facilities and two days, from received bytes to marts."""
    folder = tmp_path_factory.mktemp("anew")
    generate(folder / "network", seed=1, people=20, days=2, facilities=3, progress=None)
    root, settings = open_built_root(folder / "root", facilities=folder / "network" / "facilities.yaml")
    land_network(root, folder / "network")
    run_steps(root, "first", landed_partitions(root))
    return root, settings


@pytest.mark.parametrize("kind", [*KINDS, "everything"])
def test_a_table_that_is_forgotten_comes_back_as_it_was(lived: tuple[Root, Settings], kind: str) -> None:
    """Whatever was forgotten, versions, current tables and persons, or all that is derived, the run after it leaves every table of the
    warehouse as it was; links and person ids stay."""
    root, settings = lived
    tables = KINDS.get(kind) or derived(root)
    before, links = whole_warehouse(root), rows(root, LINKS)
    for table in KINDS.get(kind, ()):
        assert rows(root, f"select 1 from LAKE.{table} limit 1"), table
    forget_tables(root, settings, tables)
    left = rows(root, "select table_schema || '.' || table_name as name from information_schema.tables where table_catalog = 'LAKE'")
    assert {row["name"] for row in left} & set(tables) == set()
    run_steps(root, f"anew-{kind}", landed_partitions(root))
    assert differences(before, whole_warehouse(root)) == []
    assert rows(root, LINKS) == links


def test_what_no_run_derives_is_refused(lived: tuple[Root, Settings]) -> None:
    """Deliveries, links and decisions lie on nothing from which they could be filled: they are refused by name, before anything is dropped."""
    root, settings = lived
    for table in ("identity.link", "identity.decision", "raw.raw_delivery", "control.change_log", "canonical.nothing"):
        with pytest.raises(ConfigurationError, match=f"--anew {table}: no table that a run derives"):
            forget_tables(root, settings, ["canonical.patient", table])
    assert rows(root, "select count(*) as n from LAKE.canonical.patient") != [{"n": 0}]
