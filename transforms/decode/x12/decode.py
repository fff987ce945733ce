"""X12 payloads -> units, raw_x12__unit and raw_x12__segment (ASC X12 005010; implementation guides X222, X223, X221, X279).

Belongs here: batches of interchanges and the tables that come of them. Does not belong here: reading an ISA (`interchange.py`), splitting
(`segments.py`), what encloses what (`structure.py`), what an element means (dbt).
Units: a CLM of an 837, a CLP of an 835, else the transaction set. Locators: `segment/17`, counted over the payload from 1;
`byte/4711` where an interchange should begin and cannot be read; `payload` where that is the whole payload.
A rejected unit keeps its rows here, so that its money can be told; staging rows of it go no further.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl
import pyarrow as pa

from transforms.decode.contract import UNIT_SCHEMA, Decoded, Delivered
from transforms.decode.raw_schema import RAW_SCHEMAS
from transforms.decode.record_table import joined
from transforms.decode.units import UNKNOWN_TYPE, UNRECOGNISED, Unit, Units, content_hash, payload_unit, unreadable
from transforms.decode.x12.content import unit_hashes, with_interchange_hashes, with_set_hashes
from transforms.decode.x12.interchange import Interchange, Unreadable, read_interchanges
from transforms.decode.x12.segments import CODES, Segments, read_segments
from transforms.decode.x12.structure import MISSING_TRAILER, element, judged_sets, with_envelope, with_loops, with_units
from transforms.facilities.entry import FacilityEntry

TABLES = ("raw_x12__segment", "raw_x12__unit")
MALFORMED_ISA = "x12.malformed_isa"
_KINDS = {"837": "x12.claim", "835": "x12.claim_payment"}
_SETS = {"claim_versions": ("837",), "remittance_versions": ("835",), "eligibility_versions": ("270", "271")}
_ISA = (5, 6, 7, 8, 13, 15)
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
        read = read_segments(batch.interchanges)
        frame = with_loops(with_units(with_envelope(read.frame)))
        places = with_interchange_hashes(self._places(batch, frame, read.content), frame, read.content)
        frame = frame.join(places, on="interchange", how="left", maintain_order="left").with_columns(
            segment_ordinal=pl.col("row") + pl.col("segment_offset"),
            unit_ordinal=(pl.col("unit_no").cast(pl.Int64) + pl.col("unit_offset")).fill_null(0))
        segments = Segments(frame, read.content)
        units = _units(segments, batch)
        self._units.append(_unit_table(units, unit_hashes(units, segments)))
        self._records["raw_x12__unit"].append(_arrow(units, RAW_SCHEMAS["raw_x12__unit"]))
        self._records["raw_x12__segment"].append(_arrow(_segment_rows(frame, batch), RAW_SCHEMAS["raw_x12__segment"]))

    def _places(self, batch: _Batch, segments: pl.DataFrame, content: bytes) -> pl.DataFrame:
        """One row an interchange: what its segments and units are counted from, and its ISA."""
        counts = segments.group_by("interchange", maintain_order=True).agg(
            row=pl.col("row").first(), rows=pl.len(), units=pl.col("starts").sum(),
            unit=pl.col("unit_no").min().fill_null(0).cast(pl.Int64), first=pl.col("first").first(),
            end=pl.col("end").last()).to_dicts()
        rows = []
        for found, delivery, one in zip(counts, batch.deliveries, batch.interchanges, strict=True):
            counter = self._counter(delivery)
            counter.interchanges += 1
            rows.append({
                "interchange": found["interchange"], "delivery_id": delivery.delivery_id, "interchange_ordinal": counter.interchanges,
                "segment_offset": counter.segments + 1 - found["row"], "unit_offset": counter.units + 1 - found["unit"],
                **{f"isa_{number:02}": one.isa[number - 1].strip() for number in _ISA},
            })
            if not found["units"] and not one.is_closed:
                hashed = content_hash(content[found["first"] : found["end"]])
                self._rest(delivery, counter, f"segment/{counter.segments + 1}", hashed, MISSING_TRAILER)
            counter.segments += found["rows"]
            counter.units += found["units"]
        return pl.DataFrame(rows, schema_overrides={"interchange": pl.UInt32})


def _units(segments: Segments, batch: _Batch) -> pl.DataFrame:
    """One row a unit in order, with what encloses it."""
    accepted = [
        _accepted(delivery.entry, interchange) for delivery, interchange in zip(batch.deliveries, batch.interchanges, strict=True)
    ]
    frame = segments.frame
    sets = judged_sets(frame.lazy(), batch.interchanges, accepted).drop("interchange", "isa_13", "has_parts").collect()
    ends = frame.filter(pl.col("unit_no").is_not_null()).group_by("unit_no").agg(unit_end=pl.col("end").last())
    offset = pl.col("segment_offset")
    amount = pl.when(pl.col("code") == CODES["CLM"]).then(element(2)).when(pl.col("code") == CODES["CLP"]).then(element(4))
    return frame.filter(pl.col("starts")).join(
        with_set_hashes(sets, frame, segments.content), on="set_no", how="left", maintain_order="left").join(
        ends, on="unit_no", how="left", maintain_order="left").with_columns(
        amount=amount, position=pl.int_range(pl.len()).over("set_no") + 1, record_locator=pl.format("segment/{}", "segment_ordinal"),
        delimiters=_of_interchange(batch, "delimiters"),
        set_ordinal=pl.col("set_row") + offset, provider_loop=pl.col("provider_row") + offset,
        subscriber_loop=pl.col("subscriber_row") + offset, patient_loop=pl.col("patient_row") + offset)


def _of_interchange(batch: _Batch, name: str) -> pl.Expr:
    """Delimiters or charset of a row's interchange."""
    values = ["".join(vars(one.delimiters).values()) if name == "delimiters" else one.charset for one in batch.interchanges]
    if len(set(values)) == 1:
        return pl.lit(values[0])
    return pl.col("interchange").replace_strict(dict(enumerate(values)), return_dtype=pl.String)


