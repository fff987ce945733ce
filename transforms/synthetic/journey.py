"""The life of a person across the network: where they go, when they come back, which records are opened for them.

What belongs here: movement between facilities, readmission, transfer, death, duplicate and re-used record numbers. Not here:
what happens within one stay (`story`).
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from transforms.synthetic.clock import DAY, HOUR
from transforms.synthetic.events import Stay
from transforms.synthetic.people import Patient, Person, open_record
from transforms.synthetic.site import Facts, Site
from transforms.synthetic.story import Teller

HISTORY_DAYS = 40
_QUIET_GAP = 30 * DAY
_BUSY_GAP = 1.8 * DAY
_REST = 4 * HOUR


@dataclass(frozen=True)
class Window:
    """The told time, in local moments: history from `first`, feeds from `opening` up to (not including) `horizon`."""

    first: int
    opening: int
    horizon: int


@dataclass(frozen=True)
class Life:
    """A person with their records by facility ordinal and their stays in order of time."""

    person: Person
    patients: list[tuple[Site, Patient]]
    stays: list[tuple[Site, Stay]]


class Journeys:
    """Tells lives one after the other; keeps what they share: the facilities, and the record numbers that became free."""

    def __init__(self, sites: list[Site], rng: Random, facts: Facts, window: Window) -> None:
        self.sites, self.rng, self.window, self.facts = sites, rng, window, facts
        self.tellers = [Teller(site, rng, facts, window.horizon) for site in sites]
        self._free: dict[int, list[Patient]] = {}

    def live(self, number: int) -> Life:
        """The life of person `number`: demographics, records and stays."""
        window, draw = self.window, self.rng.random
        person = Person(number, self.rng, window.first, window.horizon)
        places = self._places(number)
        records: dict[int, list[Patient]] = {}
        stays: list[tuple[Site, Stay]] = []
        place, kind, earliest = places[0], "", window.first
        moment = window.first + int(self.rng.expovariate(1 / _QUIET_GAP))
        while True:
            if moment >= window.opening > earliest:
                moment = window.opening + int(_BUSY_GAP * draw())
            site = self.sites[place]
            start = max(moment, earliest) // 60 * 60 + (len(stays) % 30 if site.keeps_seconds else 0)
            if start >= window.horizon - 2 * HOUR:
                break
            patient = self._record(person, place, start, records.setdefault(place, []))
            stay = self.tellers[place].stay(patient, kind or _kind(draw()), start, earliest)
            stays.append((site, stay))
            patient.last_moment = max(patient.last_moment, last_moment(stay))
            self._notice_duplicate(patient)
            newest = stay.versions[-1]
            if newest.disposition == "exp":
                person.died_at = newest.end
                break
            earliest = stay.occupied_until + _REST
            others = [other for other in places if other != place]
            if newest.disposition == "other-hcf" and others:
                place, moment, kind = others[0], earliest, "IMP"
            else:
                place = place if draw() < 0.45 else places[int(len(places) * draw())]
                moment, kind = earliest + self._gap(earliest), ""
        self._give_back(records)
        return Life(person, [(self.sites[at], patient) for at, kept in records.items() for patient in kept], stays)

    def _gap(self, moment: int) -> int:
        return int(self.rng.expovariate(1 / (_QUIET_GAP if moment < self.window.opening else _BUSY_GAP)))

    def _places(self, number: int) -> list[int]:
        """One to three facilities, home first; homes go round so that every facility is somebody's home."""
        draw, size = self.rng.random, len(self.sites)
        fate = draw()
        wanted = min(size, 1 if fate < 0.5 else 2 if fate < 0.85 else 3)
        places = [number % size]
        while len(places) < wanted:
            other = int(size * draw())
            if other not in places:
                places.append(other)
        return places

    def _record(self, person: Person, place: int, start: int, kept: list[Patient]) -> Patient:
        """The record under which a stay is written: the known one, a fresh one, or by mistake a second one."""
        if kept and (len(kept) > 1 or self.rng.random() > 0.03):
            if self.sites[place].style == "lakeside":
                return kept[0]
            return kept[int(len(kept) * self.rng.random())]
        site = self.sites[place]
        since = start // 60 * 60 - 570
        predecessor = None if kept else self._recycled(place, since)
        number = predecessor.number if predecessor else site.record_number()
        fact = predecessor.fact if predecessor else self.facts.next()
        patient = Patient(person, number, site.fhir_id("p"), fact, since)
        open_record(patient, self.rng, site.plan.style.state, self.window.horizon)
        if predecessor:
            patient.predecessor, predecessor.reused = predecessor, True
            predecessor.versions = [version for version in predecessor.versions if version[0] < since]
        if kept and site.style == "lakeside":
            patient.merged_into = kept[0]
        kept.append(patient)
        return patient

    def _notice_duplicate(self, patient: Patient) -> None:
        """A duplicate record is merged some time after its only stay was written, if that time comes."""
        if patient.merged_into is not None and patient.merged_at is None:
            at = patient.last_moment // 60 * 60 + 45 + 6 * HOUR + int(DAY * self.rng.random()) // 60 * 60
            patient.merged_at = at if at < self.window.horizon else None
            if patient.merged_at is None:
                patient.merged_into = None

    def _recycled(self, place: int, since: int) -> Patient | None:
        """A retired record whose number may go to somebody else at `since`."""
        free = self._free.get(place, [])
        for index, patient in enumerate(free):
            if since >= self.window.opening and patient.last_moment + DAY < since:
                return free.pop(index)
        return None

    def _give_back(self, records: dict[int, list[Patient]]) -> None:
        """The old departmental system gives numbers of people who stay away to others."""
        for place, kept in records.items():
            if self.sites[place].style == "oldmill" and kept[0].predecessor is None and self.rng.random() < 0.12:
                self._free.setdefault(place, []).append(kept[0])


def _kind(draw: float) -> str:
    return "IMP" if draw < 0.24 else "EMER" if draw < 0.45 else "AMB"


def last_moment(stay: Stay) -> int:
    """The newest moment at which anything of the stay was recorded."""
    moments = [stay.versions[-1].at]
    moments += [condition.versions[-1][0] for condition in stay.conditions]
    for order in stay.orders:
        moments.append(order.versions[-1][0])
        moments += [result.versions[-1].at for result in order.results]
    return max(moments)
