"""Makes the analyst's copy: masked rows, marts built from them by the dbt project's target `dev`, and the file put in its place whole.

The copy is a file of its own: who reads it never meets the warehouse's writer, and a newer copy takes the name while readers keep the file
that they have open. Taking the rows holds the writer lock, since DuckDB lets nobody write a file that another process reads.
"""

from __future__ import annotations

import getpass
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from assets.root import Root
from assets.stores.analyst_copy import COPY_SEQ, write_copy
from assets.stores.control import Partition
from assets.stores.dbt_runner import DEV
from assets.stores.duckdb_warehouse import DuckDBStore
from assets.stores.durable import sync_folder
from assets.stores.lock import writer_lock
from orchestration.opening import dbt_runner
from orchestration.settings import Settings
from transforms.errors import ConfigurationError
from transforms.governance.copy_rules import shipped_copy_rules, shipped_copy_rules_text
from transforms.governance.events import Event

# dbt's target `dev` knows the database by the file's name.
FILE_NAME = "LAKE.duckdb"
# What the copy's masked tables do not hold themselves: views, and what is derived from the change log that the copy begins with.
BUILT_ON_COPY = ("config.materialized:view", "tag:mart", "feature_rule", "patient_features")


@dataclass(frozen=True)
class Copied:
    """A copy in its place: its file, and the rows of each masked table."""

    path: Path
    rows: dict[str, int]


def make_dev_copy(root: Root, settings: Settings, partitions: Sequence[Partition], folder: Path,
                  on_step: Callable[[str], None] = lambda step: None) -> Copied:
    """Write `folder/LAKE.duckdb`, over an earlier copy.

    Raises ConfigurationError where a column has no rule or the warehouse is not local.
    """
    store = root.warehouse
    if not isinstance(store, DuckDBStore):
        raise ConfigurationError("dev-copy reads the local warehouse. Remedy: LAKEHOUSE_TARGET=local.")
    rules = shipped_copy_rules()
    runner = dbt_runner(settings, DEV)
    runner.prepare()
    folder.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=".copy-", dir=folder))
    try:
        on_step("masking")
        with writer_lock(root.home, "dev-copy", "dev-copy", settings.lock_wait_seconds), store.open(read_only=True) as warehouse:
            rows = write_copy(warehouse, root.keys, rules, partitions, part / FILE_NAME)
        on_step("building marts")
        runner.build(BUILT_ON_COPY, {"LAKEHOUSE_DEV_COPY": str(part / FILE_NAME), "LAKEHOUSE_RUN_ID": "dev-copy",
                                     "LAKEHOUSE_RUN_SEQ": str(COPY_SEQ)})
        on_step("putting in place")
        _record(root, rows)
        _put_in_place(part / FILE_NAME, folder / FILE_NAME)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return Copied(folder / FILE_NAME, rows)


def _record(root: Root, rows: dict[str, int]) -> None:
    """Record the copy before anybody can have it, with the rules that made it."""
    policy = hashlib.sha256(shipped_copy_rules_text().encode()).hexdigest()[:12]
    body: dict[str, object] = {"policy": policy, "tables": len(rows), "rows": sum(rows.values())}
    with root.catalog() as catalog:
        catalog.append([Event("copy.write", "dev-copy", body, actor=f"user:{getpass.getuser()}")])


def _put_in_place(part: Path, place: Path) -> None:
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(place)
    sync_folder(place.parent)
