"""What every page reads first: facilities and their zones, reasons in words, the days that there are."""

from __future__ import annotations

import csv
import sqlite3
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files

_STATE = """
create temp table partition_state as
with day as (
  select facility_id, batch_date, sum(received) as received, sum(quarantined) as quarantined, min(balanced) as balanced
  from ledger where :facility = '' or facility_id = :facility group by facility_id, batch_date
),
held as (
  select facility_id, batch_date, count(*) as holds from hold
  where released is null and (:facility = '' or facility_id = :facility) group by facility_id, batch_date
),
failed as (
  select facility_id, batch_date, sum(severity = 'blocking') as blocking, count(*) as failed
  from verdict where status = 'failed' and (:facility = '' or facility_id = :facility) group by facility_id, batch_date
),
waiting as (
  select facility_id, batch_date, count(*) as deliveries from delivery
  where units is null and (:facility = '' or facility_id = :facility) group by facility_id, batch_date
),
known as (
  select facility_id, batch_date from day union select facility_id, batch_date from held
  union select facility_id, batch_date from failed
  union select facility_id, batch_date from delivery where :facility = '' or facility_id = :facility
)
select known.facility_id, known.batch_date, coalesce(day.received, 0) as received,
  coalesce(day.quarantined, 0) as quarantined, coalesce(held.holds, 0) as holds, coalesce(failed.failed, 0) as failed,
  case when day.balanced = 0 then 'unbalanced'
       when held.holds > 0 then 'held'
       when failed.blocking > 0 then 'failed'
       when failed.failed > 0 then 'warning'
       when waiting.deliveries > 0 then 'pending'
       when day.received > 0 then 'balanced'
       else 'nothing received' end as state
from known
left join day on day.facility_id = known.facility_id and day.batch_date = known.batch_date
left join held on held.facility_id = known.facility_id and held.batch_date = known.batch_date
left join failed on failed.facility_id = known.facility_id and failed.batch_date = known.batch_date
left join waiting on waiting.facility_id = known.facility_id and waiting.batch_date = known.batch_date
"""

SEVERITY = {"unbalanced": 5, "held": 4, "failed": 3, "warning": 2, "pending": 1, "balanced": 1, "nothing received": 0}


@dataclass(frozen=True)
class Facility:
    """A facility for people."""

    facility_id: str
    name: str
    owner: str
    zone: str
    source_system: str
    region: str


class Reading:
    """One request's view of the catalog."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Read through a read-only connection."""
        self.db = connection
        self._has_states = False

    @cached_property
    def facilities(self) -> dict[str, Facility]:
        """All facilities by id."""
        rows = self.db.execute("select facility_id, name, owner, timezone, source_system, region from facility order by name")
        return {row[0]: Facility(*row) for row in rows}

    def partition_states(self, facility: str = "") -> str:
        """Name of a table of this request: one row a facility and batch date, what was received, and the worst to be said of it.

        Made once a request (in memory, the store is read-only), for one facility or for all.
        """
        if not self._has_states:
            self.db.execute(_STATE, {"facility": facility})
            self._has_states = True
        return "temp.partition_state"

    @cached_property
    def days(self) -> list[str]:
        """Batch dates that something is known of, oldest first."""
        return [str(row[0]) for row in self.db.execute(f"select distinct batch_date from {self.partition_states()} order by 1")]

    def name(self, facility_id: str) -> str:
        """A facility's name; its id where the registry does not know it."""
        found = self.facilities.get(facility_id)
        return found.name if found else facility_id

    def zone(self, facility_id: str) -> str:
        """A facility's zone."""
        found = self.facilities.get(facility_id)
        return found.zone if found else "UTC"

    def one(self, sql: str, *values: object) -> int:
        """A single number; 0 for null."""
        row = self.db.execute(sql, values).fetchone()
        return int(row[0] or 0) if row else 0


def reason_words() -> dict[str, str]:
    """Reason code -> what it means, from the project's vocabulary."""
    text = (files("transforms") / "dbt" / "seeds" / "reason_code.csv").read_text(encoding="utf-8")
    return {row["code"]: row["meaning"] for row in csv.DictReader(text.splitlines())}
