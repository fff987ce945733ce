"""What happens in one stay: its movements, diagnoses, orders and treatments.

What belongs here: putting a stay together. Not here: how people come to a facility (`journey`), nor how a source writes things
down (`encode_*`).
"""

from __future__ import annotations

from random import Random

from transforms.synthetic.clock import DAY, HOUR
from transforms.synthetic.events import Condition, Prescription, Stay, StayVersion
from transforms.synthetic.laboratory import Laboratory
from transforms.synthetic.movements import Movements
from transforms.synthetic.people import Patient
from transforms.synthetic.site import Facts, Site
from transforms.synthetic.terminology import DIAGNOSES, DRUGS, PROCEDURES, VITALS


class Teller:
    """Tells stays at one facility: drawn from one random stream, cut at the horizon (nothing later has happened yet)."""

    def __init__(self, site: Site, rng: Random, facts: Facts, horizon: int) -> None:
        self.site, self.rng, self.facts, self.horizon = site, rng, facts, horizon
        self._movements = Movements(site, rng)
        self._laboratory = Laboratory(site, rng, facts, horizon)

    def stay(self, patient: Patient, kind: str, start: int, earliest: int) -> Stay:
        """A stay of the patient from `start`, which lies at least two hours before the horizon.

        `earliest` is the end of the person's stay before: no correction moves the start before it.
        """
        site, draw = self.site, self.rng.random
        versions = self._movements.tell(kind, start, earliest)
        count = site.count("visit")
        stay = Stay(patient, self.facts.next(), f"V{site.plan.authority[0]}{5_000_000 + count}", site.fhir_id("e"), kind)
        stay.occupied_until = max(version.end or version.at for version in versions)
        stay.versions = _known(versions, self.horizon)
        stay.attending = int(len(site.practitioners) * draw())
        if versions[-1].status != "cancelled":
            self._diagnoses(stay, start)
            self._laboratory.tell(stay, start, versions[-1].end or versions[0].at + 2 * DAY)
            self._treatments(stay, start)
        return stay

    def _diagnoses(self, stay: Stay, start: int) -> None:
        draw, site, fix = self.rng.random, self.site, self.site.zone.existing
        at = fix(stay.versions[0].at + 60 * int(20 + 60 * draw()))
        if at >= self.horizon:
            return
        first = int(len(DIAGNOSES) * draw())
        for place in range(1 + int(2.4 * draw())):
            versions = [(at, "active")]
            fate = draw()
            if fate < 0.02:
                versions.append((fix(at + int(1.5 * DAY * draw()) // 60 * 60 + HOUR), "error"))
            elif fate < 0.25:
                versions.append((fix(at + int(2 * DAY * draw()) // 60 * 60 + HOUR), "resolved"))
            onset = start // DAY - int(20 * draw() ** 2)
            diagnosis = DIAGNOSES[(first + place * 5) % len(DIAGNOSES)]
            kept = [version for version in versions if version[0] < self.horizon]
            stay.conditions.append(Condition(diagnosis, self.facts.next(), str(900_000 + site.count("condition")), onset, kept))

    def _treatments(self, stay: Stay, start: int) -> None:
        draw, site, fix = self.rng.random, self.site, self.site.zone.existing
        at = stay.versions[0].at
        if site.style in ("riverside", "lakeside"):
            for _ in range(int(1.8 * draw())):
                ordered = fix(at + 60 * int(10 + 90 * draw()))
                versions = [(ordered, "active")]
                if draw() < 0.2:
                    versions.append((fix(ordered + HOUR + int(2 * DAY * draw()) // 60 * 60), "stopped"))
                versions = [version for version in versions if version[0] < self.horizon]
                if versions:
                    drug = DRUGS[int(len(DRUGS) * draw())]
                    stay.prescriptions.append(
                        Prescription(drug, self.facts.next(), f"RX{400_000 + site.count('prescription')}", versions))
            if draw() < 0.35:
                done = fix(at + 60 * int(30 + 90 * draw()))
                if done < self.horizon:
                    procedure = PROCEDURES[int(len(PROCEDURES) * draw())]
                    stay.procedures.append((procedure, self.facts.next(), site.fhir_id("r"), done))
        if site.style == "riverside" and stay.versions[-1].status == "finished":
            stay.claim = (self.facts.next(), site.fhir_id("m"), 9000 + int(900_000 * draw()))
        if site.style == "summit":
            measured = fix(at + 300)
            stay.vitals = [(test, self.facts.next(), site.fhir_id("o"), measured, test.value(draw())) for test in VITALS
                           if measured < self.horizon]


def _known(versions: list[StayVersion], horizon: int) -> list[StayVersion]:
    """The versions recorded before the horizon."""
    return versions if versions[-1].at < horizon else [version for version in versions if version.at < horizon]
