"""Any sequence of arrivals, merges, decisions, departures and policy changes keeps what the person index promises."""

from __future__ import annotations

import dataclasses
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sql.identity_world import SETTINGS, IdentityWorld, patient

KEYS = "abcdef"
CONTENT = st.fixed_dictionaries({
    "family": st.sampled_from(["KOWALCHUK", "OTHER"]), "given": st.sampled_from(["ALEXEI", "ALEX", "MARTA"]),
    "birth_date": st.sampled_from([date(1961, 5, 17), date(1961, 5, 18), date(1990, 1, 2)]), "suffix": st.sampled_from([None, None, "JR", "SR"]),
    "phone": st.sampled_from(["5035550142", None]), "identifiers": st.sampled_from([None, None, "i1", "i2"]),
})
PAIR = st.lists(st.sampled_from(KEYS), min_size=2, max_size=2, unique=True)
STEP = st.one_of(
    st.tuples(st.just("put"), st.sampled_from(KEYS), CONTENT), st.tuples(st.just("put"), st.sampled_from(KEYS), CONTENT),
    st.tuples(st.just("merge"), PAIR), st.tuples(st.just("unmerge"), PAIR), st.tuples(st.just("delete"), st.sampled_from(KEYS)),
    st.tuples(st.just("decide"), PAIR, st.sampled_from(["link", "cannot_link", "withdrawn"])), st.tuples(st.just("policy")),
)
NARROW = dataclasses.replace(SETTINGS.policy, version="narrow-1", rules=SETTINGS.policy.rules[:4])


def _take(world: IdentityWorld, step: tuple[Any, ...]) -> None:
    """Do one step and resolve what changed."""
    kind, *said = step
    if kind == "put":
        world.put(patient(said[0], **said[1]))
    elif kind == "delete":
        world.delete(said[0])
    elif kind == "merge":
        world.merge(*said[0])
    elif kind == "unmerge":
        world.warehouse.execute("delete from canonical.patient_survivor where patient_key in (?, ?)", said[0])
    elif kind == "decide":
        world.decide(*said[0], said[1])
    else:
        policy = NARROW if world.settings.policy is SETTINGS.policy else SETTINGS.policy
        world.settings = dataclasses.replace(SETTINGS, policy=policy)
    world.run_seq += 1
    world.resolve()


def _replayed(world: IdentityWorld) -> dict[str, str]:
    """The person of each record as the history alone tells it."""
    person: dict[str, str] = {}
    for key, event, person_id in world.rows(
            "select patient_key, event, person_id from identity.link_history order by run_seq, patient_key, event desc"):
        if event == "link":
            person[key] = person_id
        else:
            assert person.pop(key) == person_id
    return person


def _check(steps: list[tuple[Any, ...]]) -> None:
    world = IdentityWorld()
    world.put(*(patient(key, family="OTHER" if key > "c" else "KOWALCHUK") for key in KEYS))
    world.resolve()
    for step in steps:
        _take(world, step)
        present = {row[0] for row in world.rows("select patient_key from identity.patient_features")}
        linked = dict(world.rows("select patient_key, person_id from identity.link"))
        assert set(linked) == present
        assert _replayed(world) == linked
        assert world.rows("select count(*) from identity.link where person_id not in (select person_id from identity.person_minted)") == [(0,)]
        ended = world.rows("select person_id, max_by(to_person_id, run_seq) from identity.person_redirect group by 1")
        assert not {person for person, to in ended if person != to} & set(linked.values())
    step_by_step, persons = world.state(), world.persons()
    world.run_seq += 1
    world.resolve_full()
    assert world.persons() == persons
    assert world.state() == step_by_step


@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.lists(STEP, min_size=3, max_size=6))
def test_history_replays_and_incremental_equals_full(steps: list[tuple[Any, ...]]) -> None:
    """After every step each record has one living person, the history alone gives the same persons, and a full run changes nothing."""
    _check(steps)


@pytest.mark.soak
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(STEP, min_size=3, max_size=14))
def test_history_replays_over_long_sequences(steps: list[tuple[Any, ...]]) -> None:
    """The same over many and longer sequences."""
    _check(steps)
