"""A warehouse that holds only what identity reads and writes, for tests of the engine.

`IdentityWorld` puts patient features straight into `identity.patient_features`, as the dbt model would, and logs the change;
`identity_root` is a data root around it, for tests of what begins runs and opens the warehouse by itself.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pyarrow as pa

from assets.stores.control import create_control
from assets.stores.duckdb_warehouse import DuckDBWarehouse
from assets.stores.identity import Resolution, Settings, create_tables, resolve_changes, resolve_full
from assets.stores.keys import Keys
from transforms.identity.model import load_model
from transforms.identity.policy_file import load_policy
from transforms.identity.records import FEATURE_SCHEMA

SETTINGS = Settings(load_model(), load_policy("strict"), salt="test")
KEYS = Keys(bytes(32))
# what a record says that has become another human's, over `patient`
OTHER: dict[str, Any] = {"family": "OTHER", "given": "PAULA", "gender": "female", "birth_date": datetime.date(1990, 1, 2), "phone": "5035559999",
                         "address_number": "77"}


def patient(key: str, **given: Any) -> dict[str, Any]:
    """Give the features of a plain patient record, with `given` over them; None stands for unknown."""
    row: dict[str, Any] = {name: None for name in FEATURE_SCHEMA.names} | {
        "patient_key": key, "facility_id": "riverside", "is_newborn": False, "is_unidentified": False, "family": "KOWALCHUK",
        "given": "ALEXEI", "gender": "male",
        "birth_date": datetime.date(1961, 5, 17), "phone": "5035550142", "address_number": "118", "postal_code": "97201",
    }
    row |= given
    if row["birth_date"] and not row["birth_text"]:
        row["birth_text"] = row["birth_date"].isoformat()
    return row


class IdentityWorld:
    """An in-memory warehouse with the identity tables."""

    def __init__(self, settings: Settings = SETTINGS) -> None:
        """Create the tables."""
        connection = duckdb.connect(":memory:")
        connection.execute("attach ':memory:' as LAKE")
        connection.execute("use LAKE")
        self.settings = settings
        self.warehouse = DuckDBWarehouse(connection)
        self.run_seq = 0
        create_control(self.warehouse)
        create_tables(self.warehouse)
        connection.register("empty", FEATURE_SCHEMA.empty_table())
        connection.execute("create table identity.patient_features as select * from empty")
        connection.execute("alter table identity.patient_features add column features_hash varchar")
        connection.unregister("empty")
        connection.execute("create table canonical.patient_survivor (patient_key varchar, survivor_key varchar)")

    def put(self, *patients: Mapping[str, Any]) -> None:
        """Say what patient records hold now, as the next run."""
        self.run_seq += 1
        self._forget([str(row["patient_key"]) for row in patients])
        rows = pa.Table.from_pylist([dict(row) for row in patients], schema=FEATURE_SCHEMA)
        texts = [json.dumps(row, sort_keys=True, default=str) for row in patients]
        hashes = [hashlib.md5(text.encode(), usedforsecurity=False).hexdigest() for text in texts]
        self.warehouse.load("identity.patient_features", rows.append_column("features_hash", pa.array(hashes, pa.string())))

    def delete(self, *keys: str) -> None:
        """Delete patient records at their source, as the next run."""
        self.run_seq += 1
        self._forget(keys)

    def _forget(self, keys: Iterable[str]) -> None:
        for key in keys:
            self.warehouse.execute("delete from identity.patient_features where patient_key = ?", [key])
            self.warehouse.execute(
                "insert into control.change_log (run_seq, object, fact_key) values (?, 'patient', ?)", [self.run_seq, key])

    def merge(self, retired: str, survivor: str) -> None:
        """Receive a trusted merge (HL7 v2 A40)."""
        self.warehouse.execute("insert into canonical.patient_survivor values (?, ?)", [retired, survivor])

    def decide(self, left: str, right: str, decision: str) -> None:
        """Record a steward's decision on a pair."""
        self.warehouse.execute(
            "insert into identity.decision (patient_key_l, patient_key_r, decision_seq, decision) "
            "select ?, ?, coalesce(max(decision_seq), 0) + 1, ? from identity.decision", [*sorted((left, right)), decision])

    def resolve(self) -> Resolution:
        """Resolve what changed."""
        return resolve_changes(self.warehouse, self.run_seq, settings=self.settings)

    def resolve_full(self) -> Resolution:
        """Resolve everything anew."""
        return resolve_full(self.warehouse, self.run_seq, settings=self.settings)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query."""
        return [tuple(row.values()) for row in self.warehouse.query(sql).to_pylist()]

    def persons(self) -> set[frozenset[str]]:
        """Persons as sets of records: what does not depend on history."""
        members: dict[str, set[str]] = {}
        for person, key in self.rows("select person_id, patient_key from identity.link"):
            members.setdefault(person, set()).add(key)
        return {frozenset(keys) for keys in members.values()}

    def person(self, key: str) -> str | None:
        """The person of a record."""
        found = self.rows(f"select person_id from identity.link where patient_key = '{key}'")
        return str(found[0][0]) if found else None

    def state(self) -> dict[str, list[tuple[Any, ...]]]:
        """All that a full run must find the same: every table without ids, run numbers and history."""
        return {table: sorted(self.rows(f"select {columns} from identity.{table}"), key=repr) for table, columns in {
            "link": "patient_key, facility_id, link_rule, score, policy_version",
            "edge": "patient_key_l, patient_key_r, rule_or_model, score, zone, veto, given, family, birth_date, ssn",
            "review_pair": "patient_key_l, patient_key_r, reason, rule_or_model, score, veto",
            "node": "patient_key, component_key, features_hash, model_version, policy_version",
            "block": "patient_key, block_rule, block_key", "full_block": "block_rule, block_key, patients",
        }.items()}


def identity_root(world: IdentityWorld, home: Path, **more: Any) -> Any:
    """Give a root in a folder whose warehouse is that world's, under KEYS and the strict policy; `more` are further attributes of it."""
    @contextmanager
    def opened(**_: object) -> Iterator[object]:
        yield world.warehouse

    def begin(run_id: str, partitions: list[object]) -> SimpleNamespace:
        world.run_seq += 1
        return SimpleNamespace(run_seq=world.run_seq)

    return SimpleNamespace(home=home, keys=KEYS, policy=lambda on: load_policy("strict", on=on), identity_model=None, begin=begin,
                           warehouse=SimpleNamespace(open=opened), **more)
