"""The stores keep what they promise: sealed, durable, one writer, the right key only."""

from __future__ import annotations

import multiprocessing
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from assets.stores import raw
from assets.stores.control import create_tables, ready_tables
from assets.stores.dbt_runner import DbtRunner
from assets.stores.duckdb_warehouse import DuckDBStore
from assets.stores.keys import Keys, open_keys
from assets.stores.lock import lock_holder, writer_lock
from orchestration.opening import open_root
from orchestration.settings import Settings
from transforms.decode.raw_schema import RAW_SCHEMAS
from transforms.errors import ConfigurationError, UnavailableError


def test_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """A key file with open permissions is refused with the remedy."""
    open_keys(tmp_path)
    (tmp_path / "keys" / "lakehouse.key").chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        open_keys(tmp_path)


def test_a_record_keeps_its_mark() -> None:
    """Entries of every version call a record the same, and no two kinds, keys or roots do."""
    keys = Keys(bytes(32))
    assert keys.mark("patient", "a") == "7bff9fb462c10e79abd5729382e75f56a36d342a8b6172234acc159dc6c1a8a4"
    assert len({keys.mark("patient", "a"), keys.mark("patient", "b"), keys.mark("canonical.patient", "a"), Keys(bytes(31) + b"x").mark("patient", "a")}) == 4


def test_warehouse_file_is_encrypted(warehouse_store: DuckDBStore) -> None:
    """A value in the warehouse is not found in its file, and another key does not open it."""
    with warehouse_store.open() as warehouse:
        warehouse.execute("create table LAKE.main.patient as select 'QUILLFEATHER' as name")
    assert b"QUILLFEATHER" not in warehouse_store.path.read_bytes()
    other = DuckDBStore(warehouse_store.root, Keys(os.urandom(32)), wait_seconds=0.1)
    before = warehouse_store.path.read_bytes()
    with pytest.raises(ConfigurationError, match="key does not open"), other.open():
        pass
    assert warehouse_store.path.read_bytes() == before


def test_a_table_of_an_earlier_version_gets_the_columns_that_it_lacks(warehouse_store: DuckDBStore) -> None:
    """Its rows stay, null in what they never held; a table that lacks nothing stays as it is."""
    with warehouse_store.open() as warehouse:
        create_tables(warehouse, "raw", {"said": {"a": "varchar"}})
        warehouse.execute("insert into LAKE.raw.said values ('x')")
        for _ in range(2):
            ready_tables(warehouse, "raw", {"said": {"a": "varchar", "b": "integer"}})
        assert warehouse.query("select * from LAKE.raw.said").to_pylist() == [{"a": "x", "b": None}]


def test_few_rows_are_those_of_the_condition(warehouse_store: DuckDBStore) -> None:
    """Rows that the same transaction wrote or deleted count as they do without it."""
    with warehouse_store.open() as warehouse:
        warehouse.execute("create table LAKE.main.said as select range as a, 'x' || range as b from range(5000)")
        with warehouse.transaction():
            warehouse.execute("delete from said where a = 7")
            warehouse.execute("insert into said values (7, 'new'), (9000, 'newer')")
            wanted = "a in (select unnest([3, 7, 4999, 9000]))"
            plain, few = (warehouse.query(f"select a, b from said where {one} order by a").to_pylist()
                          for one in (wanted, warehouse.few("said", wanted)))
        assert few == plain
        assert [row["b"] for row in few] == ["x3", "new", "x4999", "newer"]


def test_a_column_of_another_type_is_refused(warehouse_store: DuckDBStore) -> None:
    """Before anything is added, the error names table, column and both types; a column that this version has no more stays."""
    with warehouse_store.open() as warehouse:
        create_tables(warehouse, "identity", {"link": {"person_id": "varchar", "score": "varchar", "gone": "date"}})
        with pytest.raises(ConfigurationError, match=r"identity.link.score \(varchar, now double\). Nothing was changed. Remedy"):
            ready_tables(warehouse, "identity", {"link": {"person_id": "varchar", "score": "double", "new": "varchar"}})
        ready_tables(warehouse, "identity", {"link": {"person_id": "varchar", "new": "varchar"}})
        assert warehouse.query("select * from LAKE.identity.link").column_names == ["person_id", "score", "gone", "new"]


