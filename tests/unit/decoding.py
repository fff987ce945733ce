"""Decoding one payload in a test: a feed, its bytes, the units and raw rows that come of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.case_registry import registry_of_case
from transforms.decode.contract import Decoded, Delivered
from transforms.decode.formats import FORMATS
from transforms.facilities.entry import FacilityEntry
from transforms.landing.payload import Payload

FACILITY = """
facility_id: north_general
source_system: acme_emr
timezone: America/New_York
charset: windows-1252
default_authority: NGH
authorities: {NGH: https://ngh.example.org/id/mrn}
"""


def facility(feed: str = "", **changes: str) -> FacilityEntry:
    """Entry of the tests' facility, with the feed given as YAML."""
    text = FACILITY + feed
    for key, value in changes.items():
        text = "\n".join(f"{key}: {value}" if line.startswith(f"{key}:") else line for line in text.split("\n"))
    return registry_of_case(text).entries[0]


@dataclass(frozen=True)
class Outcome:
    """What a decoder made of one payload."""

    decoded: Decoded
    received: int

    @property
    def units(self) -> list[dict[str, Any]]:
        """Units in order."""
        return sorted(self.decoded.units.to_pylist(), key=lambda unit: int(unit["unit_ordinal"]))

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Rows of a raw table in the order of their units, columns that are null left out."""
        rows = sorted(self.decoded.records[table].to_pylist(), key=lambda row: int(row["unit_ordinal"]))
        return [{name: value for name, value in row.items() if value is not None} for row in rows]

    def codes(self) -> list[str | None]:
        """Reject code of each unit."""
        return [unit["reject_code"] for unit in self.units]

    def flags(self) -> list[str | None]:
        """Flags of each unit."""
        return [unit["flags"] for unit in self.units]


def parquet(columns: dict[str, Any]) -> bytes:
    """Bytes of a Parquet file with these columns."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    return bytes(sink.getvalue())


def decode(entry: FacilityEntry, source: str, payload: bytes) -> Outcome:
    """Decode one payload of a feed, and count it apart from the decoder."""
    feed = entry.sources[source]
    decoder = FORMATS[feed.kind]
    return Outcome(decoder.decode([Delivered("d" * 32, Payload.of(payload), feed, entry)]), decoder.count_units(Payload.of(payload), feed))
