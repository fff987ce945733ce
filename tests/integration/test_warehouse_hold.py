"""A warehouse that a step holds: attached once, shared by what opens it and by dbt, free for others afterwards and after a failure."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assets.stores.duckdb_warehouse import DuckDBStore, held_connection
from assets.stores.keys import open_keys
from assets.stores.warehouse import existing_tables
from transforms.errors import ConfigurationError, ContractError

CODES = "seed.lakehouse.hl7_code"


@pytest.fixture
def attached(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Every attach of a warehouse file by a store, as it happens."""
    seen: list[bool] = []
    attach = DuckDBStore._attach
    monkeypatch.setattr(DuckDBStore, "_attach", lambda self, connection, read_only: (seen.append(read_only), attach(self, connection, read_only))[1])
    return seen


def test_a_hold_attaches_once_and_not_before_it_is_needed(tmp_path: Path, attached: list[bool]) -> None:
    """Openings inside a hold share one attach; each has its own temporary tables; what is written inside is there after the hold."""
    store = DuckDBStore(tmp_path, open_keys(tmp_path, None))
    with store.hold(), store.hold():
        assert attached == []
        with store.open() as warehouse:
            warehouse.execute("create table LAKE.main.kept as select 1 as n")
            warehouse.execute("create temp table own as select 1 as n")
        with store.open(read_only=True) as warehouse, store.open() as other:
            other.execute("insert into LAKE.main.kept values (2)")
            assert warehouse.query("select count(*) as n from kept").to_pylist() == [{"n": 2}]
            assert warehouse.query("select count(*) as n from duckdb_tables() where table_name = 'own'").to_pylist() == [{"n": 0}]
            assert warehouse.query("select current_setting('TimeZone') as zone").to_pylist() == [{"zone": "UTC"}]
    assert attached == [False]
    assert held_connection(str(store.path)) is None
    with store.open(read_only=True) as warehouse:
        assert warehouse.query("select sum(n) as n from kept").to_pylist() == [{"n": 3}]


def test_dbt_works_on_what_the_step_holds(open_test_root: Callable[..., Any], tmp_path: Path, attached: list[bool]) -> None:
    """Inside a hold dbt builds through the step's own attach, sees what the step wrote and shows the step what it built; a model that
    fails leaves the hold usable; outside a hold dbt opens the file itself."""
    root, _ = open_test_root(tmp_path / "home")
    with root.warehouse.hold():
        with root.warehouse.open() as warehouse:
            warehouse.execute("create schema LAKE.ref")
        for _ in range(2):
            assert [one.status for one in root.dbt.build_nodes([CODES], root.warehouse.environment())] == ["success"]
        with pytest.raises(ContractError, match="stg_hl7v2__message"):
            root.dbt.build_nodes(["model.lakehouse.stg_hl7v2__message"], root.warehouse.environment())
        with root.warehouse.open() as warehouse:
            assert existing_tables(warehouse) == {"ref.hl7_code"}
    assert len(attached) == 1
    assert [one.name for one in root.dbt.build(["ccda_section"], root.warehouse.environment())] == ["ccda_section"]
    with root.warehouse.open(read_only=True) as warehouse:
        assert existing_tables(warehouse) == {"ref.hl7_code", "ref.ccda_section"}


def test_a_hold_ends_with_a_failure(tmp_path: Path) -> None:
    """A step that fails inside a hold lets go of the file."""
    store = DuckDBStore(tmp_path, open_keys(tmp_path, None))

    def step() -> None:
        with store.hold(), store.open() as warehouse:
            warehouse.execute("create table LAKE.main.kept as select 1 as n")
            raise ConfigurationError("over")

    with pytest.raises(ConfigurationError, match="over"):
        step()
    with store.open() as warehouse:
        assert warehouse.query("select n from kept").to_pylist() == [{"n": 1}]


def test_a_hold_is_its_threads_own(tmp_path: Path) -> None:
    """A hold belongs to the thread that holds, and to its file: another thread and another root have none."""
    store = DuckDBStore(tmp_path, open_keys(tmp_path, None))
    with store.hold(), store.open(), ThreadPoolExecutor(1) as pool:
        assert held_connection(str(store.path)) is not None
        assert pool.submit(held_connection, str(store.path)).result() is None
        assert held_connection(str(replace(store, root=tmp_path / "other").path)) is None