def test_a_root_of_an_earlier_version_is_given_its_columns_by_the_next_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that begins on a warehouse whose raw tables lack a column adds it, and keeps the rows that are there."""
    root = open_root(Settings(home=tmp_path, build=tmp_path / "build"))
    monkeypatch.setattr(DbtRunner, "build", lambda *_: [])  # seeds have nothing to do with it
    schema = RAW_SCHEMAS["raw_fhir__resource"]
    with monkeypatch.context() as earlier:
        earlier.setitem(raw.RAW_SCHEMAS, "raw_fhir__resource", schema.remove(schema.get_field_index("full_url")))
        replace(root).begin("before", [])
    with root.warehouse.open() as warehouse:
        warehouse.execute("insert into LAKE.raw.raw_fhir__resource (id) values ('x')")
    root.begin("after", [])
    with root.warehouse.open(read_only=True) as warehouse:
        assert warehouse.query("select id, full_url from LAKE.raw.raw_fhir__resource").to_pylist() == [{"id": "x", "full_url": None}]


def test_busy_warehouse_is_unavailable_not_broken(warehouse_store: DuckDBStore) -> None:
    """A file that another process has open is reported as busy after the waiting time, by the number of that process."""
    with warehouse_store.open() as warehouse:
        warehouse.execute("create table LAKE.main.t (a integer)")
    context = multiprocessing.get_context("spawn")
    opened, leave = context.Event(), context.Event()
    process = context.Process(target=_hold_open, args=(warehouse_store, opened, leave))
    process.start()
    try:
        assert opened.wait(30)
        with pytest.raises(UnavailableError, match=f"in use by process {process.pid}[.] Remedy"), warehouse_store.open():
            pass
    finally:
        leave.set()
        process.join(30)
    with warehouse_store.open():
        pass


def test_second_writer_is_told_who_holds_the_lock(tmp_path: Path) -> None:
    """A second writer waits, hears the holder's run, and goes away with a clear message."""
    context = multiprocessing.get_context("spawn")
    held, leave = context.Event(), context.Event()
    process = context.Process(target=_hold_lock, args=(tmp_path, held, leave))
    process.start()
    told: list[str] = []
    try:
        assert held.wait(30)
        assert "run first" in (lock_holder(tmp_path) or "")
        with pytest.raises(UnavailableError, match="run first"), writer_lock(tmp_path, "second", "test", 0.3, told.append):
            pass
    finally:
        leave.set()
        process.join(30)
    assert told
    assert "run first" in told[0]


def test_killed_writer_leaves_no_lock(tmp_path: Path) -> None:
    """The lock of a dead process is free at once."""
    context = multiprocessing.get_context("spawn")
    held, leave = context.Event(), context.Event()
    process = context.Process(target=_hold_lock, args=(tmp_path, held, leave))
    process.start()
    assert held.wait(30)
    process.kill()
    process.join(30)
    began = time.monotonic()
    with writer_lock(tmp_path, "second", "test", 5):
        assert time.monotonic() - began < 5
    assert lock_holder(tmp_path) is None


def _hold_open(store: DuckDBStore, opened, leave) -> None:  # type: ignore[no-untyped-def]
    with store.open() as warehouse:
        warehouse.execute("insert into LAKE.main.t values (1)")
        opened.set()
        leave.wait(30)


def _hold_lock(root: Path, held, leave) -> None:  # type: ignore[no-untyped-def]
    with writer_lock(root, "first", "test", 5):
        held.set()
        leave.wait(30)
