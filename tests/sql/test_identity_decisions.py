"""Decisions of people on the person index: what they do, what is kept of them, and what was known when."""

from __future__ import annotations

import dataclasses
import math
from datetime import date, datetime
from pathlib import Path

import pytest

from assets.stores.identity_decisions import Decision, record_decision
from assets.stores.identity_overlay_answers import SAID, OverlayAnswer, contents, overlay_counts, overlays, record_answer
from assets.stores.identity_questions import link_history, pair_evidence, who_was
from tests.sql.identity_world import SETTINGS, IdentityWorld, patient
from transforms.errors import ConfigurationError, ContractError
from transforms.identity.evidence import waterfall

PAGE = Path(__file__).parents[2] / "docs" / "identity.md"
NOON = datetime(2026, 3, 1, 12)
OTHER = {"family": "OTHER", "given": "PAULA", "gender": "female", "birth_date": date(1990, 1, 2), "phone": "5035559999", "address_number": "77"}


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


def test_who_was_this_person_then_as_known_later(world: IdentityWorld) -> None:
    """One query tells the person on one day as known on another: before a link was known the records stand alone. What the page says in SQL
    says the same."""
    world.warehouse.execute(
        "create table canonical.patient_version (record_id varchar, fact_key varchar, facility_id varchar, name_family varchar, "
        "name_given varchar, birth_date varchar, gender varchar, source_time timestamp, source_order varchar, received_time timestamp)")
    for key, family, said, heard in (("a", "OLD", "2026-01-10", "2026-01-11"), ("a", "NEW", "2026-03-20", "2026-03-21"),
                                     ("b", "NEW", "2026-02-10", "2026-03-15")):
        world.warehouse.execute("insert into canonical.patient_version values (?, ?, 'riverside', ?, 'X', null, null, ?, '', ?)",
                                [f"{key}{said}", key, family, datetime.fromisoformat(said), datetime.fromisoformat(heard)])
    for day, row in ((datetime(2026, 1, 12), patient("a")), (datetime(2026, 3, 16), patient("b"))):
        world.settings = dataclasses.replace(SETTINGS, clock=lambda day=day: day)
        world.put(row)
        world.resolve()

    def names(on: date, known: date) -> list[tuple[object, object]]:
        return [(row["patient_key"], row["name_family"]) for row in who_was(world.warehouse, "a", on, known)]

    assert names(date(2026, 3, 1), date(2026, 3, 2)) == [("a", "OLD")]
    assert names(date(2026, 3, 1), date(2026, 4, 1)) == [("a", "OLD"), ("b", "NEW")]
    assert names(date(2026, 4, 1), date(2026, 4, 1)) == [("a", "NEW"), ("b", "NEW")]
    assert names(date(2026, 1, 1), date(2026, 4, 1)) == []
    written = PAGE.read_text(encoding="utf-8").split("```sql\n")[1].split("```")[0].replace("'KEY'", "'a'")
    asked = [{name: value for name, value in row.items() if name != "policy_version"} for row in who_was(world.warehouse, "a", date(2026, 3, 1), date(2026, 4, 1))]
    assert world.warehouse.query(written).to_pylist() == asked


def test_the_waterfall_adds_up(world: IdentityWorld) -> None:
    """Field by field the bits add up to the score that the pair has, from the odds of two random records."""
    world.put(patient("a"), patient("b", middle="IVAN", phone="5035550199"))
    world.resolve()
    edge = pair_evidence(world.warehouse, "b", "a")
    assert edge is not None
    rows = waterfall(SETTINGS.model, edge, float(str(edge["score"])))
    assert rows[0]["bits"] == round(math.log2(2e-6 / (1 - 2e-6)), 1)
    assert rows[-1]["total"] == round(float(str(edge["score"])), 1)
    assert {row["comparison"]: row["level"] for row in rows}["phone"] == "different"
    assert sum(float(str(row["bits"])) for row in rows) == pytest.approx(float(str(edge["score"])), abs=0.6)


def test_an_overlay_is_found_and_a_life_is_not(world: IdentityWorld) -> None:
    """Another human's content under the same key raises an overlay; a marriage, a move and a corrected birth date raise none."""
    world.put(patient("a"), patient("b"), patient("c"))
    world.resolve()
    world.put(patient("a", family="MARRIED", phone="5035551111"), patient("b", address_number="9", postal_code="97301", phone=None),
              patient("c", **OTHER, postal_code="10001"))
    world.resolve()
    assert world.rows("select patient_key, run_seq, score < 0 from identity.overlay") == [("c", 2, True)]
    assert [(row["patient_key"], row["link_rule"], row["others"]) for row in overlays(world.warehouse, 9)] == [("c", "single", 0)]
    world.put(patient("c", **(OTHER | {"birth_date": date(1990, 2, 1)}), postal_code="10001"))
    world.resolve()
    assert world.rows("select count(*) from identity.overlay") == [(1,)]


