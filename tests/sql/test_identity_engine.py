"""The identity engine on small, hand-made populations whose true persons are known."""

from __future__ import annotations

import dataclasses
import datetime
import random

import pytest

from tests.sql.identity_world import SETTINGS, IdentityWorld, patient
from transforms.identity.policy import load_policy
from transforms.identity.records import FEATURE_SCHEMA
from transforms.identity.training_population import training_population


@pytest.fixture
def world() -> IdentityWorld:
    """Give an empty identity warehouse."""
    return IdentityWorld()


def test_one_human_at_two_facilities_is_one_person(world: IdentityWorld) -> None:
    """Equal name, birth date and sex with an equal phone link two records by rule."""
    world.put(patient("a"), patient("b", facility_id="hillside", address_number="9", postal_code="97301"))
    world.resolve()
    assert world.persons() == {frozenset("ab")}
    assert world.rows("select distinct link_rule from identity.link") == [("name_birth_date_reach",)]


def test_a_veto_keeps_twins_apart(world: IdentityWorld) -> None:
    """Twins share birth date, name, address, phone and insurance, and stay two persons, asked of nobody."""
    world.put(patient("a", given="MARCUS", members="m1"), patient("b", given="TOBIN", members="m1"))
    world.resolve()
    assert world.persons() == {frozenset("a"), frozenset("b")}


def test_father_and_son_are_parted_by_their_suffix(world: IdentityWorld) -> None:
    """A generation part that differs forbids a link that all else would make."""
    world.put(patient("a", suffix="SR"), patient("b", suffix="JR"), patient("c"))
    world.resolve()
    assert world.person("a") != world.person("b")


def test_no_cluster_holds_a_vetoed_pair_even_through_a_third_record(world: IdentityWorld) -> None:
    """A record that fits both father and son joins one of them, and the refused link becomes a steward's question."""
    world.put(patient("a", suffix="SR"), patient("b", suffix="JR"), patient("c"))
    world.resolve()
    assert len(world.persons()) == 2
    assert world.rows("select reason, count(*) from identity.review_pair group by 1 order by 1") == [("conflict", 1), ("review", 1)]


def test_placeholders_link_nobody(world: IdentityWorld) -> None:
    """Records whose name and birth date are unknown stay alone, however alike the rest is."""
    unknown = {"family": None, "given": None, "birth_date": None, "birth_text": None, "is_unidentified": True}
    world.put(patient("a", **unknown), patient("b", **unknown), patient("c", **unknown))
    world.resolve()
    assert len(world.persons()) == 3


def test_a_newborn_is_never_linked_by_itself(world: IdentityWorld) -> None:
    """Two newborns of one day and family are asked about, not linked: they may be twins."""
    born = {"given": None, "is_newborn": True, "birth_date": datetime.date(2025, 7, 1)}
    world.put(patient("a", **born), patient("b", **born))
    world.resolve()
    assert len(world.persons()) == 2


def test_the_same_identifier_of_one_authority_links(world: IdentityWorld) -> None:
    """Two dialects' records under one record number are one person, though one of them says next to nothing."""
    world.put(patient("a", identifiers="x1"),
              patient("b", identifiers="x1,x2", phone=None, address_number=None, postal_code=None, gender=None))
    world.resolve()
    assert world.rows("select distinct link_rule from identity.link") == [("same_identifier",)]


def test_a_number_shared_by_too_many_is_no_evidence(world: IdentityWorld) -> None:
    """A phone of more records than the cap links none of them, and links the two that remain when the others leave."""
    caps = dataclasses.replace(SETTINGS.model, block_caps=SETTINGS.model.block_caps | {"phone": 3}, version="model-small-cap")
    world = IdentityWorld(dataclasses.replace(SETTINGS, model=caps))
    moved = {"address_number": None, "postal_code": "97301"}
    namesakes = [patient(f"n{i}", family=f"OTHER{i}", birth_date=datetime.date(1950 + i, 1, 9), **moved) for i in range(3)]
    world.put(patient("a"), patient("b", **moved), *namesakes)
    world.resolve()
    assert world.person("a") != world.person("b")
    world.delete("n0", "n1")
    world.resolve()
    assert world.person("a") == world.person("b")


