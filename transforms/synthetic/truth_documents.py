"""The truth of documents: what of allergies, vaccinations and problems holds by the newest summary, and which documents there are.

Read off what was told (`summaries`). What belongs here: row types and how a row is read. Not here: who is summarized when.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from transforms.synthetic.clock import iso_day
from transforms.synthetic.summaries import ALLERGY, PROBLEM, VACCINATION, Entry, Summary

_NO_DRUG_ALLERGY = "409137002"
_RXNORM, _SNOMED = "http://www.nlm.nih.gov/research/umls/rxnorm", "http://snomed.info/sct"


class AllergyRow(NamedTuple):
    """An allergy, or that none to drugs is known."""

    facility_id: str
    identifier_value: str
    code_code: str
    code_system: str
    clinical_status: str
    onset_date: str


class ImmunizationRow(NamedTuple):
    """A vaccination, given or refused."""

    facility_id: str
    identifier_value: str
    vaccine_code: str
    status: str
    occurrence_date: str


class ProblemRow(NamedTuple):
    """A problem as the newest summary that lists it states it."""

    facility_id: str
    identifier_value: str
    code_code: str
    clinical_status: str
    onset_date: str


class DocumentRow(NamedTuple):
    """A document; each version is one of its own."""

    facility_id: str
    identifier_value: str
    type_code: str
    patient_identifier_value: str


def _newest(summaries: Iterable[Summary], kind: str) -> list[Entry]:
    """What the summaries say last, by number. A statement that comes again unchanged is none newer."""
    entries: dict[str, list[Entry]] = {}
    for summary in sorted(summaries, key=lambda one: (one.at, one.number)):
        for entry in summary.entries:
            told = entries.setdefault(entry.number, []) if entry.kind == kind else []
            if entry not in told:
                told.append(entry)
    return [told[-1] for told in entries.values()]


def allergy_rows(facility: str, summaries: list[Summary]) -> list[AllergyRow]:
    """One row an allergy."""
    return [AllergyRow(facility, one.number, one.code or _NO_DRUG_ALLERGY, _RXNORM if one.code else _SNOMED,
                       "active" if one.state == "active" else "inactive", iso_day[one.day]) for one in _newest(summaries, ALLERGY)]


def immunization_rows(facility: str, summaries: list[Summary]) -> list[ImmunizationRow]:
    """One row a vaccination."""
    return [ImmunizationRow(facility, one.number, one.code or "", "not-done" if one.state == "refused" else "completed", iso_day[one.day])
            for one in _newest(summaries, VACCINATION)]


def problem_rows(facility: str, summaries: list[Summary]) -> list[ProblemRow]:
    """One row a problem."""
    return [ProblemRow(facility, one.number, one.code or "", "inactive" if one.state == "completed" else "active", iso_day[one.day])
            for one in _newest(summaries, PROBLEM)]


def document_rows(facility: str, summaries: Iterable[Summary]) -> list[DocumentRow]:
    """One row a version of a summary."""
    return [DocumentRow(facility, f"{one.number}.{one.version}", "34133-9", one.stay.patient.number) for one in summaries]
