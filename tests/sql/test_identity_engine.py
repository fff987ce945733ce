"""Who is linked to whom in small, hand-made populations whose true persons are known."""

from __future__ import annotations

import dataclasses
import datetime

import pytest

from assets.stores.identity_questions import incomparable
from tests.sql.identity_world import SETTINGS, IdentityWorld, patient
from transforms.identity.policy_file import load_policy


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


def test_a_record_without_a_usable_attribute_is_counted_as_such(world: IdentityWorld) -> None:
    """It is its own person under a rule of its own, step by step as in a full run; one that says something and is alone is not of that class."""
    blank = dict.fromkeys(("family", "given", "gender", "birth_date", "birth_text", "phone", "address_number", "postal_code"))
    world.put(patient("a", **blank), patient("b", **blank), patient("c", **blank | {"given": "ALEXEI", "family": "KOWALCHUK"}), patient("z"))
    world.resolve()
    assert len(world.persons()) == 4
    rules = {"a": "nothing_to_compare", "b": "nothing_to_compare", "c": "nothing_to_compare", "z": "single"}
    assert dict(world.rows("select patient_key, link_rule from identity.link")) == rules
    assert incomparable(world.warehouse) == 3
    world.put(patient("b", **blank | {"birth_date": datetime.date(1961, 5, 17), "postal_code": "97201"}))
    world.resolve()
    assert incomparable(world.warehouse) == 2
    step_by_step = world.state()
    world.resolve_full()
    assert world.state() == step_by_step


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
      vetoes: [{name: one_source, reason: each source holds everybody once, when: {one_source: 1}}], blocks: [{name: by_town, parts: [postal_code], most: 3}]}}}"""
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
    world.put(patient("a", given="MIN", **twins), patient("b", given="MINJUN", **twins), patient("c", given="ALEX"),
              patient("d", given="ALEXANDER"), *crowd_of("MIN", "MINJUN"))
    world.resolve()
    assert world.person("a") != world.person("b")
    assert world.person("c") == world.person("d")
    assert world.rows("select count(*) from identity.review_pair where 'a' in (patient_key_l, patient_key_r)") == [(1,)]


def crowd_of(*givens: str, family: str = "") -> list[dict[str, object]]:
    """Give six strangers of each given name, so that it counts as one that others bear, with `family` the whole name."""
    return [patient(f"{given}{place}", given=given, family=family or f"KIM{place}", birth_date=datetime.date(1900 + place, 1, 9), phone=None,
                    address_number=None, postal_code=f"{10000 + place}") for given in givens for place in range(6)]


@pytest.mark.parametrize(("middles", "linked"), [
    pytest.param(("H", "HAO"), True, id="one middle name, an initial with the shorter"),
    pytest.param(("HAO", "HAO"), True, id="one middle name"),
    pytest.param(("HAO", "H"), False, id="XIAO HAO beside XIAOHONG H"),
    pytest.param((None, "HAO"), False, id="no middle name on one of them"),
    pytest.param(("WEN", "HAO"), False, id="two middle names"),
])
def test_a_name_cut_off_links_by_the_middle_name(world: IdentityWorld, middles: tuple[str | None, str], linked: bool) -> None:
    """XIAO and XIAOHONG, names that others bear too, are one human where they share a phone and the middle name or its initial, else asked about: HAO may be the
    second half of a twin's name."""
    world.put(*(patient(key, given=given, middle=middle) for key, given, middle in zip("ab", ("XIAO", "XIAOHONG"), middles, strict=True)),
              *crowd_of("XIAO", "XIAOHONG"))
    world.resolve()
    assert (world.person("a") == world.person("b")) is linked
    assert world.rows("select count(*) from identity.review_pair where 'a' in (patient_key_l, patient_key_r)") == [(int(not linked),)]


@pytest.mark.parametrize(("said", "linked"), [
    pytest.param((("YOUNG", "SOO"), ("YEONGSU", None)), True, id="two words, one word, another romanization"),
    pytest.param((("YOUNG", "HO"), ("YEONGSU", None)), False, id="another second half"),
    pytest.param((("MING", None), ("XIAOMING", None)), True, id="little MING"),
    pytest.param((("MING", None), ("XIAOLING", None)), False, id="little LING"),
])
def test_asian_names_are_one_in_their_usual_spellings(world: IdentityWorld, said: tuple[tuple[str, str | None], ...], linked: bool) -> None:
    """Desks write a Korean name in one word or two and by two romanizations, a Chinese one with XIAO before it or without; others bear these names too."""
    world.put(*(patient(key, given=given, middle=middle) for key, (given, middle) in zip("ab", said, strict=True)),
              *crowd_of(*(given for given, _ in said)))
    world.resolve()
    assert (world.person("a") == world.person("b")) is linked


