"""A disk that is full, read-only or wrong: each fault has its documented outcome, and what was committed stands."""

from __future__ import annotations

import errno
import os
import random
import resource
from pathlib import Path

import duckdb
import pytest

from assets.stores import durable
from assets.stores.catalog import CatalogStore
from assets.stores.disk_faults import disk_fault
from assets.stores.duckdb_engine import connect_engine
from assets.stores.duckdb_warehouse import DuckDBStore
from assets.stores.keys import open_keys
from assets.stores.signing_key import signing_key
from lineage.audit_log import read_anchors
from lineage.audit_verify import verify
from orchestration.problems import problem_of
from tests.command_line import CommandLine
from tests.faults.child import in_child
from tests.faults.killed_parts import REGISTRY
from transforms.errors import ConfigurationError
from transforms.governance.events import Event


@pytest.fixture
def lakehouse(tmp_path: Path, build_folder: Path) -> CommandLine:
    """The command line on an empty root."""
    (tmp_path / "facilities.yaml").write_text(REGISTRY)
    (tmp_path / "a.hl7").write_bytes(b"MSH|^~\\&|A")
    return CommandLine(tmp_path / "home", tmp_path / "facilities.yaml", build_folder)


def _deliveries(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "landing").rglob("*") if path.is_file())


@pytest.mark.parametrize(("number", "said"), [(errno.ENOSPC, "The disk is full"), (errno.EROFS, "The disk is read-only"), (errno.EIO, "failed")])
@pytest.mark.parametrize("write", [1, 2])
def test_a_disk_that_refuses_a_landing(
    lakehouse: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: str, write: int,
) -> None:
    """A refused write of payload or delivery ends with exit code 3 and a remedy, leaves no half file, and the same landing works later."""
    # A first landing makes keys and catalog, so that the writes counted below are those of the second.
    assert lakehouse("land", tmp_path / "facilities.yaml", "-f", "clinic", "-s", "adt", "--date", "2026-01-05").code == 0
    before = len(_deliveries(lakehouse.home))
    land = ("land", tmp_path / "a.hl7", "-f", "clinic", "-s", "adt", "--date", "2026-01-05")
    writes = iter(range(1, 9))
    real = durable.os.fsync

    def refusing(handle: int) -> None:
        # a file's fsync, then its folder's: two for each durable write
        if next(writes) == 2 * write - 1:
            raise OSError(number, os.strerror(number))
        real(handle)

    with monkeypatch.context() as disk:
        disk.setattr(durable.os, "fsync", refusing)
        answer = lakehouse(*land)
    assert answer.code == 3
    assert said in answer.err
    assert "Remedy" in answer.err
    assert len(_deliveries(lakehouse.home)) == before + write - 1
    assert lakehouse(*land).code == 0
    assert len(_deliveries(lakehouse.home)) == before + 2


def _event(number: int) -> Event:
    return Event("detail.erase", f"entry:{number}", {"entry": number})


def test_a_catalog_store_that_cannot_grow(tmp_path: Path) -> None:
    """An append for which there is no room leaves the log as it was, whole and signed; with room again it goes on."""
    path, anchors = tmp_path / "audit.sqlite", tmp_path / "anchors.jsonl"
    with CatalogStore(path, signing_key(tmp_path / "key"), anchors) as store:
        store.append([_event(1)])
        pages = store._db.execute("pragma page_count").fetchone()[0]
        store._db.execute(f"pragma max_page_count = {pages}")
        with pytest.raises(Exception, match="full") as refused:
            store.append([_event(number) for number in range(2000)])
        problem = problem_of(type(refused.value).__name__, str(refused.value))
        assert problem is not None
        assert problem.exit_code == 3
        store._db.execute("pragma max_page_count = 100000")
        store.append([_event(2)])
        store.checkpoint()
    found = verify(path, read_anchors(anchors))
    assert (found.intact, found.entries) == (True, 3)


@pytest.fixture
def store(tmp_path: Path) -> DuckDBStore:
    """A warehouse of one table."""
    opened = DuckDBStore(tmp_path, open_keys(tmp_path), wait_seconds=0.3)
    with opened.open() as warehouse:
        warehouse.execute("create table LAKE.main.t as select range as a, md5(range::varchar) as b from range(20000)")
    return opened


