"""One facility at work while the network's story is told: its clock, its counters and its staff."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from random import Random

from transforms.synthetic.clock import Zone
from transforms.synthetic.facility_plan import FacilityPlan
from transforms.synthetic.names import FAMILIES, MEN, WOMEN

WARDS = {"IMP": ("4E", "5W", "ICU", "6S"), "EMER": ("ED",), "AMB": ("CLINIC", "DAYCARE")}


class Facts:
    """Numbers the facts (patients, stays, results …) whose newest version decides a unit's outcome."""

    __slots__ = ("next",)

    def __init__(self) -> None:
        self.next: Callable[[], int] = itertools.count(1).__next__


class Practitioner:
    """A member of a facility's staff."""

    __slots__ = ("number", "family", "given", "new_family", "fact")

    def __init__(self, number: str, fact: int, rng: Random) -> None:
        self.number, self.fact = number, fact
        self.family = FAMILIES[int(len(FAMILIES) * rng.random())]
        given = WOMEN if rng.random() < 0.5 else MEN
        self.given = given[int(len(given) * rng.random())]
        self.new_family: str | None = None


class Site:
    """A facility with running numbers. Numbers look drawn but are a permutation of a counter, so none comes twice."""

    def __init__(self, plan: FacilityPlan, rng: Random, facts: Facts, staff: int) -> None:
        self.plan = plan
        self.style = plan.style.name
        self.facility_id = plan.facility_id
        self.zone = Zone(plan.style.timezone)
        self.keeps_seconds = self.style != "oldmill"
        self._counts: dict[str, int] = {}
        self.practitioners = [Practitioner(f"{plan.authority}{101 + i}", facts.next(), rng) for i in range(staff)]
        self.practitioners[-1].new_family = FAMILIES[int(len(FAMILIES) * rng.random())]

    def count(self, kind: str) -> int:
        """The next running number of a kind, from 1."""
        number = self._counts[kind] = self._counts.get(kind, 0) + 1
        return number

    def record_number(self) -> str:
        """A fresh patient number in the style of the facility."""
        count = self.count("patient")
        if self.style == "lakeside":
            return f"{(count * 7919 + 40_104_729) % 100_000_000:08}"
        if self.style == "oldmill":
            return f"{(count * 7919 + 104_729) % 1_000_000:06}"
        if self.style == "summit":
            return f"S{(count * 7919 + 4_729) % 10_000_000:07}"
        return f"{self.style[0].upper()}{(count * 7919 + 204_729) % 10_000_000:07}"

    def fhir_id(self, prefix: str) -> str:
        """A fresh opaque resource id (FHIR R4 id: letters, digits, '-', '.')."""
        return f"{prefix}{(self.count(prefix) * 2_654_435_761 + self.plan.ordinal) % 4_294_967_296:08x}"
