"""Which person id each record of a small population keeps through merges, decisions, splits and departures."""

from __future__ import annotations

import datetime

import pytest

from tests.sql.identity_world import OTHER, IdentityWorld, patient


@pytest.fixture
def world() -> IdentityWorld:
    """Give an empty identity warehouse."""
    return IdentityWorld()


def test_a_trusted_merge_links_and_its_undoing_unlinks(world: IdentityWorld) -> None:
    """An A40 puts the retired record in its survivor's person, whatever it says; without it the record stands alone again."""
    world.put(patient("a"), patient("b", family="OTHER", given="PAULA", gender="female", birth_date=datetime.date(1990, 1, 2), phone=None,
                                    address_number=None, postal_code=None))
    world.merge("b", "a")
    world.resolve()
    assert world.persons() == {frozenset("ab")}
    assert world.rows("select reason, veto is not null from identity.review_pair") == [("merge_conflict", True)]
    world.warehouse.execute("delete from canonical.patient_survivor")
    world.resolve()
    assert world.persons() == {frozenset("a"), frozenset("b")}
    assert world.rows("select count(*) from identity.review_pair") == [(0,)]


def test_a_wrong_merge_undone_gives_each_its_own_id_however_large_the_other_is(world: IdentityWorld) -> None:
    """A person of one record that a wrong A40 joined with a younger one of three keeps its id when it is parted from them again."""
    world.put(patient("a"))
    world.resolve()
    world.put(*(patient(key, **OTHER) for key in "bcd"))
    world.resolve()
    before = {key: world.person(key) for key in "abcd"}
    world.merge("a", "b")
    world.resolve()
    assert world.persons() == {frozenset("abcd")}
    world.decide("a", "b", "cannot_link")
    world.resolve()
    assert {key: world.person(key) for key in "abcd"} == before


def test_a_retired_record_brings_nobody_with_it(world: IdentityWorld) -> None:
    """What a retired record looks like links no third record: its survivor speaks for it."""
    world.put(patient("a"), patient("b", **OTHER), patient("c", **OTHER))
    world.merge("b", "a")
    world.resolve()
    assert world.persons() == {frozenset("ab"), frozenset("c")}


def test_a_steward_outranks_machine_and_merge(world: IdentityWorld) -> None:
    """Cannot-link parts what rules and merges join, link joins what a veto parts, and withdrawing brings the rules back."""
    world.put(patient("a"), patient("b"), patient("c", suffix="JR", facility_id="hillside"), patient("d", suffix="SR", phone="5035551111"))
    world.resolve()
    together = world.person("a") == world.person("b")
    world.decide("a", "b", "cannot_link")
    world.decide("c", "d", "link")
    world.resolve()
    assert together
    assert world.person("a") != world.person("b")
    assert world.person("c") == world.person("d")
    world.decide("a", "b", "withdrawn")
    world.decide("c", "d", "withdrawn")
    world.resolve()
    assert world.person("a") == world.person("b")
    assert world.person("c") != world.person("d")


def test_a_split_leaves_the_id_with_the_larger_part_and_a_merge_redirects(world: IdentityWorld) -> None:
    """The larger part keeps the id, a new one is minted for the rest, and a merge redirects to the older."""
    world.put(patient("a"), patient("b", facility_id="hillside"), patient("c", facility_id="lakeside"))
    world.resolve()
    first = world.person("a")
    world.decide("a", "c", "cannot_link")
    world.decide("b", "c", "cannot_link")
    world.resolve()
    second = world.person("c")
    assert world.person("a") == world.person("b") == first
    assert second not in (None, first)
    world.decide("a", "c", "withdrawn")
    world.decide("b", "c", "withdrawn")
    world.resolve()
    assert {world.person(key) for key in "abc"} == {first}
    assert world.rows("select person_id, to_person_id from identity.person_redirect") == [(second, first)]


def test_a_person_id_is_never_used_twice(world: IdentityWorld) -> None:
    """After splits, merges and deletions every id ever minted is minted once."""
    for _ in range(3):
        world.put(patient("a"), patient("b"))
        world.resolve()
        world.delete("a", "b")
        world.resolve()
    assert world.rows("select count(*), count(distinct person_id), count(distinct ordinal) from identity.person_minted") == [(3, 3, 3)]


def test_a_deleted_record_leaves_and_the_others_stay(world: IdentityWorld) -> None:
    """A record deleted at its source has no link, no edge and no question left; its person lives on in the others."""
    world.put(patient("a"), patient("b"), patient("c", given="ALEXEY", middle="IVAN"))
    world.resolve()
    before = world.person("b")
    world.delete("a")
    world.resolve()
    assert world.person("a") is None
    assert world.person("b") == before
    for table in ("edge", "review_pair"):
        assert world.rows(f"select count(*) from identity.{table} where 'a' in (patient_key_l, patient_key_r)") == [(0,)]
