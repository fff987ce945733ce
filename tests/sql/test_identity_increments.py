"""What a resolution of changes does: all of it or nothing, no more than was asked, and in any order what a full run gives."""

from __future__ import annotations

import dataclasses
import datetime
import random

import pytest

from tests.sql.identity_world import SETTINGS, IdentityWorld, patient
from transforms.identity.records import FEATURE_SCHEMA
from transforms.identity.training_population import training_population


@pytest.fixture
def world() -> IdentityWorld:
    """Give an empty identity warehouse."""
    return IdentityWorld()


def test_changes_are_logged_with_both_persons(world: IdentityWorld) -> None:
    """A record whose person changes is in the change log and the history, with the person before and after; no other is."""
    world.put(patient("a"), patient("b"),
              patient("z", family="OTHER", birth_date=datetime.date(1990, 1, 2), phone=None, address_number=None))
    world.resolve()
    person, alone = world.person("a"), world.person("z")
    world.put(patient("b", suffix="JR"), patient("a", suffix="SR"))
    world.resolve()
    log = world.rows("select fact_key, facility_id, batch_date, old_subject_key, new_subject_key from control.change_log "
                     "where object = 'link' and run_seq = 2")
    moved = "b" if world.person("a") == person else "a"
    assert log == [(moved, "riverside", None, person, world.person(moved))]
    history = world.rows("select run_seq, event, person_id from identity.link_history "
                         f"where patient_key = '{moved}' order by run_seq, event desc")
    assert history == [(1, "link", person), (2, "unlink", person), (2, "link", world.person(moved))]
    assert world.person("z") == alone