def test_the_history_says_why_a_past_link_was_made(world: IdentityWorld) -> None:
    """The levels that spoke for a link are told after its edge is gone or says something else; an edge that stays as it was is not kept twice."""
    world.put(patient("a"), patient("b", middle="IVAN"))
    world.resolve()
    score = world.rows("select score from identity.edge")[0][0]
    world.resolve_full()
    assert world.rows("select count(*) from identity.edge_past") == [(0,)]
    for changed in (patient("b", middle="IVAN", phone="5035559999"), patient("b", **OTHER, postal_code="10001")):
        world.put(changed)
        world.resolve()
    assert world.person("a") != world.person("b")
    assert world.rows("select until_seq from identity.edge_past order by 1") == [(2,), (3,)]
    # of the two only the new person is minted: whichever record kept the old one was linked in the first run
    told = [row for key in "ab" for row in link_history(world.warehouse, key) if row["event"] == "link" and row["run_seq"] == 1]
    assert [(row["other"], row["score"]) for row in told] == [("b", score), ("a", score)]
    assert all({"phone=exact", "given=exact", "middle=unknown"} <= set(str(row["evidence"]).split()) for row in told)
    alone = [row for key in "ab" for row in link_history(world.warehouse, key) if row["event"] == "link" and row["run_seq"] == 3]
    assert [(row["link_rule"], row["evidence"]) for row in alone] == [("single", None)]


def test_an_answered_overlay_leaves_the_list_and_a_new_change_raises_anew(world: IdentityWorld) -> None:
    """What a steward answered is counted and shown only where all are asked for; another change of the same record waits again."""
    world.put(patient("a"), patient("c"))
    world.resolve()
    world.put(patient("c", **OTHER, postal_code="10001"))
    world.resolve()
    first = record_answer(world.warehouse, OverlayAnswer("c", 2, "no_overlay", "ana", "seen on paper"), NOON)
    assert overlays(world.warehouse, 9) == []
    assert [(row["answer"], row["decided_by"], row["answer_seq"]) for row in overlays(world.warehouse, 9, closed=True)] == [("no_overlay", "ana", first)]
    world.put(patient("c"))
    world.resolve()
    assert [(row["patient_key"], row["run_seq"]) for row in overlays(world.warehouse, 9)] == [("c", 3)]
    assert overlay_counts(world.warehouse) == {"waiting": 1, "no_overlay": 1, "overlay": 0}
    record_answer(world.warehouse, OverlayAnswer("c", 2, "overlay", "ana", "seen again", seen=first), NOON)
    assert overlay_counts(world.warehouse) == {"waiting": 1, "no_overlay": 0, "overlay": 1}


def test_what_a_record_said_before_is_read_from_its_versions(world: IdentityWorld) -> None:
    """Newest first, one row for each content that differs from the one before it, with when it was said; nothing more is kept for it."""
    columns = ", ".join(f"{name} varchar" for name in SAID)
    world.warehouse.execute(f"create table canonical.patient_version (record_id varchar, fact_key varchar, {columns}, source_time timestamp, source_order varchar)")
    for day, family in ((1, "OLD"), (2, "OLD"), (3, "NEW"), (4, "NEW")):
        world.warehouse.execute("insert into canonical.patient_version (record_id, fact_key, name_family, source_time) values (?, 'c', ?, ?)",
                                [f"r{day}", family, datetime(2026, 1, day)])
    told = contents(world.warehouse, "c")
    assert [(row["name_family"], row["source_time"]) for row in told] == [("NEW", datetime(2026, 1, 3)), ("OLD", datetime(2026, 1, 1))]
    assert contents(world.warehouse, "nobody") == []


def test_an_overlay_that_people_joined_is_listed_with_whom(world: IdentityWorld) -> None:
    """A number that another human's content bears too joins nobody under a veto; what a steward joined stays, and the list says so until it is unlinked."""
    world.put(patient("a", identifiers="i1"), patient("b", identifiers="i1"), patient("c"))
    world.resolve()
    first = _decide(world, "a", "b", "link")
    _decide(world, "a", "c", "cannot_link")
    world.put(patient("b", identifiers="i1", **OTHER, postal_code="10001"), patient("c", identifiers="i1", **OTHER, postal_code="10001"))
    world.resolve()

    def listed() -> list[tuple[object, object]]:
        return sorted((row["patient_key"], row["others"]) for row in overlays(world.warehouse, 9))

    assert world.person("a") == world.person("b") != world.person("c")
    assert listed() == [("b", 1), ("c", 0)]
    _decide(world, "a", "b", "cannot_link", seen=first)
    world.run_seq += 1
    world.resolve()
    assert world.person("a") != world.person("b") == world.person("c")
    assert listed() == [("b", 1), ("c", 1)]


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