@pytest.mark.parametrize(("names", "linked"), [
    pytest.param(("PHILIP", "PHILLIP"), True, id="long"),
    pytest.param(("MINA", "MINNA"), False, id="short"),
    pytest.param(("HASAN", "HASSAN"), False, id="short, though a table knows one as a form of the other"),
    pytest.param(("LEILA", "LAYLA"), False, id="two forms of one name"),
])
def test_two_names_that_sound_alike_are_one_where_they_are_long(world: IdentityWorld, names: tuple[str, str], linked: bool) -> None:
    """Of one household and birth date, two given names that sound alike and that others bear too are asked about where they are short."""
    world.put(*(patient(key, given=given) for key, given in zip("ab", names, strict=True)), *crowd_of(*names))
    world.resolve()
    assert (world.person("a") == world.person("b")) is linked
    assert world.rows("select count(*) from identity.review_pair where 'a' in (patient_key_l, patient_key_r)") == [(int(not linked),)]


@pytest.mark.parametrize(("differing", "linked"), [
    pytest.param({"postal_code": "97301"}, True, id="the address"),
    pytest.param({"postal_code": "97301", "phone": "5035550199"}, False, id="address and phone"),
])
@pytest.mark.parametrize("middle", [("LISA", "L"), ("LISA", "LISA")])
def test_a_rare_name_and_its_middle_bear_one_thing_that_differs(world: IdentityWorld, differing: dict[str, str], linked: bool, middle: tuple[str, str]) -> None:
    """A name that few bear links with its middle name or initial where one thing differs; where two do, a steward is asked."""
    said = patient("a", middle=middle[0], email=None, phone=None if linked else "5035550142")
    world.put(said, patient("b", middle=middle[1], facility_id="hillside", **({"phone": None} | differing)))
    world.resolve()
    assert (world.person("a") == world.person("b")) is linked
    assert world.rows("select count(*) from identity.review_pair") == [(int(not linked),)]


def test_a_common_name_and_a_birth_date_alone_are_not_asked_about(world: IdentityWorld) -> None:
    """A common name and a birth date, nothing shared and no address: a steward could only guess. With a middle name it is a question."""
    crowd = [patient(f"x{year}", birth_date=datetime.date(1900 + year, 2, 3), phone=None, postal_code=f"{10000 + year}") for year in range(9)]
    nothing = {"postal_code": None, "address_number": None, "phone": None}
    world.put(patient("a", **nothing), patient("b", facility_id="hillside", **nothing, middle="LEV"),
              patient("c", facility_id="lakeside", **nothing, middle="LEV"), *crowd)
    world.resolve()
    assert len({world.person(key) for key in "abc"}) == 3
    assert world.rows("select patient_key_l, patient_key_r from identity.review_pair") == [("b", "c")]


@pytest.mark.parametrize(("units", "married", "same_name"), [
    pytest.param((None, None), True, True, id="a house"), pytest.param(("12", "12"), True, True, id="one home"),
    pytest.param(("12", None), False, True, id="said once"), pytest.param(("12", "31"), False, False, id="two homes"),
])
def test_two_homes_of_one_house_are_two_addresses(
        world: IdentityWorld, units: tuple[str | None, str | None], married: bool, same_name: bool) -> None:
    """An address alone links one name and birth date unless it is two homes; beside another family name both records must say which home."""
    marta: dict[str, object] = {"given": "MARTA", "gender": "female", "phone": None}
    world.put(patient("a", family="SUN", address_unit=units[0], **marta), patient("b", family="MILLER", address_unit=units[1], **marta),
              patient("c", family="SMITH", given="JOHN", phone=None, address_unit=units[0]),
              patient("d", family="SMITH", given="JOHN", phone=None, address_unit=units[1]), *crowd_of("MARTA"), *crowd_of("JOHN", family="SMITH"))
    world.resolve()
    assert (world.person("a") == world.person("b")) is married
    assert (world.person("c") == world.person("d")) is same_name


@pytest.mark.parametrize(("family", "middle", "linked"), [
    pytest.param("MORALES", "A", True, id="its initial"), pytest.param("MORALES", "ALMOZA", True, id="all of it"),
    pytest.param("MORALES", "E", False, id="another initial"), pytest.param("ALMOZA", "A", False, id="the initial of the same name"),
])
def test_a_middle_initial_may_be_that_of_the_second_family_name(world: IdentityWorld, family: str, middle: str, linked: bool) -> None:
    """JOSE GUSTAVO MORALES ALMOZA is JOSE A MORALES where they share a phone; with another initial they may be twins."""
    for spelling, key in (("MORALES ALMOZA", "a"), ("MORALESALMOZA", "c")):
        world.put(patient(key, family=spelling, given="JOSE", middle="GUSTAVO"))
    world.put(patient("b", family=family, given="JOSE", middle=middle))
    world.resolve()
    assert [world.person(key) == world.person("b") for key in "ac"] == [linked, linked]