def _accepted(entry: FacilityEntry, interchange: Interchange) -> frozenset[str]:
    """`<ST01>|<GS08>` that the trading partner of an interchange may send; the partner is at either end (ISA06, ISA08)."""
    ends = {interchange.isa[5].strip(), interchange.isa[7].strip()}
    return frozenset(
        f"{kind}|{version}"
        for partner, versions in entry.trading_partners.items() if partner in ends
        for family, kinds in _SETS.items() for version in versions.get(family, ()) for kind in kinds)


def _unit_table(units: pl.DataFrame, hashes: list[str]) -> pa.Table:
    locator = pl.col("record_locator")
    has_own = pl.col("code").is_in([CODES["CLM"], CODES["CLP"]])
    frame = units.select(
        "delivery_id", pl.col("unit_ordinal").cast(pl.Int32),
        unit_kind=pl.when(has_own).then(pl.col("st_01").replace_strict(_KINDS, default=None)).otherwise(pl.lit("x12.transaction_set")),
        unit_locator=locator, record_type=pl.col("st_01").fill_null(UNKNOWN_TYPE), content_hash=pl.Series(hashes, dtype=pl.String),
        reject_code=pl.col("reject_code"), reject_path=pl.when(pl.col("reject_code").is_not_null()).then(locator),
        flags=pl.lit(None, dtype=pl.String))
    return _arrow(frame, UNIT_SCHEMA)


def _segment_rows(segments: pl.DataFrame, batch: _Batch) -> pl.DataFrame:
    """Segments as raw rows, with what stood before the first ISA of a payload as a row without a name."""
    offset, is_isa = pl.col("segment_offset"), pl.col("code") == CODES["ISA"]
    rows = segments.select(
        "delivery_id", "unit_ordinal", "segment_ordinal", "interchange_ordinal", "segment_id", "elements", "terminator",
        delimiters=pl.when(is_isa).then(_of_interchange(batch, "delimiters")),
        charset=pl.when(is_isa).then(_of_interchange(batch, "charset")),
        record_locator=pl.lit("segment/") + pl.col("segment_ordinal").cast(pl.String),
        set_ordinal=pl.col("set_row") + offset, loop_ordinal=pl.col("loop_row") + offset)
    prefixes = [
        {"delivery_id": delivery.delivery_id, "unit_ordinal": 0, "segment_ordinal": 0, "interchange_ordinal": 0, "segment_id": "",
         "elements": [], "terminator": one.prefix, "charset": "latin-1", "record_locator": "segment/0"}
        for delivery, one in zip(batch.deliveries, batch.interchanges, strict=True) if one.prefix
    ]
    return pl.concat([rows, pl.DataFrame(prefixes, schema_overrides=rows.schema)], how="diagonal_relaxed") if prefixes else rows


def _arrow(frame: pl.DataFrame, schema: pa.Schema) -> pa.Table:
    return frame.select(schema.names).to_arrow(compat_level=pl.CompatLevel.oldest()).cast(schema)
