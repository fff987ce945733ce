"""X12 payloads -> units, raw_x12__unit and raw_x12__segment (ASC X12 005010; implementation guides X222, X223, X221, X279).

Belongs here: batches of interchanges and how they are counted. Does not belong here: reading an ISA (`interchange.py`), splitting
(`segments.py`), what encloses what (`structure.py`), tables (`tables.py`), what an element means (dbt).
Units: a CLM of an 837, a CLP of an 835, else the transaction set. Locators: `segment/17`, counted over the payload from 1;
`byte/4711` where an interchange should begin and cannot be read; `payload` where that is the whole payload.
A rejected unit keeps its rows here, so that its money can be told; staging rows of it go no further.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from transforms.decode.contract import Decoded, Delivered
from transforms.decode.record_table import joined
from transforms.decode.units import UNKNOWN_TYPE, UNRECOGNISED, Unit, Units, content_hash, payload_unit, unreadable
from transforms.decode.x12.interchange import Interchange, Unreadable, read_interchanges
from transforms.decode.x12.segments import Segments, read_segments
from transforms.decode.x12.sets import MISSING_TRAILER, judged_sets
from transforms.decode.x12.structure import Structure, structure_of
from transforms.decode.x12.tables import Places, Read
from transforms.facilities.entry import FacilityEntry

TABLES = ("raw_x12__segment", "raw_x12__unit")
MALFORMED_ISA = "x12.malformed_isa"
_SETS = {"claim_versions": ("837",), "remittance_versions": ("835",), "eligibility_versions": ("270", "271")}
_BATCH_CHARACTERS = 8 << 20  # bounds memory; one interchange is never divided


@dataclass
class _Batch:
    """Interchanges that are split together, with their deliveries and their place in them; and what no interchange can be read from,
    always the last of its delivery."""

    deliveries: list[Delivered] = field(default_factory=list)
    interchanges: list[Interchange] = field(default_factory=list)
    unreadable: list[tuple[Delivered, Unreadable]] = field(default_factory=list)
    size: int = 0

    def add(self, delivery: Delivered, interchange: Interchange) -> None:
        self.deliveries.append(delivery)
        self.interchanges.append(interchange)
        self.size += len(interchange.text)


@dataclass
class _Counters:
    """How many units, segments and interchanges of a delivery are behind."""

    units: int = 0
    segments: int = 0
    interchanges: int = 0


def decode_x12(deliveries: Sequence[Delivered]) -> Iterator[Decoded]:
    """Units `x12.claim`, `x12.claim_payment`, `x12.transaction_set` (or `payload`), and the raw tables."""
    out = _Out()
    batch = _Batch()
    for delivery in deliveries:
        found = None
        for found in read_interchanges(delivery.payload.content(), delivery.entry.charset):
            if isinstance(found, Unreadable):
                batch.unreadable.append((delivery, found))
                continue
            batch.add(delivery, found)
            if batch.size > _BATCH_CHARACTERS:
                out.take(batch)
                batch = _Batch()
                yield out.piece()
        if found is None:
            out.few.add(unreadable(delivery))
    out.take(batch)
    yield out.piece()


class _Out:
    """Tables under construction."""

    def __init__(self) -> None:
        self.few = Units()
        self._units: list[pa.Table] = []
        self._records: dict[str, list[pa.Table]] = {table: [] for table in TABLES}
        self._counters: dict[str, _Counters] = {}

    def piece(self) -> Decoded:
        """What has been gathered since the last piece."""
        units = pa.concat_tables([*self._units, self.few.take()])
        records = {name: joined(name, parts) for name, parts in self._records.items()}
        self._units, self._records = [], {table: [] for table in TABLES}
        return Decoded(units, records)

    def _unreadable(self, delivery: Delivered, found: Unreadable) -> None:
        """The unit that stands for bytes which are no interchange."""
        code = MALFORMED_ISA if found.has_isa else UNRECOGNISED
        counter = self._counter(delivery)
        if not counter.interchanges:
            self.few.add(payload_unit(delivery, code))
        else:
            self._rest(delivery, counter, f"byte/{found.offset}", content_hash(found.content), code)

    def _rest(self, delivery: Delivered, counter: _Counters, locator: str, hashed: str, code: str) -> None:
        counter.units += 1
        self.few.add(Unit(delivery.delivery_id, counter.units, "payload", locator, UNKNOWN_TYPE, hashed, code, locator))

    def _counter(self, delivery: Delivered) -> _Counters:
        return self._counters.setdefault(delivery.delivery_id, _Counters())

    def take(self, batch: _Batch) -> None:
        """Append the units and rows of a batch."""
        if batch.interchanges:
            self._take_interchanges(batch)
        for delivery, found in batch.unreadable:
            self._unreadable(delivery, found)

    def _take_interchanges(self, batch: _Batch) -> None:
        segments = read_segments(batch.interchanges)
        structure = structure_of(segments)
        accepted = [_accepted(delivery.entry, one) for delivery, one in zip(batch.deliveries, batch.interchanges, strict=True)]
        sets = judged_sets(segments, structure, batch.interchanges, accepted)
        read = Read(batch.interchanges, segments, structure, sets, self._places(batch, segments, structure))
        units, rows = read.unit_rows()
        self._units.append(units)
        self._records["raw_x12__unit"].append(rows)
        self._records["raw_x12__segment"].append(read.segment_rows())

    def _places(self, batch: _Batch, segments: Segments, structure: Structure) -> Places:
        """Where the segments and units of each interchange are in its delivery."""
        first = np.searchsorted(segments.interchange, np.arange(len(batch.interchanges)))
        last = np.append(first[1:], len(segments)) - 1
        begun = np.concatenate([[0], np.cumsum(structure.starts)])
        bounds = (places.tolist() for places in (first, last, begun[first], begun[last + 1]))
        rows = []
        for delivery, one, start, end, before, units in zip(batch.deliveries, batch.interchanges, *bounds, strict=True):
            counter = self._counter(delivery)
            counter.interchanges += 1
            rows.append((delivery.delivery_id, counter.interchanges, counter.segments + 1 - start, counter.units - before))
            if units == before and not one.is_closed:
                hashed = content_hash(segments.content[segments.starts[start] : segments.ends[end]])
                self._rest(delivery, counter, f"segment/{counter.segments + 1}", hashed, MISSING_TRAILER)
            counter.segments += end + 1 - start
            counter.units += units - before
        deliveries, ordinals, segment_offset, unit_offset = zip(*rows, strict=True)
        return Places(list(deliveries), list(ordinals), np.array(segment_offset), np.array(unit_offset), first, last)


def _accepted(entry: FacilityEntry, interchange: Interchange) -> frozenset[str]:
    """`<ST01>|<GS08>` that the trading partner of an interchange may send; the partner is at either end (ISA06, ISA08)."""
    ends = {interchange.isa[5].strip(), interchange.isa[7].strip()}
    return frozenset(
        f"{kind}|{version}"
        for partner, versions in entry.trading_partners.items() if partner in ends
        for family, kinds in _SETS.items() for version in versions.get(family, ()) for kind in kinds)
