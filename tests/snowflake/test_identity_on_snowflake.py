"""The person index on the Snowflake double and on DuckDB: a full run, an increment, an unlink and a crash leave the same on both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from assets.stores.control import create_control
from assets.stores.identity import create_tables
from assets.stores.identity_decisions import Decision, record_decision
from assets.stores.identity_overlay_answers import OverlayAnswer, overlay_counts, overlays, record_answer
from assets.stores.identity_questions import link_history
from assets.stores.warehouse import Warehouse
from tests.snowflake.conftest import MARKS, Double
from tests.sql.identity_world import OTHER, SETTINGS, IdentityWorld, patient
from transforms.identity.tables import TABLES

pytestmark = MARKS
NOON = datetime(2026, 3, 1, 12)
SCHEMAS = ("identity", "control", "canonical")
COMPARED = {
    "link": "patient_key, facility_id, person_id, link_rule, score, run_seq", "node": "patient_key, component_key, features_hash",
    "edge": "patient_key_l, patient_key_r, rule_or_model, score, zone, veto, given, birth_date", "person_minted": "person_id, ordinal, run_seq",
    "link_history": "run_seq, patient_key, event, person_id, link_rule, score", "person_redirect": "person_id, to_person_id, run_seq",
    "review_pair": "patient_key_l, patient_key_r, reason, rule_or_model, score, veto, run_seq", "block": "patient_key, block_rule, block_key",
    "edge_past": "patient_key_l, patient_key_r, rule_or_model, score, zone, given, birth_date, until_seq",
    "overlay": "patient_key, run_seq, score", "overlay_answer": "patient_key, run_seq, answer_seq, answer, decided_by", "decision": "patient_key_l, patient_key_r, decision_seq, decision, decided_by, evidence",
}


class StoredWorld(IdentityWorld):
    """An identity world in a warehouse that is there already."""

    def __init__(self, warehouse: Warehouse) -> None:
        """Create its tables; another test's are gone."""
        self.settings, self.warehouse, self.run_seq = SETTINGS, warehouse, 0
        for schema in SCHEMAS:
            warehouse.execute(f"drop schema if exists LAKE.{schema} cascade")
        create_control(warehouse)
        create_tables(warehouse)
        columns = ", ".join(f"{name} {kind}" for name, kind in TABLES["identity.compared"])
        warehouse.execute(f"create table identity.patient_features ({columns}, features_hash varchar)")
        warehouse.execute("create schema if not exists LAKE.canonical")
        warehouse.execute("create table canonical.patient_survivor (patient_key varchar, survivor_key varchar)")

    def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        """All that the two targets must hold alike."""
        return {table: sorted(self.rows(f"select {columns} from identity.{table}"), key=repr) for table, columns in COMPARED.items()}


@pytest.fixture
def worlds(double: Double, open_test_root: Callable[..., Any], tmp_path: Path) -> Iterator[tuple[StoredWorld, StoredWorld]]:
    """The same empty world on DuckDB and on the double."""
    local, _ = open_test_root(tmp_path / "local")
    cloud, _ = open_test_root(tmp_path / "cloud", **double.settings())
    with local.warehouse.open() as left, cloud.warehouse.open() as right:
        yield StoredWorld(left), StoredWorld(right)
        for schema in SCHEMAS:
            right.execute(f"drop schema if exists LAKE.{schema} cascade")


def _first(world: StoredWorld) -> None:
    world.put(patient("a"), patient("b", facility_id="hillside"), patient("x", **OTHER), patient("y", **OTHER, suffix="JR"),
              patient("z", given="ZENO", family="THIRD", birth_date=date(1950, 3, 4), phone=None))
    world.resolve_full()


def _increment(world: StoredWorld) -> None:
    world.put(patient("c", facility_id="lakeside"), patient("x", **OTHER, suffix="SR"))
    world.merge("z", "a")
    world.resolve()


def _unlink(world: StoredWorld) -> None:
    for left, right in (("a", "b"), ("a", "z")):
        record_decision(world.warehouse, Decision(left, right, "cannot_link", "ana", "seen on paper"), NOON, "model-1", "policy-1")
    world.run_seq += 1
    world.resolve()


def test_both_targets_hold_the_same_persons(worlds: tuple[StoredWorld, StoredWorld], monkeypatch: pytest.MonkeyPatch) -> None:
    """After each step all identity tables are equal, ids and history too; a crash in publication leaves them as they were on either."""
    for step in (_first, _increment, _unlink):
        for world in worlds:
            step(world)
        assert worlds[0].tables() == worlds[1].tables()
    for world in worlds:
        world.put(patient("y", given="ZENO", family="THIRD", birth_date=date(1950, 3, 4), phone="5035551111", address_number="5", postal_code="10001"))
        world.resolve()
        run = world.run_seq
        assert [row["run_seq"] for row in overlays(world.warehouse, 9)] == [run]
        record_answer(world.warehouse, OverlayAnswer("y", run, "no_overlay", "ana", "seen on paper"), NOON)
        assert overlays(world.warehouse, 9) == []
        assert overlay_counts(world.warehouse) == {"waiting": 0, "no_overlay": 1, "overlay": 0}
        assert "given=exact" in str(link_history(world.warehouse, "b")[0]["evidence"]) + str(link_history(world.warehouse, "a")[0]["evidence"])
    assert worlds[0].tables() == worlds[1].tables()
    assert [link_history(world.warehouse, "b") for world in worlds][0] == link_history(worlds[1].warehouse, "b")
    assert worlds[1].person("a") != worlds[1].person("b")
    assert worlds[1].person("a") != worlds[1].person("z")
    before = worlds[1].tables()
    assert all(before[name] for name in ("link", "edge", "link_history", "person_redirect", "decision"))

    def crash(*_: object) -> None:
        raise RuntimeError("crash")

    for world in worlds:
        world.put(patient("b", facility_id="hillside", given="BRUNO"), patient("n"))
        with monkeypatch.context() as patched:
            patched.setattr("assets.stores.identity.write_resolution", crash)
            with pytest.raises(RuntimeError, match="crash"):
                world.resolve()
        assert world.tables() == before
    for world in worlds:
        world.resolve()
    assert worlds[0].tables() == worlds[1].tables() != before
