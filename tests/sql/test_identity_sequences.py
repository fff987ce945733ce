"""Any sequence of arrivals, merges, decisions, departures and policy changes keeps what the person index promises."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sql.identity_world import SETTINGS, IdentityWorld, patient
from transforms.identity.cluster import Edge, cluster

KEYS = "abcdef"
# mostly one human's, so that groups grow, and what parts them often
CONTENT = st.fixed_dictionaries({
    "family": st.sampled_from(["KOWALCHUK", "KOWALCHUK", "OTHER"]), "given": st.sampled_from(["ALEXEI", "ALEXEI", "ALEX", "MARTA"]),
    "birth_date": st.sampled_from([*[date(1961, 5, 17)] * 3, date(1961, 5, 18), date(1990, 1, 2)]), "suffix": st.sampled_from([None, "JR", "SR"]),
    "phone": st.sampled_from(["5035550142", "5035550142", None]), "identifiers": st.sampled_from([None, None, "i1", "i2"]),
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


def _kept_apart(world: IdentityWorld, linked: dict[str, str]) -> None:
    """No person holds a pair that a steward parted, nor father and son (JR and SR) whom people did not join."""
    said = world.rows("select patient_key_l, patient_key_r, max_by(decision, decision_seq) from identity.decision group by all")
    parted = {pair for *pair, decision in said if decision == "cannot_link" for pair in [tuple(pair)]}
    assert all(linked[left] != linked[right] for left, right in parted if left in linked and right in linked)
    merges = world.rows("select patient_key, survivor_key from canonical.patient_survivor")
    joined = [tuple(sorted(pair)) for *pair, decision in said if decision == "link"] + [tuple(sorted(pair)) for pair in merges]
    edges = [Edge(0, 0.0, *pair) for pair in joined if pair not in parted and set(pair) <= set(linked)]
    by_people = cluster(linked, edges, [], [], []).group
    retired = {key for key, survivor in merges if survivor in linked and tuple(sorted((key, survivor))) not in parted}
    suffix = dict(world.rows("select patient_key, suffix from identity.patient_features where suffix is not null"))
    for left, right in itertools.combinations(sorted(set(suffix) - retired), 2):
        assert suffix[left] == suffix[right] or linked[left] != linked[right] or by_people[left] == by_people[right]


def _nothing_lost(world: IdentityWorld, linked: dict[str, str], before: Counter[Any]) -> Counter[Any]:
    """What was appended stays; every record ever seen is in the history; no id is minted twice; a person ended leads to one that lives or
    whose records were all deleted. Gives what was appended by now."""
    kept = Counter((table, row) for table in ("link_history", "person_minted", "person_redirect", "decision", "overlay", "resolution")
                   for row in world.rows(f"select * from identity.{table}"))
    assert before <= kept
    assert {row[0] for row in world.rows("select distinct patient_key from identity.link_history")} == set(KEYS)
    assert world.rows("select count(*) - count(distinct person_id), count(*) - count(distinct ordinal) from identity.person_minted") == [(0, 0)]
    leads = dict(world.rows("select person_id, max_by(to_person_id, run_seq) from identity.person_redirect group by 1"))
    assert all(leads.get(to, to) == to for to in leads.values())
    history = world.rows("select run_seq, patient_key, event, person_id from identity.link_history")
    ended = {person: max(run for run, _, _, of in history if of == person) for *_, person in history
             if person not in linked.values() and leads.get(person, person) == person}
    moved = {(run, key) for run, key, event, _ in history if event == "link"}
    assert not any(ended.get(person) == run and (run, key) in moved for run, key, event, person in history if event == "unlink")
    return kept


def _check(steps: list[tuple[Any, ...]]) -> None:
    world, kept = IdentityWorld(), Counter[Any]()
    world.put(*(patient(key, family="OTHER" if key > "c" else "KOWALCHUK", suffix={"a": "JR", "c": "SR"}.get(key)) for key in KEYS))
    world.resolve()
    for step in steps:
        _take(world, step)
        present = {row[0] for row in world.rows("select patient_key from identity.patient_features")}
        linked = dict(world.rows("select patient_key, person_id from identity.link"))
        assert set(linked) == present
        assert _replayed(world) == linked
        _kept_apart(world, linked)
        kept = _nothing_lost(world, linked, kept)
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
