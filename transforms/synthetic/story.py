"""What happens to people: stays, diagnoses, orders and results, with every later change of mind.

All moments are local to the facility (see `clock`), and everything that can change is a list of versions, oldest first, whose
moments rise strictly. What belongs here: events. Not here: how a source writes them down (`encode_*`).
"""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from transforms.synthetic.clock import DAY, HOUR
from transforms.synthetic.people import Patient
from transforms.synthetic.site import WARDS, Facts, Site
from transforms.synthetic.terminology import (
    DIAGNOSES,
    DRUGS,
    PANELS,
    PROCEDURES,
    VITALS,
    Diagnosis,
    Drug,
    LabTest,
    Panel,
    ProcedureCode,
)


class StayVersion(NamedTuple):
    """What is known of a stay from a moment on. `event` is the HL7 v2 trigger that tells it."""

    at: int
    event: str
    status: str
    start: int
    end: int | None
    ward: str
    room: str
    bed: str
    disposition: str | None


class ResultVersion(NamedTuple):
    """What is known of one result from a moment on; `text` replaces the number where there is none."""

    at: int
    status: str
    value: str | None
    text: str | None


class Result:
    """One test result of an order."""

    __slots__ = ("test", "fact", "number", "versions")

    def __init__(self, test: LabTest, fact: int, number: str, versions: list[ResultVersion]) -> None:
        self.test, self.fact, self.number, self.versions = test, fact, number, versions


class Order:
    """A laboratory order with its report and results. `versions` are (at, status), `report_versions` likewise."""

    __slots__ = ("panel", "fact", "number", "filler", "report_fact", "report_id", "request_id", "authored", "collected", "stat",
                 "provider", "versions", "report_versions", "results")

    def __init__(self, panel: Panel, fact: int, number: str, authored: int) -> None:
        self.panel, self.fact, self.number, self.authored = panel, fact, number, authored
        self.filler = self.report_id = self.request_id = ""
        self.report_fact = 0
        self.collected = authored
        self.stat = False
        self.provider = 0
        self.versions: list[tuple[int, str]] = [(authored, "active")]
        self.report_versions: list[tuple[int, str]] = []
        self.results: list[Result] = []


class Condition:
    """A diagnosis recorded in a stay; `versions` are (at, state) with state active, resolved or error."""

    __slots__ = ("diagnosis", "fact", "number", "onset", "versions")

    def __init__(self, diagnosis: Diagnosis, fact: int, number: str, onset: int, versions: list[tuple[int, str]]) -> None:
        self.diagnosis, self.fact, self.number, self.onset, self.versions = diagnosis, fact, number, onset, versions


class Prescription:
    """A drug prescribed in a stay; `versions` are (at, status)."""

    __slots__ = ("drug", "fact", "number", "versions")

    def __init__(self, drug: Drug, fact: int, number: str, versions: list[tuple[int, str]]) -> None:
        self.drug, self.fact, self.number, self.versions = drug, fact, number, versions


class Stay:
    """An encounter at one facility, of class IMP, EMER or AMB, with all that was done in it."""

    __slots__ = ("patient", "fact", "number", "fhir_id", "kind", "versions", "attending", "conditions", "orders", "prescriptions",
                 "procedures", "claim", "vitals", "occupied_until")

    def __init__(self, patient: Patient, fact: int, number: str, fhir_id: str, kind: str) -> None:
        self.patient, self.fact, self.number, self.fhir_id, self.kind = patient, fact, number, fhir_id, kind
        self.versions: list[StayVersion] = []
        self.attending = 0
        self.conditions: list[Condition] = []
        self.orders: list[Order] = []
        self.prescriptions: list[Prescription] = []
        self.procedures: list[tuple[ProcedureCode, int, str, int]] = []
        self.claim: tuple[int, str, int] | None = None
        self.vitals: list[tuple[LabTest, int, str, int, str]] = []
        self.occupied_until = 0


def known(versions: list[StayVersion], horizon: int) -> list[StayVersion]:
    """The versions recorded before the horizon."""
    return versions if versions[-1].at < horizon else [version for version in versions if version.at < horizon]


