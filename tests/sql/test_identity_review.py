"""The review queue: what waits and since when, what asking yields, and decisions that need a second steward."""

from __future__ import annotations

from datetime import datetime

import pytest

from assets.stores.identity_decisions import Decision, record_decision
from assets.stores.identity_feedback import answers
from assets.stores.identity_review import Opinions, needs_another, open_pairs, opinions_for, queue, standing_opinions
from tests.sql.identity_world import IdentityWorld, patient
from transforms.errors import ConfigurationError
from transforms.identity.feedback import Answers

NOON = datetime(2026, 3, 1, 12)
# the same name, which is not one of the commonest, its middle name and birth date and nothing else: asked, not linked
ALONE = {"phone": None, "address_number": None, "postal_code": None, "family": "HENDERSON", "given": "MARY", "gender": "female"}


@pytest.fixture
def world() -> IdentityWorld:
    """Two pairs of common names, born on two days, among so many of each name that it counts as common."""
    world = IdentityWorld()
    crowd = [patient(f"x{day}", **ALONE, birth_text=f"1970-01-{day:02d}", birth_date=datetime(1970, 1, day).date()) for day in range(1, 13)]
    world.put(patient("a", **ALONE, middle="LEE"), patient("b", **ALONE, middle="LEE"), *crowd)
    world.resolve()
    return world


def _say(world: IdentityWorld, by: str, decision: str, reviewers: int = 2) -> bool:
    return needs_another(world.warehouse, Decision("b", "a", decision, by, "seen on paper"), reviewers, NOON, "policy-1")


def test_the_queue_says_what_waits_and_what_came_of_it(world: IdentityWorld) -> None:
    """A pair that waits is counted with the time since when; a decided one is counted as the rule's yield and waits no longer."""
    waiting = queue(world.warehouse)
    assert [(row["asked_by"], row["waiting"], row["linked"], row["kept_apart"]) for row in waiting] == [("name_birth_date_middle_review", 1, 0, 0)]
    assert waiting[0]["since"] == world.rows("select recorded_time from identity.resolution")[0][0]
    assert [(row["patient_key_l"], row["patient_key_r"], row["facility_l"]) for row in open_pairs(world.warehouse, 5)] == [("a", "b", "riverside")]
    record_decision(world.warehouse, Decision("a", "b", "cannot_link", "ana", "seen"), NOON, "model-1", "policy-1")
    world.run_seq += 1
    world.resolve()
    decided = queue(world.warehouse)
    assert [(row["asked_by"], row["waiting"], row["linked"], row["kept_apart"]) for row in decided] == [("name_birth_date_middle_review", 0, 0, 1)]
    assert open_pairs(world.warehouse, 5) == []


def test_answers_are_counted_by_rule_veto_and_score(world: IdentityWorld) -> None:
    """Only the newest decision of a pair counts, in the band of its score; what was withdrawn counts no more."""
    score = world.rows("select score from identity.edge where patient_key_l = 'a' and patient_key_r = 'b'")[0][0]
    for place, decision in enumerate(("cannot_link", "link")):
        said = Decision("a", "b", decision, "ana", "seen", seen=place)
        record_decision(world.warehouse, said, NOON, "model-1", "policy-1")
    assert answers(world.warehouse) == [Answers("name_birth_date_middle_review", "", "review", score // 5 * 5, 1, 0)]
    record_decision(world.warehouse, Decision("a", "b", "withdrawn", "ana", "unsure", seen=2), NOON, "model-1", "policy-1")
    assert answers(world.warehouse) == []


def test_a_second_steward_must_say_the_same(world: IdentityWorld) -> None:
    """One opinion waits, however often it is given; another steward's other opinion waits too; the same one makes the decision."""
    world.warehouse.execute("create table canonical.patient (fact_key varchar, identifier_value varchar)")
    world.warehouse.execute("alter table identity.patient_features add column address_street varchar")
    assert _say(world, "ana", "link")
    assert _say(world, "ana", "link")
    assert _say(world, "ben", "cannot_link")
    assert [(one["said_by"], one["decision"]) for one in standing_opinions(world.warehouse, "a", "b")] == [("ana", "link"), ("ben", "cannot_link")]
    assert not _say(world, "cat", "link")
    assert not _say(world, "ana", "link", reviewers=1)


def test_who_has_said_nothing_sees_no_opinion(world: IdentityWorld) -> None:
    """Another steward's opinion, and its reason, are shown to whoever has given an own, and only counted to others; after a decision there is none."""
    world.warehouse.execute("create table canonical.patient (fact_key varchar, identifier_value varchar)")
    world.warehouse.execute("alter table identity.patient_features add column address_street varchar")
    assert _say(world, "ana", "link")
    assert opinions_for(world.warehouse, "a", "b", "ben") == Opinions(hidden=1)
    assert [one["decision"] for one in opinions_for(world.warehouse, "a", "b", "ana").shown] == ["link"]
    assert _say(world, "ben", "cannot_link")
    assert [(one["said_by"], one["decision"]) for one in opinions_for(world.warehouse, "a", "b", "ben").shown] == [("ana", "link"), ("ben", "cannot_link")]
    record_decision(world.warehouse, Decision("a", "b", "link", "dan", "seen"), NOON, "model-1", "policy-1")
    assert opinions_for(world.warehouse, "a", "b", "ben") == Opinions()


def test_an_opinion_ends_with_the_decision(world: IdentityWorld) -> None:
    """Opinions from before a decision count for nothing after it, and a stranger to the index has none."""
    world.warehouse.execute("create table canonical.patient (fact_key varchar, identifier_value varchar)")
    world.warehouse.execute("alter table identity.patient_features add column address_street varchar")
    assert _say(world, "ana", "link")
    record_decision(world.warehouse, Decision("a", "b", "cannot_link", "dan", "seen"), NOON, "model-1", "policy-1")
    assert standing_opinions(world.warehouse, "a", "b") == []
    assert _say(world, "ben", "link")
    with pytest.raises(ConfigurationError):
        needs_another(world.warehouse, Decision("a", "nobody", "link", "ana", "seen"), 2, NOON, "policy-1")
