"""The truth of prescriptions and procedures that are captured as change data, read off what was told (`treatments`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from transforms.synthetic.clock import Zone
from transforms.synthetic.terminology import Drug, ProcedureCode
from transforms.synthetic.treatments import GONE, Treatment


class PrescriptionRow(NamedTuple):
    """A prescription that was not deleted; `authored_on` in UTC seconds."""

    facility_id: str
    identifier_value: str
    encounter_identifier_value: str
    medication_code: str
    status: str
    authored_on: int


class ProcedureRow(NamedTuple):
    """A procedure; `performed_at` in UTC seconds."""

    facility_id: str
    identifier_value: str
    encounter_identifier_value: str
    code_code: str
    status: str
    performed_at: int


def prescription_rows(facility: str, zone: Zone, rows: Iterable[Treatment]) -> list[PrescriptionRow]:
    """One row a prescription that still stands in its table."""
    return [PrescriptionRow(facility, one.number, one.stay.number, one.what.rxnorm, one.states[-1][1], zone.utc(one.at))
            for one in rows if isinstance(one.what, Drug) and one.states[-1][1] != GONE]


def procedure_rows(facility: str, zone: Zone, rows: Iterable[Treatment]) -> list[ProcedureRow]:
    """One row a procedure."""
    return [ProcedureRow(facility, one.number, one.stay.number, one.what.snomed, one.states[-1][1], zone.utc(one.at))
            for one in rows if isinstance(one.what, ProcedureCode)]
