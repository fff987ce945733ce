"""dbt in process: invocations one after another and from several threads, each in its own warehouse; engines that are kept."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from assets.stores.duckdb_warehouse import DuckDBStore
from assets.stores.keys import open_keys
from assets.stores.warehouse import existing_tables
from transforms.errors import ContractError

CODES, SECTIONS = "seed.lakehouse.hl7_code", "seed.lakehouse.ccda_section"


@pytest.fixture
def own_root(open_test_root: Callable[..., Any], tmp_path: Path) -> Callable[[str], Any]:
    """Opens an empty root with schema `ref`."""
    def opened(name: str) -> Any:
        root, _ = open_test_root(tmp_path / name)
        with root.warehouse.open() as warehouse:
            warehouse.execute("create schema LAKE.ref")
        return root

    return opened


def _tables(root: Any) -> frozenset[str]:
    with root.warehouse.open(read_only=True) as warehouse:
        return existing_tables(warehouse)


def test_two_threads_never_mix_their_models(own_root: Callable[[str], Any]) -> None:
    """Each of two threads that invoke dbt in turn gets its own nodes as results, and its own warehouse has its own tables only."""
    wanted = {"first": CODES, "second": SECTIONS}
    roots = {name: own_root(name) for name in wanted}

    def build(name: str) -> list[list[str]]:
        return [[one.unique_id for one in roots[name].dbt.build_nodes([wanted[name]], roots[name].warehouse.environment())]
                for _ in range(4)]

    with ThreadPoolExecutor(2) as pool:
        results = dict(zip(wanted, pool.map(build, wanted), strict=True))
    assert results == {name: [[node]] * 4 for name, node in wanted.items()}
    assert {name: _tables(root) for name, root in roots.items()} == {"first": {"ref.hl7_code"}, "second": {"ref.ccda_section"}}


def test_an_invocation_knows_what_happened_since_the_last(own_root: Callable[[str], Any]) -> None:
    """A table that was dropped after dbt made it is made again, and one that fails does not spoil the next invocation."""
    root = own_root("again")
    for _ in range(2):
        assert [one.status for one in root.dbt.build_nodes([CODES], root.warehouse.environment())] == ["success"]
        with root.warehouse.open() as warehouse:
            warehouse.execute("drop table LAKE.ref.hl7_code")
    with pytest.raises(ContractError, match="stg_hl7v2__message"):
        root.dbt.build_nodes(["model.lakehouse.stg_hl7v2__message"], root.warehouse.environment())
    assert [one.name for one in root.dbt.build(["ccda_section"], root.warehouse.environment())] == ["ccda_section"]
    assert _tables(root) == {"ref.ccda_section"}


def test_a_kept_engine_honours_a_changed_memory_limit(tmp_path: Path) -> None:
    """Who opens a root's warehouse with another memory limit than before gets an engine of that limit."""
    keys = open_keys(tmp_path, None)
    for memory, shown in (("300MB", "286.1 MiB"), ("600MB", "572.2 MiB"), ("300MB", "286.1 MiB")):
        with DuckDBStore(tmp_path, keys, memory=memory).open() as warehouse:
            assert warehouse.query("select current_setting('memory_limit') as said").to_pylist() == [{"said": shown}]
