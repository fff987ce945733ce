"""What a clinic writes into the summary of a stay: the patient's allergies and vaccinations, which come again in every summary, and the
stay's problems; some summaries are replaced on the next day by a corrected one.

What belongs here: the events and their telling. Not here: C-CDA (`encode_ccda`) nor the truth's rows (`truth_documents`).
"""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from transforms.synthetic.clock import DAY
from transforms.synthetic.events import Stay
from transforms.synthetic.people import Patient
from transforms.synthetic.site import Facts, Site
from transforms.synthetic.terminology import ALLERGENS, VACCINES

ALLERGY, VACCINATION, PROBLEM = "allergy", "vaccination", "problem"


class Entry(NamedTuple):
    """One statement. `code` is the substance (null: none known), the vaccine or the problem; `day` that of its begin; state is `active` or
    `completed`, of a vaccination `done` or `refused`."""

    kind: str
    number: str
    fact: int
    code: str | None
    day: int
    state: str


class Summary(NamedTuple):
    """One document, written at a local moment and sent on a day counted from the first batch date."""

    number: str
    version: int
    stay: Stay
    at: int
    day: int
    entries: tuple[Entry, ...]


class Summaries:
    """Tells the summaries of the stays of a group of people at one facility that end within the told days."""

    def __init__(self, site: Site, rng: Random, facts: Facts, opening_day: int, days: int) -> None:
        self.site, self.rng, self.facts, self.opening_day, self.days = site, rng, facts, opening_day, days
        self.told: list[Summary] = []
        self._known: dict[int, list[Entry]] = {}

    def summarize(self, stay: Stay) -> None:
        """The summary of a stay that has ended, and now and then its corrected version."""
        newest = stay.versions[-1]
        day = newest.at // DAY - self.opening_day
        if newest.status != "finished" or day < 0:
            return
        problems = [Entry(PROBLEM, condition.number, self.facts.next(), condition.diagnosis.icd10, condition.onset,
                          "completed" if condition.versions[-1][1] == "resolved" else "active")
                    for condition in stay.conditions if condition.versions[-1][1] != "error"]
        known = self._background(stay.patient, newest.at // DAY)
        number = f"D{700_000 + self.site.count('summary')}"
        self.told.append(Summary(number, 1, stay, newest.at, day, (*known, *problems)))
        if problems and day + 1 < self.days and self.rng.random() < 0.25:
            mended = problems[0]._replace(day=problems[0].day - 30)
            self.told.append(Summary(number, 2, stay, newest.at + DAY, day + 1, (*known, mended, *problems[1:])))

    def _background(self, patient: Patient, today: int) -> list[Entry]:
        """Allergies and vaccinations: the same in each summary, but that an allergy may have passed since the first."""
        draw = self.rng.random
        if patient.fact in self._known:
            known = self._known[patient.fact]
            if draw() < 0.3 and known[0].code is not None:
                known = self._known[patient.fact] = [known[0]._replace(state="completed"), *known[1:]]
            return known
        count, long_ago = self.site.count, today - 400
        substance = None if draw() < 0.4 else ALLERGENS[int(len(ALLERGENS) * draw())]
        known = [Entry(ALLERGY, f"A{count('allergy')}", self.facts.next(), substance, long_ago - int(5000 * draw()), "active")]
        for _ in range(int(2.5 * draw())):
            known.append(Entry(VACCINATION, f"I{count('vaccination')}", self.facts.next(), VACCINES[int(len(VACCINES) * draw())],
                               long_ago + int(300 * draw()), "refused" if draw() < 0.1 else "done"))
        self._known[patient.fact] = known
        return known
