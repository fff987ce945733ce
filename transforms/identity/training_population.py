"""A labelled population with human noise, from which the shipped model is trained.

What belongs here: people, their households and how registration desks write them down, as rows of
identity.patient_features plus `person_no`. Everything is drawn from a seed; no real person is in it. Rates are orders of
magnitude of published duplicate studies, not fits.
"""

from __future__ import annotations

import datetime
import hashlib
import random
from dataclasses import dataclass, replace
from importlib import resources

import pyarrow as pa
import pyarrow.csv

from transforms.identity.records import FEATURE_SCHEMA, nicknames

_DAY_ONE = datetime.date(1925, 1, 1).toordinal()
_DAYS = datetime.date(2025, 1, 1).toordinal() - _DAY_ONE
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _names() -> dict[str, tuple[str, ...]]:
    """Common names of the United States, most frequent first (Census Bureau 2010, Social Security Administration; public domain
    facts, abridged), and syllables of made-up rare ones: most people carry a name that few others do."""
    with resources.files("transforms.identity").joinpath("training_names.csv").open("rb") as file:
        rows = pa.csv.read_csv(file).to_pylist()
    return {kind: tuple(row["name"] for row in rows if row["kind"] == kind) for kind in ("family", "female", "male", "onset", "coda")}


_NAMES = _names()


@dataclass(frozen=True)
class _Person:
    person_no: int
    family: str
    given: str
    middle: str | None
    gender: str
    birth_date: datetime.date
    phone: str
    email: str | None
    address_number: str
    postal_code: str
    ssn: str | None
    member: str


def training_population(people: int, seed: int) -> pa.Table:
    """Draw `people` humans and one to five records of each: columns of identity.patient_features and `person_no`."""
    draw = random.Random(seed)  # noqa: S311 - a seeded population, nothing secret
    short = {name: nickname for nickname, name in zip(*(nicknames().column(c).to_pylist() for c in ("nickname", "name")), strict=True)}
    persons: list[_Person] = []
    while len(persons) < people:
        persons.extend(_household(draw, len(persons)))
    rows = [_record(draw, person, short) for person in persons for _ in range(draw.choices((1, 2, 3, 4, 5), (40, 28, 17, 10, 5))[0])]
    for ordinal, row in enumerate(rows):
        row["patient_key"] = hashlib.md5(f"{seed}|{ordinal}".encode(), usedforsecurity=False).hexdigest()
    return pa.Table.from_pylist(rows, schema=POPULATION_SCHEMA)


POPULATION_SCHEMA = FEATURE_SCHEMA.append(pa.field("person_no", pa.int64()))


def _household(draw: random.Random, first: int) -> list[_Person]:
    family, phone, number = _name(draw, "family", 0.55), _digits(draw, 10), str(draw.randrange(1, 20000))
    postal_code, member = str(97000 + draw.randrange(400)), _digits(draw, 9)
    people: list[_Person] = []
    for position in range(draw.choices((1, 2, 3, 4), (34, 32, 18, 16))[0]):
        gender = draw.choice(("male", "female"))
        given = _name(draw, gender, 0.85)
        twin = position > 2 and draw.random() < 0.1
        birth = people[-1].birth_date if twin else datetime.date.fromordinal(_DAY_ONE + int(_DAYS * draw.random()))
        people.append(_Person(
            person_no=first + position, family=family if draw.random() < 0.85 else _name(draw, "family", 0.55), given=given,
            middle=_name(draw, gender, 0.9) if draw.random() < 0.85 else None, gender=gender, birth_date=birth,
            phone=phone if draw.random() < 0.3 else _digits(draw, 10),
            email=f"{given}.{family}{draw.randrange(999)}@mail.example".lower() if draw.random() < 0.8 else None,
            address_number=number, postal_code=postal_code, ssn=_ssn(draw) if draw.random() < 0.93 else None,
            member=member if draw.random() < 0.6 else _digits(draw, 9),
        ))
    return people


def _record(draw: random.Random, person: _Person, short: dict[str, str]) -> dict[str, object]:
    seen = _misheard(draw, _lived(draw, person), short)
    middle = None if seen.middle is None or draw.random() < 0.45 else seen.middle[:1] if draw.random() < 0.5 else seen.middle
    ssn = seen.ssn if draw.random() < 0.5 else None
    hidden = ssn is not None and draw.random() < 0.3
    partial = draw.random() < 0.01
    return {
        "facility_id": f"facility_{draw.randrange(20)}", "authority": None, "family": seen.family, "given": seen.given, "middle": middle,
        "suffix": None, "is_newborn": False, "is_unidentified": False, "gender": seen.gender if draw.random() < 0.98 else None,
        "birth_date": None if partial else seen.birth_date, "birth_text": seen.birth_date.isoformat()[:7 if partial else 10],
        "phone": _maybe(draw, seen.phone, 0.85), "email": _maybe(draw, seen.email, 0.45),
        "address_number": _maybe(draw, seen.address_number, 0.92), "postal_code": _maybe(draw, seen.postal_code, 0.95),
        "ssn": None if hidden else ssn, "ssn_last4": ssn[-4:] if ssn else None, "identifiers": None,
        "members": _maybe(draw, seen.member, 0.75), "person_no": person.person_no,
    }


