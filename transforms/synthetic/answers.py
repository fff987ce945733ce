"""Expected mart answers, worked out in plain Python from the truth and not from any feed.

Definitions, which are those that the marts state:
- *valid*: not cancelled. *Inpatient stay*: valid and of class IMP. *Open*: in progress and without an end.
- *Encounter summary*: one row a valid encounter, under the local date of its start; hours rounded half up to hundredths.
- *Lab turnaround*: one row a report that is final or corrected; where a facility sends no reports, one a result that is.
- *Readmission*: index = inpatient stay with an end, whose patient neither died nor was transferred; readmitted = the same human's
  next inpatient stay at any facility starts at or after the index end and within 30 days by local dates.
- *Daily census*: inpatient stays present at the end of a local day: begun on it or before, and ended on a later day or open; open
  stays count up to the facility's newest batch date and nothing is counted after it.
- *Facility volume*: by local service date and class: valid encounters and their humans; results final or corrected; orders not
  revoked, both under the class of their encounter.
`is_identity_hard` marks answers that hang on records which only good identity work joins or parts (duplicates that no merge
message joined, re-used numbers).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal

from transforms.synthetic.answer_types import ReadmissionAnswer, SummaryAnswer, TurnaroundAnswer
from transforms.synthetic.truth_rows import TruthRows
from transforms.synthetic.truth_types import EncounterRow, OrderRow, ResultRow

REPORTED = ("final", "corrected")
_DISPOSITION_GROUP = {"exp": "died", "other-hcf": "transferred"}


def hundredths(seconds: int, unit: int) -> Decimal:
    """Seconds in units of `unit` seconds, rounded half up to hundredths."""
    return Decimal((seconds * 100 + unit // 2) // unit).scaleb(-2)


def is_valid(stay: EncounterRow) -> bool:
    """Did the stay take place?"""
    return stay.status != "cancelled"


def is_inpatient(stay: EncounterRow) -> bool:
    """Is it a valid stay of an inpatient?"""
    return stay.class_code == "IMP" and stay.status != "cancelled"


def counts_as_order(order: OrderRow) -> bool:
    """Was the order meant to be carried out to the end?"""
    return order.status != "revoked"


def summary(truth: TruthRows) -> list[SummaryAnswer]:
    """Encounter summary of one group of people."""
    observed = Counter((row.facility_id, row.encounter_identifier_value) for row in truth.results
                       if not row.is_deleted and row.status != "entered-in-error")
    ordered = Counter((row.facility_id, row.encounter_identifier_value) for row in truth.orders if counts_as_order(row))
    told = Counter((row.facility_id, row.encounter_identifier_value) for row in truth.conditions
                   if row.state != "error" and row.recorded_in_adt is not False)
    answers = []
    for stay in truth.encounters:
        if is_valid(stay):
            key = (stay.facility_id, stay.identifier_value)
            hours = None if stay.period_end is None else hundredths(stay.period_end - stay.period_start, 3600)
            answers.append(SummaryAnswer(
                stay.facility_id, stay.service_date, stay.identifier_value, stay.person_no, stay.class_code, stay.status,
                is_inpatient(stay), stay.period_end is None and stay.status == "in-progress", stay.period_start, stay.period_end,
                stay.service_end_date, hours, stay.location_point_of_care, _DISPOSITION_GROUP.get(stay.disposition or ""),
                observed[key], ordered[key], told[key]))
    return answers


def turnaround(truth: TruthRows) -> list[TurnaroundAnswer]:
    """Lab turnaround of one group of people."""
    orders = {(row.facility_id, row.identifier_value): row for row in truth.orders}
    reporting = {row.facility_id for row in truth.reports}
    answers = [
        _turnaround(row.facility_id, row.service_date, "diagnostic_report", row.identifier_value, row.order_identifier_value,
                    row.person_no, row.status, row.effective, row.issued, orders)
        for row in truth.reports if row.status in REPORTED]
    for row in truth.results:
        if _is_own_result(row, reporting) and row.identifier_value and row.order_identifier_value and row.issued is not None:
            answers.append(_turnaround(row.facility_id, row.service_date, "observation", row.identifier_value, row.order_identifier_value,
                                       row.person_no, row.status, row.effective, row.issued, orders))
    return answers


def _is_own_result(row: ResultRow, reporting: set[str]) -> bool:
    return row.facility_id not in reporting and not row.is_deleted and row.status in REPORTED


def _turnaround(facility: str, day: int, kind: str, number: str, order_number: str, person: int, status: str, collected: int,
                resulted: int, orders: dict[tuple[str, str], OrderRow]) -> TurnaroundAnswer:
    order = orders.get((facility, order_number))
    ordered = order.authored_on if order else None
    return TurnaroundAnswer(
        facility, day, kind, number, order_number, person, status, order.priority if order else None, ordered, collected, resulted,
        None if ordered is None else hundredths(collected - ordered, 60), hundredths(resulted - collected, 60),
        None if ordered is None else hundredths(resulted - ordered, 60))


def readmission(truth: TruthRows) -> list[ReadmissionAnswer]:
    """Thirty-day readmission of one group of people; nobody is in two groups."""
    stays: dict[int, list[EncounterRow]] = defaultdict(list)
    for stay in truth.encounters:
        if is_inpatient(stay):
            stays[stay.person_no].append(stay)
    hard = _hard_people(truth)
    answers = []
    for person, own in stays.items():
        own.sort(key=lambda stay: stay.period_start)
        for index in own:
            if index.period_end is None or index.service_end_date is None or index.disposition in _DISPOSITION_GROUP:
                continue
            later = [stay for stay in own if stay is not index and stay.period_start >= index.period_end
                     and stay.service_date - index.service_end_date <= 30]
            chosen = later[0] if later else None
            answers.append(ReadmissionAnswer(
                index.facility_id, index.service_end_date, index.identifier_value, person, index.period_end, chosen is not None,
                None if chosen is None else max(0, chosen.service_date - index.service_end_date),
                None if chosen is None else chosen.facility_id, None if chosen is None else chosen.identifier_value,
                None if chosen is None else chosen.service_date, person in hard))
    return answers


def _hard_people(truth: TruthRows) -> set[int]:
    """People of whom a facility keeps two unmerged records, or one under a number that belonged to somebody else."""
    kept = Counter((row.facility_id, row.person_no) for row in truth.patients if row.merged_into is None)
    hard = {person for (_, person), count in kept.items() if count > 1}
    for row in truth.patients:
        if row.reuses_number_of_person is not None:
            hard |= {row.person_no, row.reuses_number_of_person}
    return hard