def test_a_warehouse_that_cannot_grow(store: DuckDBStore) -> None:
    """A load for which there is no room is refused in the product's words, and the tables are as before."""
    size = store.path.stat().st_size

    def grow() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 50_000, size + 50_000))
        try:
            with store.open() as warehouse:
                warehouse.execute("create table LAKE.main.u as select range as a, md5(range::varchar) as b from range(400000)")
        except duckdb.Error as refused:
            problem = disk_fault(str(refused))
            os._exit(problem.exit_code if problem else 8)

    assert in_child(grow) == 3
    with store.open() as warehouse:
        assert warehouse.query("select count(*) as n from LAKE.main.t").to_pylist() == [{"n": 20000}]
        assert warehouse.query("select table_name from information_schema.tables where table_catalog = 'LAKE'").num_rows == 1


def _flipped(content: bytes, source: random.Random) -> bytes:
    at = source.randrange(len(content))
    return content[:at] + bytes([content[at] ^ (1 << source.randrange(8))]) + content[at + 1:]


def test_a_bit_that_flips_in_the_warehouse_is_noticed(store: DuckDBStore) -> None:
    """Whichever bit of the warehouse file flips: opening or reading it is refused with a remedy, and no wrong number is given."""
    content, source = store.path.read_bytes(), random.Random(1)
    for _ in range(12):
        store.path.write_bytes(_flipped(content, source))
        # A bit between the tables' blocks carries nothing.
        assert _read(store) in ("right", "refused with a remedy")


def _read(store: DuckDBStore) -> str:
    try:
        with store.open(read_only=True) as warehouse:
            found = warehouse.query("select count(*) as n, sum(a) as s, count(b) as b from LAKE.main.t").to_pylist()
    except ConfigurationError as refused:
        return "refused with a remedy" if "Remedy" in str(refused) else str(refused)
    except duckdb.Error as refused:
        return "refused with a remedy" if "is damaged" in str(disk_fault(str(refused))) else str(refused)
    return "right" if found == [{"n": 20000, "s": 199990000, "b": 20000}] else "WRONG"


def test_a_bit_that_flips_in_a_raw_file_is_noticed(tmp_path: Path, store: DuckDBStore) -> None:
    """Whichever bit of a sealed Parquet file flips: it is not loaded and the table stays as it was, or its rows are right all the same."""
    engine = connect_engine(tmp_path, store.keys, store.memory)
    good, bad = tmp_path / "good.parquet", tmp_path / "bad.parquet"
    engine.execute(f"copy (select range as a, md5(range::varchar) as b from range(2000)) to '{good}' "
                   "(format parquet, compression zstd, encryption_config {footer_key: 'lakehouse'})")
    engine.close()
    source = random.Random(2)
    with store.open() as warehouse:
        warehouse.execute("create table LAKE.main.u (a bigint, b varchar)")
        refused = 0
        for _ in range(12):
            bad.write_bytes(_flipped(good.read_bytes(), source))
            try:
                with warehouse.transaction():
                    warehouse.load_parquet("main.u", [bad])
            except duckdb.Error:
                refused += 1
            # The first bytes of a file are read by nobody: a bit among them carries nothing.
            wrong = "select count(*) as n from LAKE.main.u u where not exists (select 1 from LAKE.main.t t where t.a = u.a and t.b = u.b)"
            assert warehouse.query(wrong).to_pylist() == [{"n": 0}]
            assert warehouse.query("select count(*) as n from LAKE.main.u").to_pylist()[0]["n"] in (0, 2000)
            warehouse.execute("delete from LAKE.main.u")
        assert refused >= 10


def test_a_damaged_catalog_store_is_said_in_words(tmp_path: Path) -> None:
    """A catalog store whose pages are overwritten is refused with the remedy, by exit code 1, and its verification says no."""
    path, anchors = tmp_path / "audit.sqlite", tmp_path / "anchors.jsonl"
    with CatalogStore(path, signing_key(tmp_path / "key"), anchors) as store:
        store.append([_event(number) for number in range(500)])
        store.checkpoint()
    content = path.read_bytes()
    path.write_bytes(content[:4096] + os.urandom(8192) + content[12288:])
    assert not verify(path, read_anchors(anchors)).intact
    with pytest.raises(Exception, match="malformed") as refused, CatalogStore(path, signing_key(tmp_path / "key"), anchors) as store:
        store.append([_event(1)])
    problem = problem_of(type(refused.value).__name__, str(refused.value))
    assert problem is not None
    assert problem.exit_code == 1
    assert "restore catalog/audit.sqlite" in str(problem)
