"""Expected daily census and facility volume, added up over the groups of people. Definitions are in `answers`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from transforms.synthetic.answer_types import CensusAnswer, VolumeAnswer
from transforms.synthetic.answers import REPORTED, counts_as_order, is_inpatient, is_valid
from transforms.synthetic.truth_rows import TruthRows
from transforms.synthetic.truth_types import OrderRow, ResultRow


class DailyAnswers:
    """Census and volume, added up over the groups of people."""

    def __init__(self) -> None:
        self._census: Counter[tuple[str, int, str]] = Counter()
        self._open: Counter[tuple[str, int, str]] = Counter()
        self._volume: dict[tuple[str, int, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])

    def add(self, truth: TruthRows, newest_day: int) -> None:
        """Count one group of people; `newest_day` is the newest batch date of the network."""
        for stay in truth.encounters:
            if is_inpatient(stay):
                is_open = stay.period_end is None
                end = newest_day + 1 if stay.service_end_date is None else min(stay.service_end_date, newest_day + 1)
                for day in range(stay.service_date, end):
                    key = (stay.facility_id, day, stay.location_point_of_care)
                    self._census[key] += 1
                    self._open[key] += is_open
        self._volumes(truth)

    def _volumes(self, truth: TruthRows) -> None:
        kinds = {(row.facility_id, row.identifier_value): row.class_code for row in truth.encounters if is_valid(row)}
        people: set[tuple[str, int, str, int]] = set()
        for stay in truth.encounters:
            if is_valid(stay):
                self._volume[stay.facility_id, stay.service_date, stay.class_code][0] += 1
                people.add((stay.facility_id, stay.service_date, stay.class_code, stay.person_no))
        for facility, day, kind, _ in people:
            self._volume[facility, day, kind][1] += 1
        counted: Iterable[tuple[int, ResultRow | OrderRow]] = (
            *((2, row) for row in truth.results if not row.is_deleted and row.status in REPORTED),
            *((3, row) for row in truth.orders if counts_as_order(row)))
        for place, row in counted:
            kind = kinds.get((row.facility_id, row.encounter_identifier_value), "unknown")
            self._volume[row.facility_id, row.service_date, kind][place] += 1

    def census(self) -> list[CensusAnswer]:
        """Daily census of the network, sorted by facility, date and ward."""
        return [CensusAnswer(*key, count, self._open[key]) for key, count in sorted(self._census.items())]

    def volume(self) -> list[VolumeAnswer]:
        """Facility volume of the network, sorted by facility, date and class."""
        return [VolumeAnswer(*key, *counts) for key, counts in sorted(self._volume.items())]
