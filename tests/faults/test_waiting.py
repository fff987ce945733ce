"""Waiting has an end and a meaning: a forgotten reader loses the file, and nothing counts as landed while the disk is slow."""

from __future__ import annotations

import multiprocessing
import os
import threading
from dataclasses import replace
from datetime import UTC, date, datetime
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import pytest

from assets.stores.duckdb_warehouse import DuckDBStore
from assets.stores.keys import open_keys
from assets.stores.landing import LandingStore
from assets.stores.objects import FolderObjects
from transforms.errors import UnavailableError

DAY = date(2026, 1, 5)


@pytest.fixture
def store(tmp_path: Path) -> DuckDBStore:
    """A warehouse of one table."""
    made = DuckDBStore(tmp_path, open_keys(tmp_path))
    with made.open() as warehouse:
        warehouse.execute("create table LAKE.main.t as select range as a from range(20000)")
    return made


def test_a_forgotten_reader_loses_the_file(store: DuckDBStore) -> None:
    """A process that opened the warehouse for a question and never asks it does not stop a run, and is told so when it does ask."""
    reader = store.for_questions()
    assert reader.read_seconds is not None
    assert reader.read_seconds < store.wait_seconds
    context = multiprocessing.get_context("spawn")
    opened, leave = context.Event(), context.Event()
    process = context.Process(target=_forget, args=(replace(reader, read_seconds=1.0), opened, leave))
    process.start()
    try:
        assert opened.wait(30)
        with store.open() as warehouse:
            warehouse.execute("insert into LAKE.main.t values (1)")
        assert process.is_alive()
    finally:
        leave.set()
        process.join(30)
    assert process.exitcode == UnavailableError.exit_code


def _forget(store: DuckDBStore, opened: Event, leave: Event) -> None:
    try:
        with store.open(read_only=True) as warehouse:
            opened.set()
            leave.wait(60)
            warehouse.query("select * from LAKE.main.t")
    except UnavailableError as told:
        os._exit(told.exit_code)


def test_a_question_without_end_is_ended(store: DuckDBStore) -> None:
    """A query that would take hours ends after its time with what helps, and the next question is answered."""
    reader = replace(store.for_questions(), read_seconds=0.5)
    with pytest.raises(UnavailableError, match=r"took longer than 0\.5 s.*Remedy: .*dev-copy"), reader.open(read_only=True) as warehouse:
        warehouse.query("select count(*) from LAKE.main.t x, LAKE.main.t y, LAKE.main.t z where x.a + y.a + z.a = 7")
    with reader.open(read_only=True) as warehouse:
        assert warehouse.query("select count(*) as n from LAKE.main.t").to_pylist() == [{"n": 20000}]


def test_nothing_is_landed_before_the_disk_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the disk does not say that it has the bytes, the sender is told nothing and no name is taken; then all is as ever."""
    landing = LandingStore(FolderObjects(tmp_path / "landing"), open_keys(tmp_path))
    asked, answers, sync = threading.Event(), threading.Event(), os.fsync

    def slow(handle: int) -> None:
        asked.set()
        assert answers.wait(60)
        sync(handle)

    monkeypatch.setattr(os, "fsync", slow)
    told = list[Any]()
    sender = threading.Thread(target=lambda: told.append(landing.land(
        b"MSH|", facility_id="f", source="s", batch_date=DAY, original_name="n", received_time=datetime(2026, 1, 6, tzinfo=UTC))))
    sender.start()
    try:
        assert asked.wait(30)
        assert (told, landing.objects.names()) == ([], [])
    finally:
        answers.set()
        sender.join(30)
    assert list(landing.deliveries("f", DAY)) == told
    assert len(told) == 1
