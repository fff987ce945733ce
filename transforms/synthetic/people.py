"""Synthetic humans and the records that facilities keep of them.

A *person* is a human; a *patient* is one facility's record of someone, with its own number and its own, sometimes stale or
mistyped, idea of the person. What belongs here: who people are and how records differ. Not here: what happens to them.
"""

from __future__ import annotations

from random import Random

from transforms.synthetic.clock import DAY, iso_day
from transforms.synthetic.names import FAMILIES, MEN, NICKNAMES, STREET_KINDS, STREETS, TOWNS, WOMEN

RACES = (("2106-3", "White"), ("2054-5", "Black or African American"), ("2028-9", "Asian"), ("1002-5", "American Indian"))


class Person:
    """A human: true demographics, an optional marriage that changes the family name, an optional move."""

    __slots__ = ("number", "sex", "birth_date", "family", "given", "married_family", "married_at", "phone", "street", "city",
                 "zip", "moved_at", "new_phone", "new_street", "race", "hispanic", "died_at")

    def __init__(self, number: int, rng: Random, first_moment: int, last_moment: int) -> None:
        draw = rng.random
        self.number = number
        self.sex = "F" if draw() < 0.52 else "M"
        self.birth_date = iso_day[int(first_moment / DAY - 365 * (1 + 92 * draw() ** 0.8))]
        self.family = FAMILIES[int(len(FAMILIES) * draw() ** 1.4)]
        given = WOMEN if self.sex == "F" else MEN
        self.given = given[int(len(given) * draw() ** 1.3)]
        self.married_family: str | None = None
        self.married_at = last_moment
        adult = self.birth_date < "2005"
        if adult and draw() < 0.06:
            self.married_family = FAMILIES[int(len(FAMILIES) * draw())]
            self.married_at = first_moment + int((last_moment - first_moment) * draw()) // 60 * 60
        self.phone = _phone(draw())
        self.street = _street(rng)
        self.city, prefix = TOWNS[int(len(TOWNS) * draw())]
        self.zip = f"{prefix}{int(100 * draw()):02}"
        self.moved_at = last_moment
        self.new_phone, self.new_street = self.phone, self.street
        if draw() < 0.08:
            self.moved_at = first_moment + int((last_moment - first_moment) * draw()) // 60 * 60
            self.new_phone, self.new_street = _phone(draw()), _street(rng)
        self.race = RACES[int(len(RACES) * draw() ** 2)]
        self.hispanic = draw() < 0.18
        self.died_at: int | None = None


def _phone(draw: float) -> str:
    return f"555-{int(10_000_000 * draw):07}"


def _street(rng: Random) -> str:
    draw = rng.random
    text = f"{1 + int(980 * draw())} {STREETS[int(len(STREETS) * draw())]} {STREET_KINDS[int(len(STREET_KINDS) * draw())]}"
    return f"{text}, Apt {1 + int(40 * draw())}" if draw() < 0.1 else text


class Demographics:
    """What a record states of a person at one time. `rendered` caches the encoder's text of it."""

    __slots__ = ("family", "given", "sex", "birth_date", "phone", "street", "city", "state", "zip", "rendered")

    def __init__(self, person: Person, family: str, given: str, phone: str | None, street: str, state: str) -> None:
        self.family, self.given = family, given
        self.sex, self.birth_date = person.sex, person.birth_date
        self.phone, self.street, self.city, self.state, self.zip = phone, street, person.city, state, person.zip
        self.rendered: str | None = None


class Patient:
    """One facility's record of a person. `versions` are (recorded at, demographics), oldest first.

    `fact` numbers the record for the ledger; `merged_into` and `merged_at` tell an A40; `reused` that an earlier human had
    the same number, whose record then is `predecessor`.
    """

    __slots__ = ("person", "number", "fhir_id", "fact", "since", "versions", "merged_into", "merged_at", "reused", "predecessor",
                 "last_moment", "coverage")

    def __init__(self, person: Person, number: str, fhir_id: str, fact: int, since: int) -> None:
        self.person, self.number, self.fhir_id, self.fact, self.since = person, number, fhir_id, fact, since
        self.versions: list[tuple[int, Demographics]] = []
        self.merged_into: Patient | None = None
        self.merged_at: int | None = None
        self.reused = False
        self.predecessor: Patient | None = None
        self.last_moment = since
        self.coverage: tuple[str, int] | None = None

    def at(self, moment: int) -> Demographics:
        """What the record stated at a moment; before its first version, that version."""
        chosen = self.versions[0][1]
        for since, demographics in self.versions[1:]:
            if since > moment:
                break
            chosen = demographics
        return chosen


def _mistyped(name: str, rng: Random) -> str:
    """The name with two neighbouring letters exchanged."""
    at = 1 + int((len(name) - 2) * rng.random())
    return name[:at] + name[at + 1 : at + 2] + name[at] + name[at + 2 :]


def open_record(patient: Patient, rng: Random, state: str, last_moment: int) -> None:
    """Fill the versions of a new record: how the facility first wrote the person down, and what it learned later."""
    person, since, draw = patient.person, patient.since, rng.random
    married = person.married_family is not None and person.married_at <= since
    family = (person.married_family if married else person.family) or person.family
    given = NICKNAMES.get(person.given, person.given) if draw() < 0.12 else person.given
    typo = draw() < 0.05 and len(family) > 3
    written = _mistyped(family, rng) if typo else family
    phone = None if draw() < 0.1 else (person.new_phone if person.moved_at <= since else person.phone)
    street = person.new_street if person.moved_at <= since else person.street
    versions = [(since, Demographics(person, written, given, phone, street, state))]
    changes = []
    if person.married_family and not married and draw() < 0.8:
        changes.append((person.married_at + 1800, "marriage"))
    if since < person.moved_at < last_moment and draw() < 0.8:
        changes.append((person.moved_at + 5400, "move"))
    if typo and draw() < 0.5:
        changes.append((since + DAY + int(DAY * draw()) // 60 * 60, "typo"))
    for moment, kind in sorted(changes):
        before = versions[-1]
        if kind == "marriage":
            family = person.married_family or family
            written = family
        elif kind == "typo":
            written = family
        else:
            phone, street = person.new_phone, person.new_street
        at = max(moment, before[0] + 60)
        if at < last_moment:
            versions.append((at, Demographics(person, written, given, phone, street, state)))
    patient.versions = versions
