"""What can happen to people, as data: stays, diagnoses, orders and results with every later change of mind.

All moments are local to the facility (see `clock`), and everything that can change is a list of versions, oldest first, whose
moments rise strictly. What belongs here: types. Not here: who tells them (`story`) or writes them down (`encode_*`).
"""

from __future__ import annotations

from typing import NamedTuple

from transforms.synthetic.people import Patient
from transforms.synthetic.terminology import Diagnosis, Drug, LabTest, Panel, ProcedureCode


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