def _lived(draw: random.Random, person: _Person) -> _Person:
    """What changes in a life between registrations: name, address, phone, insurance."""
    seen = person
    if person.gender == "female" and draw.random() < 0.06:
        seen = replace(seen, family=_name(draw, "family", 0.55))
    if draw.random() < 0.25:
        seen = replace(seen, address_number=str(draw.randrange(1, 20000)), postal_code=str(97000 + draw.randrange(400)))
    if draw.random() < 0.25:
        seen = replace(seen, phone=_digits(draw, 10))
    if draw.random() < 0.3:
        seen = replace(seen, member=_digits(draw, 9))
    if draw.random() < 0.1 and seen.email:
        seen = replace(seen, email=f"{seen.given}{draw.randrange(9999)}@post.example".lower())
    return seen


def _misheard(draw: random.Random, seen: _Person, short: dict[str, str]) -> _Person:
    """What goes wrong at the desk."""
    return _misnumbered(draw, _misspelt(draw, _otherwise_named(draw, seen, short)))


def _otherwise_named(draw: random.Random, seen: _Person, short: dict[str, str]) -> _Person:
    """Short forms, initials, a second family name that one desk writes and another leaves out, another middle name."""
    if draw.random() < 0.08:
        seen = replace(seen, given=short.get(seen.given, seen.given))
    if draw.random() < 0.005:
        seen = replace(seen, given=seen.given[:1])
    if draw.random() < 0.05:
        seen = replace(seen, family=f"{seen.family} {_name(draw, 'family', 0.55)}")
    if draw.random() < 0.02 and seen.middle:
        seen = replace(seen, middle=_name(draw, draw.choice(("female", "male")), 0.9))
    if draw.random() < 0.01 and len(seen.given) > 5:
        seen = replace(seen, given=seen.given[:3], middle=seen.given[3:])
    elif draw.random() < 0.01 and seen.middle:
        seen = replace(seen, given=seen.middle, middle=seen.given)
    return seen


def _misspelt(draw: random.Random, seen: _Person) -> _Person:
    """Slips of the keyboard, and given and family name in each other's field."""
    if draw.random() < 0.015 and seen.email:
        seen = replace(seen, email=_slip(draw, seen.email).lower())
    if draw.random() < 0.02:
        seen = replace(seen, given=_slip(draw, seen.given))
    if draw.random() < 0.02:
        seen = replace(seen, family=_slip(draw, seen.family))
    if draw.random() < 0.006:
        seen = replace(seen, given=seen.family, family=seen.given)
        if draw.random() < 0.1:
            seen = replace(seen, given=_slip(draw, seen.given))
    return seen


def _misnumbered(draw: random.Random, seen: _Person) -> _Person:
    """A mistyped birth date, the other sex, a wrong digit."""
    if draw.random() < 0.013:
        seen = replace(seen, birth_date=_mistyped(draw, seen.birth_date))
    if draw.random() < 0.004:
        seen = replace(seen, gender="male" if seen.gender == "female" else "female")
    if draw.random() < 0.01 and seen.ssn:
        seen = replace(seen, ssn=_slip_digit(draw, seen.ssn))
    return seen


def _name(draw: random.Random, kind: str, share: float) -> str:
    common = _NAMES[kind]
    if draw.random() < share:
        # frequency falls with rank as in the census lists: the first name about ten times the hundredth
        return common[min(int(len(common) * draw.random() ** 2.2), len(common) - 1)]
    onsets = _NAMES["onset"]
    return draw.choice(onsets) + (draw.choice(onsets) if draw.random() < 0.3 else "") + draw.choice(_NAMES["coda"])


def _slip(draw: random.Random, text: str) -> str:
    if len(text) < 4:
        return text
    place = draw.randrange(1, len(text) - 1)
    return draw.choice((
        text[:place] + text[place + 1:], text[:place] + draw.choice(_LETTERS) + text[place:],
        text[:place] + draw.choice(_LETTERS) + text[place + 1:], text[:place] + text[place + 1] + text[place] + text[place + 2:],
    ))


def _slip_digit(draw: random.Random, text: str) -> str:
    place = draw.randrange(len(text))
    return text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1:]


def _mistyped(draw: random.Random, date: datetime.date) -> datetime.date:
    if date.day <= 12 and draw.random() < 0.4:
        return date.replace(month=date.day, day=date.month)
    if draw.random() < 0.5:
        return date.replace(day=date.day % 28 + 1)
    if draw.random() < 0.3:
        return date.replace(month=date.month % 12 + 1, day=min(date.day, 28))
    return date.replace(year=min(date.year + draw.choice((1, -1, 10, -10)), 2024), day=min(date.day, 28))


def _ssn(draw: random.Random) -> str:
    return f"{draw.randrange(1, 650):03d}{draw.randrange(1, 100):02d}{draw.randrange(1, 10000):04d}"


def _digits(draw: random.Random, length: int) -> str:
    return str(draw.randrange(2, 10)) + "".join(draw.choice("0123456789") for _ in range(length - 1))


def _maybe(draw: random.Random, value: str | None, share: float) -> str | None:
    return value if draw.random() < share else None
