"""Overlays: a record whose content became another human's is raised, listed with what it touches, and answered."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from assets.stores.identity_overlay_answers import SAID, OverlayAnswer, contents, linked_records, overlay_counts, overlays, record_answer
from tests.sql.identity_world import OTHER, IdentityWorld, patient

NOON = datetime(2026, 3, 1, 12)


@pytest.fixture
def world() -> IdentityWorld:
    """Give an empty identity warehouse."""
    return IdentityWorld()


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
    world.warehouse.execute(f"create table canonical.patient_version (record_id varchar, fact_key varchar, identifier_value varchar, {columns}, source_time timestamp, source_order varchar)")
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
    world.decide("a", "b", "link")
    world.decide("a", "c", "cannot_link")
    world.put(patient("b", identifiers="i1", **OTHER, postal_code="10001"), patient("c", identifiers="i1", **OTHER, postal_code="10001"))
    world.resolve()

    def listed() -> list[tuple[object, object]]:
        return sorted((row["patient_key"], row["others"]) for row in overlays(world.warehouse, 9))

    assert world.person("a") == world.person("b") != world.person("c")
    assert [row["patient_key"] for row in linked_records(world.warehouse, "b")] == ["a"]
    assert linked_records(world.warehouse, "c") == []
    assert listed() == [("b", 1), ("c", 0)]
    world.decide("a", "b", "cannot_link")
    world.run_seq += 1
    world.resolve()
    assert world.person("a") != world.person("b") == world.person("c")
    assert listed() == [("b", 1), ("c", 1)]
