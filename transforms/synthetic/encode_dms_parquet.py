"""AWS DMS Parquet of the harbor style's theatre system: a full load on the first day, then inserts and updates.

Values have types and nulls of their own, times no zone. What belongs here: rows and their columns' types. Not here: what happens to rows
(`treatments`), the CSV form of DMS (`encode_dms`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq

from transforms.synthetic.clock import DAY, hl7_local
from transforms.synthetic.encode_dms import BEFORE_ANY_CHANGE, LOAD
from transforms.synthetic.outbox import TEXT, Feed, Outbox, Unit
from transforms.synthetic.site import Site
from transforms.synthetic.terminology import ProcedureCode
from transforms.synthetic.treatments import Change, Treatment, changes

SOURCE, TABLE = "theatre_parquet", "dbo.Procedure"
STATUS = {"in-progress": "P", "completed": "C", "entered-in-error": "E"}
_SCHEMA = pa.schema([
    ("Op", pa.string()), ("AR_H_CHANGE_SEQ", pa.string()), ("ProcedureID", pa.int32()), ("ProcedureNo", pa.string()), ("MRN", pa.string()),
    ("VisitNo", pa.string()), ("Snomed", pa.string()), ("ProcedureName", pa.string()), ("Status", pa.string()),
    ("PerformedAt", pa.timestamp("us"))])


class ParquetWriter:
    """Writes the procedures of one facility as a full load and change rows."""

    def __init__(self, site: Site, outbox: Outbox) -> None:
        self.site, self.outbox = site, outbox

    def write(self, rows: list[Treatment]) -> None:
        """Every row's images."""
        for row in rows:
            for change in changes(row, self.outbox.opening_day * DAY):
                self._change(change)

    def _change(self, change: Change) -> None:
        sequence = None
        if change.at is not None:
            sequence = f"{hl7_local(self.site.zone.utc(change.at))}{self.site.count('theatre_change'):021}"
        feed = self.outbox.feed(self.site.plan.ordinal, SOURCE, "cdc.row", SOURCE if sequence else LOAD)
        feed.pack = _pack
        day = 0 if change.at is None else self.outbox.day(change.at)
        at = BEFORE_ANY_CHANGE if change.at is None else change.at
        cells = ("I" if change.before is None else "U", sequence, *_cells(change.row, change.after or ""))
        feed.days[day].append([sequence or "", TABLE, cells, at, (change.row.fact,), None, None])


def _cells(row: Treatment, status: str) -> tuple[object, ...]:
    procedure = row.what
    assert isinstance(procedure, ProcedureCode)
    wall = datetime.fromtimestamp(row.at, UTC).replace(tzinfo=None)
    return (row.key, row.number, row.stay.patient.number, row.stay.number, procedure.snomed, procedure.text, STATUS[status], wall)


def _pack(feed: Feed, day: int, name: str, units: list[Unit]) -> Iterator[tuple[str, bytes, list[Unit]]]:
    """The day's rows as one Parquet file; none on a day without changes."""
    if units:
        columns = zip(*(unit[TEXT] for unit in units), strict=True)
        table = pa.table([pa.array(column, field.type) for column, field in zip(columns, _SCHEMA, strict=True)], schema=_SCHEMA)
        content = BytesIO()
        pq.write_table(table, content)
        yield f"{name}.parquet", content.getvalue(), units