@pytest.mark.parametrize(("suffix", "linked"), [("JR", False), (None, True)])
def test_a_generation_part_on_one_record_parts_two_birth_dates(world: IdentityWorld, suffix: str | None, linked: bool) -> None:
    """A rare name in one home with dates one slip apart is one human, but JR on one of them says father and son."""
    world.put(patient("a", birth_date=datetime.date(2006, 5, 10)), patient("b", birth_date=datetime.date(2016, 5, 10), suffix=suffix))
    world.resolve()
    assert (world.person("a") == world.person("b")) is linked


def test_an_initial_of_another_place_is_no_middle_name_of_both(world: IdentityWorld) -> None:
    """JI MIN H and JI HUA S are twins, whose second halves differ, for all the H of HUA."""
    world.put(patient("a", given="JI", middle="MIN H"), patient("b", given="JI", middle="HUA S"))
    world.resolve()
    assert world.person("a") != world.person("b")


def test_two_numbers_and_two_phones_of_a_rare_name_are_asked_about(world: IdentityWorld) -> None:
    """One home and one name that few bear, two numbers and two phones: twins, of whom one was registered under the other's name."""
    world.put(patient("a", ssn_last4="1565"), patient("b", ssn_last4="9024", phone="5035550199"))
    world.resolve()
    assert world.person("a") != world.person("b")
    assert world.rows("select count(*) from identity.review_pair") == [(1,)]


@pytest.mark.parametrize(("homes", "linked"), [(("12", "12"), True), ((None, None), True), (("12", None), False)])
def test_two_numbers_of_a_rare_name_need_a_home_that_both_say(world: IdentityWorld, homes: tuple[str | None, str | None], linked: bool) -> None:
    """Twins have numbers that follow one another and may live in one house: an address of which only one record says the home is not enough."""
    for key, home, number in zip("ab", homes, ("1565", "1566"), strict=True):
        world.put(patient(key, phone=None, address_unit=home, ssn_last4=number))
    world.resolve()
    assert (world.person("a") == world.person("b")) is linked


def test_two_numbers_and_nothing_shared_keep_namesakes_apart(world: IdentityWorld) -> None:
    """Two humans of one rare name and birth date, each with a number: a middle initial that fits both does not join them, and is asked about."""
    here, there = {"phone": None}, {"phone": None, "address_number": "9", "postal_code": "97301"}
    world.put(patient("a", middle="D", ssn="219456780", ssn_last4="6780", **here), patient("b", middle="D", **here),
              patient("c", middle="D", ssn="547312299", ssn_last4="2299", **there), patient("d", middle="D", **there))
    world.resolve()
    assert world.person("a") == world.person("b") != world.person("c") == world.person("d")
    assert world.rows("select count(*) from identity.review_pair")[0][0] > 0


@pytest.mark.parametrize(("said", "persons"), [
    # names exchanged: who is called so is no twin of ALBERTO ALVAREZ, whom the record with both family names is too
    ((("RUIZ ALVAREZ", "ALBERTO"), ("RUIZ", "ALBERTO"), ("ALBERTO", "RUIZ"), ("ALVAREZ", "ALBERTO")), 1),
    # twins, of whom one is called as the family is; IBRAHIM's names were exchanged once
    ((("SAID", "SAID"), ("SAID", "IBRAHIM"), ("SAID", "IBRAHIM"), ("IBRAHIM", "SAID")), 2),
])
def test_names_in_each_others_field_part_nobody(world: IdentityWorld, said: tuple[tuple[str, str], ...], persons: int) -> None:
    """A given name that is the other's family name says nothing about twins, unless both have that family name."""
    world.put(*(patient(key, family=family, given=given) for key, (family, given) in zip("abcd", said, strict=True)), *crowd_of("SAID", "IBRAHIM"))
    world.resolve()
    assert len({world.person(key) for key in "abcd"}) == persons


@pytest.mark.parametrize(("other", "linked"), [("KOWALCHUK", True), ("KOWALCHUK TORRES", False)])
def test_one_of_two_family_names_is_not_enough_without_a_witness(world: IdentityWorld, other: str, linked: bool) -> None:
    """In one postal code a rare name links with one of its family names left out, not with another in its place."""
    world.put(patient("a", family="KOWALCHUK ARREN", phone=None), patient("b", family=other, phone=None, address_number="9"))
    world.resolve()
    assert (world.person("a") == world.person("b")) is linked

