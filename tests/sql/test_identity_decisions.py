"""Decisions of people on the person index: what they do, and what is kept of them."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from assets.stores.identity_decisions import Decision, record_decision
from tests.sql.identity_world import OTHER, IdentityWorld, patient
from transforms.errors import ConfigurationError, ContractError

NOON = datetime(2026, 3, 1, 12)


@pytest.fixture
def world() -> IdentityWorld:
    """Give an empty identity warehouse."""
    return IdentityWorld()


def _decide(world: IdentityWorld, left: str, right: str, decision: str, by: str = "ana", seen: int = 0) -> int:
    return record_decision(world.warehouse, Decision(left, right, decision, by, "seen on paper", seen), NOON, "model-1", "policy-1")


def _redirects(world: IdentityWorld) -> dict[str, str]:
    """The newest redirect of each person."""
    return dict(world.rows("select person_id, max_by(to_person_id, run_seq) from identity.person_redirect group by 1"))  # type: ignore[arg-type]


def test_of_two_reviewers_the_first_wins_and_the_second_is_told(world: IdentityWorld) -> None:
    """A decision made without knowing of another is refused, names who decided, and is taken once that one was seen."""
    world.put(patient("a"), patient("b"))
    world.resolve()
    first = _decide(world, "b", "a", "cannot_link")
    with pytest.raises(ContractError, match=f"ana decided cannot_link.*--seen {first}"):
        _decide(world, "a", "b", "link", by="ben")
    assert world.rows("select count(*) from identity.decision") == [(1,)]
    assert _decide(world, "a", "b", "link", by="ben", seen=first) == first + 1


def test_a_decision_keeps_what_was_known(world: IdentityWorld) -> None:
    """Who, when, why, score, evidence levels and versions stand beside the decision; a stranger to the index cannot be decided on."""
    world.put(patient("a"), patient("b", middle="IVAN"))
    world.resolve()
    score = world.rows("select score from identity.edge")[0][0]
    _decide(world, "a", "b", "cannot_link")
    kept = world.rows("select decided_by, decided_time, reason, score, model_version, policy_version from identity.decision")
    assert kept == [("ana", NOON, "seen on paper", score, "model-1", "policy-1")]
    evidence = str(world.rows("select evidence from identity.decision")[0][0]).split()
    assert {"given=exact", "middle=unknown", "address=exact"} <= set(evidence)
    with pytest.raises(ConfigurationError):
        _decide(world, "a", "nobody", "link")


def test_a_wrong_merge_undone_restores_both_persons(world: IdentityWorld) -> None:
    """After a wrong A40 and an unlink every record is back in its own person, under the same id as before."""
    world.put(patient("a"), patient("b"), patient("x", **OTHER), patient("y", **OTHER))
    world.resolve()
    before = {key: world.person(key) for key in "abxy"}
    world.merge("x", "a")
    world.resolve()
    assert len({world.person(key) for key in "abx"}) == 1
    _decide(world, "a", "x", "cannot_link")
    world.resolve()
    assert {key: world.person(key) for key in "abxy"} == before
    assert before["a"] != before["x"]


@pytest.mark.parametrize("at_once", [True, False])
def test_wrong_merges_in_a_chain_are_undone_with_their_ids(world: IdentityWorld, at_once: bool) -> None:
    """Four persons of one to three records, joined by three wrong A40s in three runs, have their own ids again when all are parted."""
    people = {"a": "ANTON", "b": "BRUNO", "c": "CYRIL", "d": "DIEGO"}
    keys = {who: [f"{who}{place}" for place in range(size)] for who, size in zip(people, (1, 3, 2, 1), strict=True)}
    # the youngest comes first, so that the ids change hands in each merge
    for who in "cbda":
        world.put(*(patient(key, given=people[who], family=f"OF{who}", birth_date=date(1950 + ord(who), 1, 9), phone=f"50355500{ord(who)}",
                            address_number=str(ord(who))) for key in keys[who]))
        world.resolve()
    before = {key: world.person(key) for who in keys for key in keys[who]}
    assert len(set(before.values())) == 4
    wrong = [("a0", "b0"), ("b0", "c0"), ("c0", "d0")]
    for retired, survivor in wrong:
        world.merge(retired, survivor)
        world.run_seq += 1
        world.resolve()
    assert len({world.person(key) for key in ("a0", "b0", "c0", "d0")}) == 1
    for pair in wrong:
        world.decide(*pair, "cannot_link")
        if not at_once:
            world.run_seq += 1
            world.resolve()
    world.run_seq += 1
    world.resolve()
    assert {key: world.person(key) for key in before} == before


def test_a_record_sent_again_while_a_wrong_merge_held_hinders_nothing(world: IdentityWorld) -> None:
    """The only record of somebody was retired by a wrong A40 and sent again under another number: after the undoing both are who they were."""
    world.put(patient("x", **OTHER))
    world.resolve()
    world.put(patient("a"))
    world.resolve()
    before = {key: world.person(key) for key in "ax"}
    world.run_seq += 1
    world.merge("a", "x")
    world.resolve()
    world.put(patient("n"))
    world.resolve()
    meanwhile = world.person("n")
    assert meanwhile not in before.values()
    world.decide("a", "x", "cannot_link")
    world.run_seq += 1
    world.resolve()
    assert {key: world.person(key) for key in "axn"} == before | {"n": before["a"]}
    assert _redirects(world)[str(meanwhile)] == before["a"]


def test_a_record_that_passed_on_is_not_taken_for_deleted(world: IdentityWorld) -> None:
    """Of three persons in a chain of wrong A40s the first is parted; a record of its own that comes later finds the same person."""
    people = {key: {"given": given, "family": f"OF{key}", "birth_date": date(1950 + place, 1, 9), "phone": f"503555000{place}", "address_number": str(place)}
              for place, (key, given) in enumerate({"a": "ANTON", "b": "BRUNO", "c": "CYRIL"}.items())}
    for key in "cba":
        world.put(patient(key, **people[key]))
        world.resolve()
    mine = world.person("a")
    for retired, survivor in (("b", "a"), ("c", "b")):
        world.merge(retired, survivor)
        world.run_seq += 1
        world.resolve()
    world.decide("a", "b", "cannot_link")
    world.run_seq += 1
    world.resolve()
    assert world.person("a") == mine
    world.put(patient("n", **people["a"]))
    world.resolve()
    assert (world.person("a"), world.person("n")) == (mine, mine)


def test_an_id_that_was_merged_away_comes_back_with_its_record(world: IdentityWorld) -> None:
    """A person of one record that a link ended lives again after the unlink, and its redirect points to itself."""
    world.put(patient("a"), patient("x", **OTHER))
    world.resolve()
    mine, other = world.person("a"), world.person("x")
    first = _decide(world, "a", "x", "link")
    world.resolve()
    gone = ({mine, other} - {world.person("a")}).pop()
    assert _redirects(world) == {gone: world.person("a")}
    world.run_seq += 1
    _decide(world, "a", "x", "cannot_link", seen=first)
    world.resolve()
    assert (world.person("a"), world.person("x")) == (mine, other)
    assert _redirects(world) == {gone: gone}


def test_redirects_never_chain(world: IdentityWorld) -> None:
    """Whatever merged into whom, the newest redirect of each ended person points to one that lives."""
    people = [{"family": f"FAMILY{place}", "birth_date": date(1950 + place, 3, 4), "phone": None, "address_number": str(place)} for place in range(4)]
    for place in (3, 2, 1, 0):
        world.put(patient("abcd"[place], **people[place]))
        world.resolve()
    for left, right in (("a", "b"), ("b", "c"), ("c", "d")):
        world.run_seq += 1
        _decide(world, left, right, "link")
        world.resolve()
    living = {world.person(key) for key in "abcd"}
    assert len(living) == 1
    assert set(_redirects(world).values()) == living
    assert len(_redirects(world)) == 3


def test_a_decision_clusters_anew_and_compares_nothing(world: IdentityWorld) -> None:
    """What two records say did not change by a decision: their evidence stays, only their component is clustered, and a full run agrees."""
    world.put(patient("a"), patient("b"), patient("c", **OTHER))
    world.resolve()
    edges = world.state()["edge"]
    _decide(world, "a", "b", "cannot_link")
    world.run_seq += 1
    done = world.resolve()
    assert (done.compared, done.clustered, done.moved) == (0, 2, 1)
    assert world.person("a") != world.person("b")
    assert [row for row in world.state()["edge"] if row[4] != "parted"] == edges
    found = world.state()
    world.resolve_full()
    assert world.state() == found
