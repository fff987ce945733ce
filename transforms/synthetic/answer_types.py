"""The row types of the expected mart answers: one NamedTuple a mart, whose field names are the columns.

Instants are UTC seconds, dates are the facility's local days, both counted from 1970-01-01.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple


class SummaryAnswer(NamedTuple):
    """Expected row of the encounter summary."""

    facility_id: str
    service_date: int
    encounter_identifier_value: str
    person_no: int
    class_code: str
    status: str
    is_inpatient_stay: bool
    is_open: bool
    started_at: int
    ended_at: int | None
    service_end_date: int | None
    length_of_stay_hours: Decimal | None
    location_point_of_care: str
    disposition_group: str | None
    observation_count: int
    order_count: int
    condition_count: int


class TurnaroundAnswer(NamedTuple):
    """Expected row of the lab turnaround; the result is named as in the truth table it comes from."""

    facility_id: str
    service_date: int
    result_kind: str
    result_identifier_value: str
    order_identifier_value: str
    person_no: int
    status: str
    priority: str | None
    ordered_at: int | None
    collected_at: int
    resulted_at: int
    order_to_collection_minutes: Decimal | None
    collection_to_result_minutes: Decimal
    order_to_result_minutes: Decimal | None


class ReadmissionAnswer(NamedTuple):
    """Expected row of the 30-day readmission."""

    facility_id: str
    service_date: int
    encounter_identifier_value: str
    person_no: int
    discharged_at: int
    is_readmitted: bool
    days_to_readmission: int | None
    readmission_facility_id: str | None
    readmission_identifier_value: str | None
    readmission_date: int | None
    is_identity_hard: bool


class CensusAnswer(NamedTuple):
    """Expected row of the daily census."""

    facility_id: str
    service_date: int
    location_point_of_care: str
    inpatients: int
    open_stays: int


class VolumeAnswer(NamedTuple):
    """Expected row of the facility volume."""

    facility_id: str
    service_date: int
    class_code: str
    encounters: int
    persons: int
    results: int
    orders: int
