"""`lakehouse identity rebuild`: the increments held against a full run."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from assets.stores.identity import root_settings
from orchestration.rebuilding import rebuild_identity
from tests.sql.identity_world import KEYS, IdentityWorld, identity_root, patient
from transforms.identity.policy_file import load_policy

SETTINGS: Any = SimpleNamespace(memory="1GB", lock_wait_seconds=1)


@pytest.fixture
def world() -> IdentityWorld:
    """Two humans, three records, resolved one after the other under the settings of the root; one more is pending."""
    world = IdentityWorld(root_settings(KEYS, load_policy("strict"), "1GB"))
    other = {"family": "OTHER", "given": "PAULA", "gender": "female", "phone": None, "address_number": None}
    for row in (patient("a"), patient("b", facility_id="hillside"), patient("x", **other)):
        world.put(row)
        world.resolve()
    world.put(patient("c", facility_id="lakeside"))
    return world


@pytest.fixture
def root(world: IdentityWorld, tmp_path: Path) -> Any:
    """A root whose warehouse is that world's."""
    return identity_root(world, tmp_path)


def _left(world: IdentityWorld) -> list[tuple[Any, ...]]:
    return world.rows("select table_name from information_schema.tables where table_name like 'resolve_before%'")


def test_right_increments_differ_in_nothing(world: IdentityWorld, root: Any) -> None:
    """What is pending is no difference; the run is recorded as a resolution, tells how far it is, and leaves no table behind."""
    steps: list[str] = []
    found = rebuild_identity(root, SETTINGS, steps.append)
    assert found.is_same
    assert found.moved == []
    assert (found.resolution.compared, found.resolution.moved) == (4, 0)
    assert world.persons() == {frozenset("abc"), frozenset("x")}
    assert world.rows("select max(run_seq) from identity.resolution") == [(world.run_seq,)]
    assert len(steps) == 4
    assert _left(world) == []


def test_what_an_increment_left_wrong_is_shown_and_mended(world: IdentityWorld, root: Any) -> None:
    """A link that does not follow from the edges is named by its record and put right, with its history; the next rebuild finds nothing."""
    world.resolve()
    person, alone = world.person("a"), world.person("x")
    world.warehouse.execute("update identity.link set person_id = ?, link_rule = 'single' where patient_key = 'b'", [alone])
    found = rebuild_identity(root, SETTINGS)
    assert not found.is_same
    assert found.moved == [{"patient_key": "b", "person_before": alone, "person_now": person}]
    assert {one.table: (one.gone, one.came) for one in found.differences if one.gone or one.came} == {"link": (1, 1)}
    assert world.person("b") == person
    assert rebuild_identity(root, SETTINGS).is_same


def test_a_crash_leaves_what_stood(world: IdentityWorld, root: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rebuild that dies in the middle has changed nothing, and the next one begins anew."""
    world.resolve()
    before = world.state()

    def crash(*_: object) -> None:
        raise RuntimeError("crash")

    with monkeypatch.context() as patched:
        patched.setattr("assets.stores.identity.write_reviews", crash)
        with pytest.raises(RuntimeError, match="crash"):
            rebuild_identity(root, SETTINGS)
    assert world.state() == before
    assert _left(world) == []
    assert rebuild_identity(root, SETTINGS).is_same
