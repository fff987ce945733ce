"""Debezium change events of the harbor style's pharmacy: a snapshot on the first day, then creations, updates and deletions.

One JSON text a line, key beside value, without schema (Debezium reference, SQL Server connector). `datetime` goes as milliseconds of
the wall clock as if it were UTC; a deletion has the row before and is followed by a tombstone. Some events come a day late: their log
position tells their place. What belongs here: events. Not here: what happens to rows (`treatments`).
"""

from __future__ import annotations

import json
from typing import Any

from transforms.synthetic.clock import DAY, HOUR
from transforms.synthetic.encode_dms import BEFORE_ANY_CHANGE, LOAD
from transforms.synthetic.outbox import Outbox, pack_lines
from transforms.synthetic.site import Site
from transforms.synthetic.terminology import Drug
from transforms.synthetic.treatments import Change, Treatment, changes

SOURCE, TABLE = "pharmacy_events", "dbo.Prescription"
STATUS = {"active": "A", "stopped": "S"}


class DebeziumWriter:
    """Writes the prescriptions of one facility as change events."""

    def __init__(self, site: Site, outbox: Outbox) -> None:
        self.site, self.outbox = site, outbox

    def write(self, rows: list[Treatment]) -> None:
        """Every row's events; each day one line that is no event or lacks a column."""
        opening = self.outbox.opening_day * DAY
        for row in rows:
            for change in changes(row, opening):
                self._event(change)
        for day in range(self.outbox.days):
            self._broken(day)

    def _event(self, change: Change) -> None:
        if change.at is None:
            self._put(0, LOAD, "", _line(change, "r", {"snapshot": "true"}), BEFORE_ANY_CHANGE, (change.row.fact,))
            return
        minute, place = self.site.zone.utc(change.at) // 60, self.site.count("pharmacy_event")
        position = f"{minute:08x}:{place:08x}"
        origin = {"snapshot": "false", "change_lsn": f"{position}:0002", "commit_lsn": f"{position}:0005", "event_serial_no": 1}
        op = "d" if change.after is None else "c" if change.before is None else "u"
        day = self.outbox.day_or_late(change.at)
        self._put(day, SOURCE, position, _line(change, op, origin), change.at, (change.row.fact,))
        if op == "d":
            self._put(day, SOURCE, position + "t", json.dumps({"key": _key(change.row), "value": None}), change.at, (),
                      "ignored_by_rule", "cdc.tombstone")

    def _broken(self, day: int) -> None:
        at, number = (self.outbox.opening_day + day) * DAY + 12 * HOUR, 90_000_000 + self.site.count("broken_event")
        image = {"PrescriptionID": number, "RxNo": f"RX{number}"}
        value = {"before": None, "after": image, "source": _origin({"snapshot": "false"}), "op": "c"}
        text = json.dumps({"key": {"PrescriptionID": number}, "value": value})
        if day % 2:
            self._put(day, SOURCE, f"z{number}", text[:-9], at, (), "quarantined", "payload.unrecognised_format")
        else:
            self._put(day, SOURCE, f"z{number}", text, at, (), "quarantined", "cdc.column_missing")

    def _put(self, day: int, stem: str, order: str, text: str, at: int, facts: tuple[int, ...], outcome: str | None = None,
             reason: str | None = None) -> None:
        feed = self.outbox.feed(self.site.plan.ordinal, SOURCE, "cdc.row", stem)
        feed.pack = pack_lines
        feed.days[day].append([order, TABLE, text, at, facts, outcome, reason])


def _key(row: Treatment) -> dict[str, int]:
    return {"PrescriptionID": row.key}


def _origin(place: dict[str, Any]) -> dict[str, Any]:
    return {"connector": "sqlserver", "db": "pharmacy", "schema": "dbo", "table": TABLE.removeprefix("dbo."), **place}


def _line(change: Change, op: str, place: dict[str, Any]) -> str:
    value = {"before": _image(change.row, change.before), "after": _image(change.row, change.after), "source": _origin(place), "op": op}
    return json.dumps({"key": _key(change.row), "value": value}, ensure_ascii=False)


def _image(row: Treatment, status: str | None) -> dict[str, Any] | None:
    if status is None:
        return None
    drug = row.what
    assert isinstance(drug, Drug)
    return {"PrescriptionID": row.key, "RxNo": row.number, "MRN": row.stay.patient.number, "VisitNo": row.stay.number,
            "RxNorm": drug.rxnorm, "DrugName": drug.text, "Sig": drug.sig, "Status": STATUS[status], "OrderedAt": row.at * 1000}