@pytest.mark.parametrize(("said", "linked"), [
    # the number differs: one shared thing asks where many bear the name, two link
    (({"ssn": "219456780", "ssn_last4": "6780"}, {"ssn": "547312299", "ssn_last4": "2299", "phone": "5035550199"}), False),
    (({"ssn": "219456780", "ssn_last4": "6780"}, {"ssn": "547312299", "ssn_last4": "2299"}), True),
    # the sex differs: a name that both sexes bear may be a twin's
    (({"gender": "female"}, {"phone": "5035550199"}), False),
    (({"gender": "female"}, {}), True),
    # two given names in the field of the family name, and one of them beside another
    (({"family": "SUN", "given": "XIAO", "middle": "HONG"}, {"family": "XIAO HONG", "given": "SUN"}), True),
    (({"family": "SUN", "given": "XIAO", "middle": "MIN"}, {"family": "XIAO HONG", "given": "SUN"}), False),
    # twins whose one-letter initials agree
    (({"given": "JALEN", "middle": "J"}, {"given": "SALEN", "middle": "J"}), False),
    # a birth date that is a slip away
    (({}, {"birth_date": datetime.date(1961, 5, 27), "phone": None}), False),
])
def test_what_one_shared_address_is_worth(world: IdentityWorld, said: tuple[dict[str, object], dict[str, object]], linked: bool) -> None:
    """Where a name that many bear comes with something that differs, one thing that a household shares links nobody."""
    names = (("KOWALCHUK", "ALEXEI"), ("SUN", "XIAO"), ("MILLER", "JALEN"), ("MILLER", "SALEN"))
    crowd = [patient(f"{given}{place}", family=family, given=given, birth_date=datetime.date(1900 + place, 1, 9), phone=None,
                     address_number=None, postal_code=f"{10000 + place}") for family, given in names for place in range(9)]
    world.put(patient("a", **said[0]), patient("b", **said[1]), *crowd)
    world.resolve()
    assert (world.person("a") == world.person("b")) is linked


def test_a_policy_pairs_by_blocks_of_its_own_and_knows_one_source(world: IdentityWorld) -> None:
    """Two records that share a postal code alone are linked by a policy with that block, unless one source says that they are two humans; step by
    step as in a full run, and under the shipped policy again nobody."""
    text = """{policies: {towns: {version: 1, owner: registry, effective_date: 2026-01-31, rules: [{name: same_town, zone: auto, when: {address: [area]}}],
      vetoes: [{name: one_source, when: {one_source: 1}}], blocks: [{name: by_town, parts: [postal_code], most: 3}]}}}"""
    shipped, towns = world.settings, dataclasses.replace(world.settings, policy=load_policy("towns", more=text))
    world.settings = towns
    world.put(patient("a"), patient("c", family="SUN", given="MARTA", address_number="2", phone=None, birth_date=datetime.date(1990, 1, 2)))
    world.resolve()
    assert len(world.persons()) == 2
    world.put(patient("b", facility_id="hillside", family="OTHER", given="PAULA", address_number="9", phone=None, birth_date=datetime.date(1980, 1, 2)))
    world.resolve()
    assert len(world.persons()) == 2
    step_by_step = world.state()
    world.resolve_full()
    assert world.state() == step_by_step
    # a fourth record of the town: the block holds more than it may and pairs nobody
    world.put(patient("d", facility_id="lakeside", family="THIRD", given="LUISE", address_number="7", phone=None, birth_date=datetime.date(1970, 1, 2)))
    world.resolve()
    assert len(world.persons()) == 4
    world.delete("d")
    world.settings = shipped
    world.resolve()
    assert len(world.persons()) == 3
    assert world.rows("select count(*) from identity.block where block_rule = 'by_town'") == [(0,)]


def test_a_name_that_begins_another_is_a_short_form_only_where_a_table_knows_it(world: IdentityWorld) -> None:
    """MIN and MINJUN of one birth date and household are asked about where others bear both names; ALEX and ALEXANDER are linked."""
    twins = {"family": "PARK", "birth_date": datetime.date(2014, 10, 24)}
    crowd = [patient(f"{given}{place}", given=given, family=f"KIM{place}", birth_date=datetime.date(1900 + place, 1, 9), phone=None,
                     address_number=None, postal_code=f"{10000 + place}") for given in ("MIN", "MINJUN") for place in range(6)]
    world.put(patient("a", given="MIN", **twins), patient("b", given="MINJUN", **twins), patient("c", given="ALEX"),
              patient("d", given="ALEXANDER"), *crowd)
    world.resolve()
    assert world.person("a") != world.person("b")
    assert world.person("c") == world.person("d")
    assert world.rows("select count(*) from identity.review_pair where 'a' in (patient_key_l, patient_key_r)") == [(1,)]


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
    other = {"family": "OTHER", "given": "PAULA", "gender": "female", "birth_date": datetime.date(1990, 1, 2), "phone": "5035559999",
             "address_number": "77"}
    world.put(patient("a"))
    world.resolve()
    world.put(*(patient(key, **other) for key in "bcd"))
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
    other = {"family": "OTHER", "given": "PAULA", "gender": "female", "birth_date": datetime.date(1990, 1, 2), "phone": "5035559999",
             "address_number": "77"}
    world.put(patient("a"), patient("b", **other), patient("c", **other))
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
