"""Marts built slice by slice, as changes touched them, equal marts of which every slice is built anew: whatever the history."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import pytest

from tests.sql.marts_world import MARTS, MartsWorld, stay

FACILITIES = ("north", "south")
FIRST = date(2025, 12, 20)
MODELS = (*(f"touch_{mart}" for mart in MARTS), *MARTS)


class History:
    """Random changes of current tables, links and merges, as feeds of two facilities may bring them."""

    def __init__(self, world: MartsWorld, seed: int) -> None:
        self.world = world
        self.random = random.Random(seed)
        self.batch = {facility: date(2026, 2, 1) for facility in FACILITIES}
        self.merges: dict[str, str] = {}

    def go_on(self, changes: int) -> None:
        """Let some changes happen, a few of them in a later batch."""
        for _ in range(changes):
            facility = self.random.choice(FACILITIES)
            if self.random.random() < 0.1:
                self.batch[facility] += timedelta(days=self.random.randint(1, 3))
                self.world.delivered(facility, self.batch[facility])
            kinds = [self.encounter] * 3 + [self.part] * 2 + [self.link, self.merge, self.vanish]
            change = self.random.choice(kinds)
            change(facility, self.batch[facility] - timedelta(days=self.random.choice([0, 0, 0, 4])))

    def day(self) -> date:
        """A day of seven weeks."""
        return FIRST + timedelta(days=self.random.randint(0, 48))

    def encounter(self, facility: str, batch_date: date) -> None:
        """An encounter appears or is corrected in date, patient, class, status or end."""
        admitted = self.day()
        discharged = self.random.choice([None, admitted + timedelta(days=self.random.choice([0, 1, 3, 40]))])
        self.world.put(
            "encounter", f"{facility} e{self.random.randint(1, 6)}", batch_date, restates=self.random.random() < 0.3, facility_id=facility,
            **stay(f"{facility} p{self.random.randint(1, 4)}", admitted, discharged,
                   class_code=self.random.choice(["IMP", "IMP", "IMP", "AMB"]),
                   discharge_disposition_code=self.random.choice([None, None, "20"]), is_deleted=self.random.random() < 0.05,
                   identifier_value=self.random.choice([None, "V1", "V2", "V3"]),
                   **self.random.choice([{}, {}, {}, {"status": "cancelled"}, {"status": "planned"}])))

    def part(self, facility: str, batch_date: date) -> None:
        """An observation, condition, order or report appears or changes encounter, order number, date or status."""
        resource = self.random.choice(["observation", "condition", "service_request", "diagnostic_report"])
        columns: dict[str, Any] = {
            "facility_id": facility, "encounter_key": f"{facility} e{self.random.randint(1, 8)}",
            "encounter_identifier_value": self.random.choice([None, "V1", "V2", "V3"]), "service_date": self.day(),
            "subject_key": f"{facility} p{self.random.randint(1, 4)}", "status": self.random.choice(["final", "final", "cancelled"]),
        }
        if resource == "service_request":
            columns |= {"identifier_value": f"P{self.random.randint(1, 3)}", "status": self.random.choice(["active", "revoked"])}
        elif resource != "condition":
            columns |= {"based_on_identifier_value": f"P{self.random.randint(1, 3)}"}
        else:
            columns |= {"code_code": self.random.choice(["I10", "E11.9"])}
        key = f"{facility} {resource} {self.random.randint(1, 4)}"
        self.world.put(resource, key, batch_date, restates=self.random.random() < 0.3, **columns)

    def link(self, facility: str, batch_date: date) -> None:
        """A record is linked to a person, to another one, or to none any more."""
        person = self.random.choice([None, "human-1", "human-2", "human-3"])
        self.world.link(f"{facility} p{self.random.randint(1, 4)}", person, facility, batch_date)

    def merge(self, facility: str, batch_date: date) -> None:
        """A record is merged into the next one, or the merge is taken back."""
        number = self.random.randint(1, 3)
        former, other = f"{facility} p{number}", f"{facility} p{number + 1}"
        if former in self.merges:
            del self.merges[former]
            self.world.vanish("patient_link", former, facility, batch_date)
        else:
            self.merges[former] = other
            self.world.put("patient_link", former, batch_date, facility_id=facility, subject_key=former, other_key=other,
                           type="replaced-by")

    def vanish(self, facility: str, batch_date: date) -> None:
        """A fact's only record disappears from its batch."""
        resource = self.random.choice(["encounter", "observation", "service_request", "diagnostic_report", "condition"])
        found = self.world.execute(f"select fact_key from canonical.{resource} where facility_id = ? order by fact_key", facility)
        if found:
            self.world.vanish(resource, self.random.choice(found)[0], facility, batch_date)


@pytest.mark.parametrize("seed", range(2))
def test_touched_slices_are_all_that_change(world: MartsWorld, seed: int) -> None:
    """After a random history in several runs, building every slice of every day anew changes no row of any mart."""
    history = History(world, seed)
    history.go_on(25)
    world.run("", select=MODELS)
    for _ in range(2):
        history.go_on(8)
        world.run("", select=MODELS)
    kept = {mart: world.rows(mart, "columns(*)") for mart in MARTS}
    for mart in MARTS:
        world.execute(f"""insert into control.touched_slice select '{mart}', facility_id, cast(day as date), null, null, {world.run_seq}
            from (values ('north'), ('south')) facility (facility_id),
              range(date '2025-12-01', date '2026-06-01', interval 1 day) day (day)""")
    world.run("", select=MARTS)
    assert {mart: world.rows(mart, "columns(*)") for mart in MARTS} == kept
    assert kept["mart_encounter_summary"]
    assert kept["mart_daily_census"]