def test_a_resolution_is_all_or_nothing(world: IdentityWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash after the links are written leaves every table and the watermark as they were, and the next resolution does it all."""
    world.put(patient("a"), patient("b"))

    def crash(*_: object) -> None:
        raise RuntimeError("crash")

    with monkeypatch.context() as patched:
        patched.setattr("assets.stores.identity.write_reviews", crash)
        with pytest.raises(RuntimeError, match="crash"):
            world.resolve()
    assert not any(world.state().values())
    assert world.rows("select count(*) from control.consumer") == [(0,)]
    world.resolve()
    assert world.persons() == {frozenset("ab")}


def test_nothing_changed_means_nothing_done(world: IdentityWorld) -> None:
    """A second resolution without news compares nothing and logs nothing."""
    world.put(patient("a"), patient("b"))
    world.resolve()
    logged = world.rows("select count(*) from control.change_log")
    world.put(patient("a"))
    assert world.resolve().compared == 0
    assert world.rows("select count(*) from control.change_log where object = 'link'") == [(2,)]
    assert logged == [(4,)]


def test_another_policy_is_applied_to_all(world: IdentityWorld) -> None:
    """A change of policy version judges every record anew, also those that did not change."""
    world.put(patient("a"), patient("b"))
    world.resolve()
    narrow = dataclasses.replace(SETTINGS.policy, version="other-1", rules=SETTINGS.policy.rules[:1])
    world.settings = dataclasses.replace(SETTINGS, policy=narrow)
    world.resolve()
    assert world.persons() == {frozenset("a"), frozenset("b")}


@pytest.mark.parametrize("seed", [1, 2])
def test_any_order_of_arrival_gives_what_a_full_run_gives(seed: int) -> None:
    """Records that come, change, merge and leave in random batches end in the persons, edges and questions of one full run."""
    draw = random.Random(seed)
    caps = dataclasses.replace(SETTINGS.model, version="model-small-caps", block_caps=SETTINGS.model.block_caps
                               | {"phone": 4, "address": 5, "member": 4, "birth_date_initials": 3, "identifier": 3, "name": 3, "given": 2})
    settings = dataclasses.replace(SETTINGS, model=caps)
    rows = _crowd(draw)
    assert len(rows) > 60
    step_by_step, at_once = IdentityWorld(settings), IdentityWorld(settings)
    merges = [tuple(draw.sample(rows, 2)) for _ in range(4)]
    decisions = [(*draw.sample(rows, 2), draw.choice(["link", "cannot_link"])) for _ in range(6)]
    gone = draw.sample(rows, 6)

    draw.shuffle(rows)
    for row in rows[:40]:  # an earlier content that a later batch corrects
        draw_phone = {"phone": "5035550000", "family": "FIRST", "members": "shared"}
        step_by_step.put({**row, **draw_phone})
    cut = 0
    while cut < len(rows):
        size = draw.randrange(5, 45)
        step_by_step.put(*rows[cut:cut + size])
        if draw.random() < 0.5 and merges:
            left, right = merges.pop()
            step_by_step.merge(left["patient_key"], right["patient_key"])
            at_once.merge(left["patient_key"], right["patient_key"])
        if draw.random() < 0.5 and decisions:
            left, right, decision = decisions.pop()
            step_by_step.decide(left["patient_key"], right["patient_key"], decision)
            at_once.decide(left["patient_key"], right["patient_key"], decision)
        step_by_step.resolve()
        cut += size
    step_by_step.delete(*(row["patient_key"] for row in gone))
    step_by_step.resolve()
    kept = [row for row in rows if row not in gone]
    draw.shuffle(kept)
    at_once.put(*kept)
    at_once.resolve_full()
    assert step_by_step.persons() == at_once.persons()
    assert step_by_step.state() == at_once.state()
    assert at_once.rows("select count(*) from identity.full_block") != [(0,)]
    assert at_once.rows("select count(*) from identity.review_pair where reason = 'review'") != [(0,)]


def _crowd(draw: random.Random) -> list[dict[str, object]]:
    """People who share much: households, twins, father and son, common numbers."""
    rows = training_population(45, draw.randrange(10**6)).select(FEATURE_SCHEMA.names).to_pylist()
    for row in rows:
        row["suffix"] = draw.choice([None, None, None, None, "JR", "SR"])
        row["identifiers"] = draw.choice([None, f"i{draw.randrange(45)}"])
        if draw.random() < 0.3:
            row["family"], row["phone"] = "KOWALCHUK", f"503555{draw.randrange(12):04d}"
        if draw.random() < 0.3:
            row["given"], row["birth_date"], row["birth_text"] = "ALEXEI", datetime.date(1961, 5, 17), "1961-05-17"
    return rows


def test_a_rule_of_features_that_changed_is_a_change_of_whom_it_speaks_of(world: IdentityWorld) -> None:
    """Features that became others because a rule came are resolved as any change, though the record itself said nothing new."""
    world.put(patient("a", suffix="SR"), patient("b"))
    world.resolve()
    assert world.person("a") == world.person("b")
    world.put(patient("b", suffix="JR"))
    world.warehouse.execute("update control.change_log set object = 'feature_rule' where run_seq = ?", [world.run_seq])
    resolution = world.resolve()
    assert world.person("a") != world.person("b")
    assert resolution.compared == 1


def test_a_block_that_fills_and_empties_keeps_its_size(world: IdentityWorld) -> None:
    """The size of a full block is kept by what comes and goes, and at its cap its records pair again: each time as a full run finds it."""
    people = [patient(f"p{place}", facility_id=f"f{place}", phone=None, birth_date=datetime.date(1961, 5, place + 1), address_number=str(place))
              for place in range(9)]

    def is_right() -> bool:
        anew = IdentityWorld()
        keys = {str(row[0]) for row in world.rows("select patient_key from identity.patient_features")}
        anew.put(*(person for person in people if person["patient_key"] in keys))
        anew.resolve_full()
        return world.state() == anew.state()

    world.put(*people[:7])
    world.resolve()
    assert {int(size) for _, _, size in world.state()["full_block"]} == {7}
    world.put(*people[7:])
    world.resolve()
    assert {int(size) for _, _, size in world.state()["full_block"]} == {9}
    assert is_right()
    world.put(people[0] | {"given": "OTHERWISE"})
    people[0] = people[0] | {"given": "OTHERWISE"}
    world.resolve()
    assert {int(size) for _, _, size in world.state()["full_block"]} == {8}
    assert is_right()
    world.delete("p1", "p2", "p3", "p4")
    world.resolve()
    assert world.state()["full_block"] == []
    assert is_right()
