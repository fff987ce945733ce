"""Prescriptions and procedures of a facility whose pharmacy and theatre have systems of their own: rows with all their states.

What belongs here: the rows and their telling. Not here: change events (`encode_debezium`), Parquet (`encode_dms_parquet`) nor the truth.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from transforms.synthetic.clock import HOUR
from transforms.synthetic.events import Stay
from transforms.synthetic.site import Facts, Site
from transforms.synthetic.terminology import DRUGS, PROCEDURES, Drug, ProcedureCode

GONE = "gone"


@dataclass(frozen=True)
class Treatment:
    """One row: `states` are (recorded at, status), oldest first, the last of them perhaps `GONE`: the row was deleted."""

    key: int
    number: str
    fact: int
    stay: Stay
    what: Drug | ProcedureCode
    at: int
    states: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Change:
    """One change of a row, or its image in the first load (`at` is null): what it was before and is after, null for none."""

    row: Treatment
    at: int | None
    before: str | None
    after: str | None


class Treatments:
    """Tells the treatments of a group of people at one facility, cut at the horizon."""

    def __init__(self, site: Site, rng: Random, facts: Facts, horizon: int) -> None:
        self.site, self.rng, self.facts, self.horizon = site, rng, facts, horizon
        self.prescriptions: list[Treatment] = []
        self.procedures: list[Treatment] = []

    def treat(self, stay: Stay) -> None:
        """Prescribe in every other stay that took place, operate in every third."""
        draw = self.rng.random
        if stay.versions[-1].status == "cancelled":
            return
        if draw() < 0.5:
            drug = DRUGS[int(len(DRUGS) * draw())]
            self._add(self.prescriptions, stay, drug, "RX", ("active", "stopped", GONE))
        if draw() < 0.35:
            procedure = PROCEDURES[int(len(PROCEDURES) * draw())]
            self._add(self.procedures, stay, procedure, "PR", ("in-progress", "completed", "entered-in-error"))

    def _add(self, rows: list[Treatment], stay: Stay, what: Drug | ProcedureCode, prefix: str, course: tuple[str, str, str]) -> None:
        draw, fix = self.rng.random, self.site.zone.existing
        at = fix(stay.versions[0].at + 60 * int(10 + 60 * draw()))
        states = [(at, course[0])]
        if draw() < 0.5:
            states.append((fix(at + HOUR + 60 * int(1500 * draw())), course[1]))
        if draw() < 0.25:
            states.append((fix(states[-1][0] + HOUR + 60 * int(1500 * draw())), course[2]))
        kept = tuple(state for state in states if state[0] < self.horizon)
        if kept:
            key = self.site.count(prefix)
            rows.append(Treatment(key, f"{prefix}{600_000 + key}", self.facts.next(), stay, what, at, kept))


def changes(row: Treatment, opening: int) -> Iterator[Change]:
    """What a captured table sends of a row: its state at the opening of the feed, where it had one, and every later change."""
    earlier = [status for at, status in row.states if at < opening]
    before = earlier[-1] if earlier and earlier[-1] != GONE else None
    if before is not None:
        yield Change(row, None, None, before)
    for at, status in row.states[len(earlier):]:
        after = None if status == GONE else status
        yield Change(row, at, before, after)
        before = after
