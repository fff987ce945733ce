"""Expected mart answers on a handful of stays whose answers are known by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pytest

from transforms.synthetic.answers import hundredths, readmission, summary, turnaround
from transforms.synthetic.clock import DAY, HOUR, day_number
from transforms.synthetic.daily_answers import DailyAnswers
from transforms.synthetic.truth_rows import TruthRows
from transforms.synthetic.truth_types import EncounterRow, OrderRow, ReportRow

FIRST = day_number(date(2026, 1, 5))


@dataclass
class _Stay:
    """Short form of an inpatient stay at `north` in days after the first; null end: still there."""

    number: str
    person: int
    begins: int
    ends: int | None
    facility: str = "north"
    kind: str = "IMP"
    status: str | None = None
    disposition: str | None = "home"

    def row(self) -> EncounterRow:
        end = None if self.ends is None else (FIRST + self.ends) * DAY + 18 * HOUR
        day = None if self.ends is None else FIRST + self.ends
        status = self.status or ("in-progress" if end is None else "finished")
        return EncounterRow(self.facility, self.number, None, f"M{self.person}", f"M{self.person}", self.person, self.kind, status,
                            (FIRST + self.begins) * DAY + 15 * HOUR, end, FIRST + self.begins, day, "4E", self.disposition, 1)


def _truth(*stays: _Stay) -> TruthRows:
    truth = TruthRows()
    truth.encounters = [stay.row() for stay in stays]
    return truth


@pytest.mark.parametrize(
    ("second", "readmitted", "days"),
    [
        (_Stay("B", 1, 20, 22, "south"), True, 18),
        (_Stay("B", 1, 32, 33), True, 30),
        (_Stay("B", 1, 33, 34), False, None),
        (_Stay("B", 2, 20, 22), False, None),
        (_Stay("B", 1, 20, 22, kind="EMER"), False, None),
        (_Stay("B", 1, 20, None, status="cancelled"), False, None),
    ],
)
def test_readmission_within_thirty_days(second: _Stay, readmitted: bool, days: int | None) -> None:
    """A stay is followed by a readmission if the same human is an inpatient again, anywhere, by the thirtieth day."""
    answer = next(row for row in readmission(_truth(_Stay("A", 1, 0, 2), second)) if row.encounter_identifier_value == "A")
    assert (answer.is_readmitted, answer.days_to_readmission) == (readmitted, days)


@pytest.mark.parametrize("disposition", ["exp", "other-hcf"])
def test_deaths_and_transfers_are_no_index(disposition: str) -> None:
    """A stay that ends in death or transfer is not asked whether a readmission follows."""
    answers = readmission(_truth(_Stay("A", 1, 0, 2, disposition=disposition), _Stay("B", 1, 5, 6)))
    assert [row.encounter_identifier_value for row in answers] == ["B"]


def test_census_counts_midnights() -> None:
    """A stay counts for each local midnight it spans; an open one up to the newest batch date; a cancelled one never."""
    daily = DailyAnswers()
    daily.add(_truth(_Stay("A", 1, 0, 2), _Stay("B", 2, 1, None), _Stay("C", 3, 1, 1), _Stay("D", 4, 0, None, status="cancelled")),
              FIRST + 3)
    assert [(row.service_date - FIRST, row.inpatients, row.open_stays) for row in daily.census()] == [
        (0, 1, 0), (1, 2, 1), (2, 1, 1), (3, 1, 1)]


def test_volume_counts_humans_once() -> None:
    """Two stays of one human on one day are two encounters of one person."""
    daily = DailyAnswers()
    daily.add(_truth(_Stay("A", 1, 0, 0), _Stay("B", 1, 0, 0), _Stay("C", 2, 0, 0, kind="AMB")), FIRST)
    assert [(row.class_code, row.encounters, row.persons) for row in daily.volume()] == [("AMB", 1, 1), ("IMP", 2, 1)]


def test_summary_states_hours() -> None:
    """Three hours and two days are 51 hours of stay; a cancelled stay has no row."""
    answers = summary(_truth(_Stay("A", 1, 0, 2), _Stay("B", 2, 0, 2, status="cancelled")))
    assert [(row.encounter_identifier_value, row.length_of_stay_hours) for row in answers] == [("A", Decimal("51.00"))]


def test_turnaround_of_a_report() -> None:
    """An order at nine, collected at ten past and reported at half past ten turns around in 90 minutes."""
    truth = _truth(_Stay("A", 1, 0, 2))
    nine = FIRST * DAY + 9 * HOUR
    truth.orders = [OrderRow("north", "P1", None, "A", "M1", 1, "GLU", "2345-7", "stat", "completed", nine, FIRST)]
    truth.reports = [ReportRow("north", "F1", None, "P1", "A", "M1", 1, "final", nine + 600, nine + 5400, FIRST),
                     ReportRow("north", "F2", None, "P2", "A", "M1", 1, "preliminary", nine, nine, FIRST)]
    (answer,) = turnaround(truth)
    assert (answer.order_to_collection_minutes, answer.collection_to_result_minutes, answer.order_to_result_minutes) == (
        Decimal("10.00"), Decimal("80.00"), Decimal("90.00"))


@pytest.mark.parametrize(("seconds", "unit", "text"), [(18, 3600, "0.01"), (17, 3600, "0.00"), (90, 60, "1.50"), (-90, 60, "-1.50")])
def test_rounding_half_up(seconds: int, unit: int, text: str) -> None:
    """Durations are rounded half up to hundredths of the unit."""
    assert hundredths(seconds, unit) == Decimal(text)