class Teller:
    """Tells stays at one facility: drawn from one random stream, cut at the horizon (nothing later has happened yet)."""

    def __init__(self, site: Site, rng: Random, facts: Facts, horizon: int) -> None:
        self.site, self.rng, self.facts, self.horizon = site, rng, facts, horizon

    def stay(self, patient: Patient, kind: str, start: int, earliest: int) -> Stay:
        """A stay of the patient from `start`, which lies at least two hours before the horizon.

        `earliest` is the end of the person's stay before: no correction moves the start before it.
        """
        site, draw = self.site, self.rng.random
        versions = self._movements(kind, start, earliest)
        count = site.count("visit")
        stay = Stay(patient, self.facts.next(), f"V{site.plan.authority[0]}{5_000_000 + count}", site.fhir_id("e"), kind)
        stay.occupied_until = max(version.end or version.at for version in versions)
        stay.versions = known(versions, self.horizon)
        stay.attending = int(len(site.practitioners) * draw())
        if versions[-1].status != "cancelled":
            self._diagnoses(stay, start)
            self._orders(stay, start, versions[-1].end or versions[0].at + 2 * DAY)
            self._treatments(stay, start)
        return stay

    def _movements(self, kind: str, start: int, earliest: int) -> list[StayVersion]:
        draw, fix = self.rng.random, self.site.zone.existing
        start = fix(start)
        wards = WARDS[kind]
        ward = wards[int(len(wards) * draw())]
        room, bed = str(101 + int(420 * draw())), "AB"[draw() < 0.5]
        at = fix(start + 60 * int(1 + 9 * draw()))
        first = StayVersion(at, "A01" if kind == "IMP" else "A04", "in-progress", start, None, ward, room, bed, None)
        told = [first]
        fate = draw()
        if fate < 0.03:
            told.append(first._replace(at=fix(at + HOUR + 60 * int(120 * draw())), event="A11", status="cancelled"))
            return _rising(told)
        end = fix(start + self._length(kind))
        if kind == "IMP":
            self._transfers(told, end)
        if kind == "AMB" and fate > 0.85:
            return told
        if 0.03 < fate < 0.09:
            moved = fix(start - DAY + 60 * int(300 * draw()))
            if moved > earliest:
                when = fix(at + int(1.4 * DAY * draw() + HOUR) // 60 * 60)
                if when < end:
                    told.append(told[-1]._replace(at=when, event="A08", start=moved))
                    start = moved
                else:
                    self._discharge(told, end, kind)
                    told.append(told[-1]._replace(at=fix(max(when, told[-1].at + 60)), event="A08", start=moved))
                    return _rising(told)
        self._discharge(told, end, kind)
        return _rising(told)

    def _length(self, kind: str) -> int:
        """Seconds of a stay, in whole minutes."""
        draw = self.rng.random
        if kind == "IMP":
            return 60 * int(600 + min(self.rng.expovariate(1 / 3600), 25_000))
        return 60 * int(120 + 480 * draw()) if kind == "EMER" else 60 * int(20 + 70 * draw())

    def _transfers(self, told: list[StayVersion], end: int) -> None:
        draw, fix = self.rng.random, self.site.zone.existing
        for _ in range(int(2.2 * draw())):
            last = told[-1]
            at = fix(last.at + int((end - last.at) * draw()) // 60 * 60)
            if at > last.at:
                ward = WARDS["IMP"][int(4 * draw())]
                told.append(last._replace(at=at, event="A02", ward=ward, room=str(101 + int(420 * draw())), bed="AB"[draw() < 0.5]))

    def _discharge(self, told: list[StayVersion], end: int, kind: str) -> None:
        """Append the discharge, and in some inpatient stays its cancellation and the second discharge."""
        draw, fix = self.rng.random, self.site.zone.existing
        last = told[-1]
        end = max(end, last.start + 600)
        at = fix(max(end + 60 * int(3 + 15 * draw()), last.at + 60))
        fate = draw()
        disposition = "home"
        if kind == "IMP":
            disposition = "exp" if fate < 0.025 else "other-hcf" if fate < 0.11 else "home"
        told.append(last._replace(at=at, event="A03", status="finished", end=end, disposition=disposition))
        if kind == "IMP" and fate > 0.95:
            again = fix(at + 60 * int(45 + 100 * draw()))
            told.append(last._replace(at=again, event="A13", status="in-progress", end=None, disposition=None))
            end = fix(again + 60 * int(400 + 1500 * draw()))
            told.append(last._replace(at=fix(end + 300), event="A03", status="finished", end=end, disposition="home"))

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

    def _orders(self, stay: Stay, start: int, end: int) -> None:
        draw = self.rng.random
        wanted = {"IMP": 1 + int(2.6 * draw()), "EMER": int(2.4 * draw()), "AMB": int(1.7 * draw())}[stay.kind]
        end = min(end, self.horizon)
        for _ in range(wanted):
            authored = self.site.zone.existing(start + 600 + max(0, int((end - start - 1200) * draw())) // 60 * 60)
            if authored <= stay.versions[0].at:
                authored = stay.versions[0].at + 60
            if authored < self.horizon:
                stay.orders.append(self._order(stay, authored))

    def _order(self, stay: Stay, authored: int) -> Order:
        draw, site, fix = self.rng.random, self.site, self.site.zone.existing
        count = site.count("order")
        order = Order(PANELS[int(len(PANELS) * draw())], self.facts.next(), f"P{700_000 + count}", authored)
        order.request_id, order.report_id = site.fhir_id("s"), site.fhir_id("d")
        order.filler, order.report_fact = f"F{300_000 + count}", self.facts.next()
        order.stat = draw() < 0.2
        order.provider = stay.attending
        fate = draw()
        if fate < 0.04:
            request = authored + 60 * int(15 + 30 * draw())
            order.versions += [(request, "cancel-requested"), (request + 300, "revoked")]
        else:
            order.collected = fix(authored + 60 * int(5 + 50 * draw()))
            issued = fix(order.collected + 60 * int(25 + 200 * draw() + (900 if draw() < 0.08 else 0)))
            order.versions.append((issued + 60, "completed"))
            self._report(order, issued, fate)
        order.versions = [version for version in order.versions if version[0] < self.horizon]
        return order

    def _report(self, order: Order, issued: int, fate: float) -> None:
        draw, horizon, site = self.rng.random, self.horizon, self.site
        early = fate > 0.86
        preliminary = order.collected + 60 * int(12 + 10 * draw())
        later = site.zone.existing(issued + HOUR + int(1.6 * DAY * draw()) // 60 * 60)
        report = [(preliminary, "preliminary")] if early else []
        report.append((issued, "final"))
        changed = int(len(order.panel.tests) * draw()) if fate < 0.09 else -1
        if changed >= 0:
            report.append((later, "corrected"))
        order.report_versions = [version for version in report if version[0] < horizon]
        number, next_fact = site.count, self.facts.next
        for place, test in enumerate(order.panel.tests):
            value, text = (None, "HEMOLYZED") if draw() < 0.012 else (test.value(draw()), None)
            versions = []
            if early and preliminary < horizon:
                versions.append(ResultVersion(preliminary, "preliminary", value, text))
            if issued < horizon:
                versions.append(ResultVersion(issued, "final", value, text))
            if place == changed and later < horizon:
                wrong = fate < 0.05
                versions.append(ResultVersion(later, "entered-in-error" if wrong else "corrected",
                                              None if wrong else test.value(draw()), None))
            if versions:
                order.results.append(Result(test, next_fact(), str(2_000_000 + number("result")), versions))

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
            stay.vitals = [(test, self.facts.next(), site.fhir_id("o"), at + 300, test.value(draw())) for test in VITALS
                           if at + 300 < self.horizon]


def _rising(told: list[StayVersion]) -> list[StayVersion]:
    """The versions with strictly rising moments: what was decided later is recorded later."""
    for place in range(1, len(told)):
        if told[place].at <= told[place - 1].at:
            told[place] = told[place]._replace(at=told[place - 1].at + 60)
    return told
