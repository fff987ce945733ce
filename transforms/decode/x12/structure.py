"""Groups, transaction sets, loops and units among segments (ASC X12.6; loops of the 005010 implementation guides).

Belongs here: what encloses what, and which trailers fail. Does not belong here: what an element means (dbt).
Frames are those of `segments.py` with columns added. Another segment is named by its row; null where there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import polars as pl

from transforms.decode.x12.interchange import Interchange
from transforms.decode.x12.segments import CODES

MISSING_TRAILER = "x12.missing_trailer"
COUNT_MISMATCH = "x12.segment_count_mismatch"
UNSUPPORTED = "x12.unsupported_version"

# Segment that begins a unit, and those that end it before the next one begins, by transaction set.
_UNIT_SEGMENTS = {"837": "CLM", "835": "CLP"}
_UNIT_ENDS = {"837": ("HL", "SE"), "835": ("LX", "PLB", "SE")}
_LOOP_SEGMENTS = ("ISA", "GS", "ST", "HL", "CLM", "CLP", "LX", "SVC", "PLB")
_CODE, _ROW = pl.col("code"), pl.col("row")


@cache
def _is(*names: str) -> pl.Expr:
    found = _CODE.eq(CODES[names[0]])
    for name in names[1:]:
        found = found | _CODE.eq(CODES[name])
    return found


@cache
def element(number: int) -> pl.Expr:
    """Element of the segment by its number in the standard; empty is null."""
    value = pl.col("elements").list.get(number - 1, null_on_oob=True)
    return pl.when(value != "").then(value)


def with_envelope(segments: pl.DataFrame) -> pl.DataFrame:
    """Add group_no and set_no (counted over the batch; null outside), and set_type (ST01, empty where it is left out)."""
    before = _CODE.shift(1)
    in_group = pl.when(_is("GS")).then(True).when(_is("ISA", "IEA") | (before == CODES["GE"])).then(False).forward_fill()
    in_set = pl.when(_is("ST")).then(True).when(_is("ISA", "IEA", "GS", "GE") | (before == CODES["SE"])).then(False).forward_fill()
    types = segments.filter(_is("ST")).select("row", set_type=element(1).fill_null(""))
    return segments.with_columns(
        group_no=pl.when(in_group).then(_is("GS").cum_sum()), set_no=pl.when(in_set).then(_is("ST").cum_sum()),
    ).join(types, on="row", how="left", maintain_order="left").with_columns(
        set_type=pl.when(pl.col("set_no").is_not_null()).then(pl.col("set_type").forward_fill()))


def with_units(segments: pl.DataFrame) -> pl.DataFrame:
    """Add starts (does a unit begin here?), unit_no (counted over the batch; null outside), has_parts (is the set cut into claims?)."""
    is_part, is_end = pl.lit(False), pl.lit(False)
    for kind, segment in _UNIT_SEGMENTS.items():
        is_part = is_part | (_is(segment) & (pl.col("set_type") == kind))
        is_end = is_end | (_is(*_UNIT_ENDS[kind]) & (pl.col("set_type") == kind))
    marked = segments.with_columns(is_part=is_part.fill_null(False), is_end=is_end.fill_null(False))
    parted = marked.filter("is_part").select("set_no").unique().with_columns(has_parts=pl.lit(True))
    marked = marked.join(parted, on="set_no", how="left", maintain_order="left").with_columns(pl.col("has_parts").fill_null(False))
    starts = pl.col("is_part") | (_is("ST") & ~pl.col("has_parts"))
    ends = pl.col("set_no").is_null() | (pl.col("has_parts") & (pl.col("is_end") | _is("ST")))
    inside = pl.when(starts).then(True).when(ends).then(False).forward_fill()
    return marked.with_columns(starts=starts).with_columns(
        unit_no=pl.when(inside).then(pl.col("starts").cum_sum())).drop("is_part", "is_end")


def with_loops(segments: pl.DataFrame) -> pl.DataFrame:
    """Add rows of what governs a segment: set_row (ST), loop_row (what opened its loop), and of the hierarchy provider_row (HL03 20),
    subscriber_row (22) and patient_row (23). A level ends those below it."""
    levels = segments.filter(_is("HL")).select("row", level=element(3).cast(pl.Int64, strict=False))
    level = pl.col("level")
    reset = _is("ISA", "GS", "GE", "IEA", "ST")

    def governing(own: int) -> pl.Expr:
        found = pl.when(level == own).then(_ROW).when(reset | (level < own)).then(-1).forward_fill()
        return pl.when(found >= 0).then(found)

    return segments.join(levels, on="row", how="left", maintain_order="left").with_columns(
        set_row=pl.when(pl.col("set_no").is_not_null()).then(pl.when(_is("ST")).then(_ROW).forward_fill()),
        loop_row=pl.when(_is(*_LOOP_SEGMENTS)).then(_ROW).forward_fill(),
        provider_row=governing(20), subscriber_row=governing(22), patient_row=governing(23),
    )


def judged_sets(segments: pl.LazyFrame, interchanges: Sequence[Interchange], accepted: Sequence[frozenset[str]]) -> pl.LazyFrame:
    """One row a transaction set: set_no, interchange, ST01 to ST03, GS elements, BHT04 and BHT05, and reject_code: that of the
    outermost level that fails. `accepted` holds for each interchange what `<ST01>|<GS08>` its partner may send."""
    sets = _sets(segments).join(_groups(segments), on="group_no", how="left", maintain_order="left")
    envelope = pl.LazyFrame({
        "interchange": pl.Series(range(len(interchanges)), dtype=pl.UInt32),
        "is_closed": [one.is_closed for one in interchanges],
        "isa_13": [one.isa[12] for one in interchanges],
    }).join(
        # Only the last one ends it: an IEA without elements may stand before.
        segments.filter(_is("IEA")).unique("interchange", keep="last", maintain_order=True).select(
            "interchange", iea_01=element(1), iea_02=element(2)), on="interchange", how="left",
    ).join(
        segments.filter(_is("GS")).group_by("interchange").agg(groups=pl.len()), on="interchange", how="left",
    )
    allowed = pl.LazyFrame(
        [(place, kind) for place, kinds in enumerate(accepted) for kind in kinds],
        schema={"interchange": pl.UInt32, "kind": pl.String}, orient="row",
    ).with_columns(is_accepted=pl.lit(True))
    return sets.join(envelope, on="interchange", how="left", maintain_order="left").with_columns(
        kind=pl.col("st_01") + "|" + pl.col("gs_08"),
    ).join(allowed, on=["interchange", "kind"], how="left", maintain_order="left").with_columns(reject_code=_reject())


@cache
def _reject() -> pl.Expr:
    """Interchange, then group, then set; of each the trailer, then its control number, then its count. A trailer of another
    header's number is not this header's trailer."""
    levels = [
        (~pl.col("is_closed") | _differs("iea_02", "isa_13"), MISSING_TRAILER), (_miscounts("iea_01", "groups"), COUNT_MISMATCH),
        (pl.col("ge_02").is_null() | _differs("ge_02", "gs_06"), MISSING_TRAILER), (_miscounts("ge_01", "sets"), COUNT_MISMATCH),
        (pl.col("is_accepted").is_null(), UNSUPPORTED),
        (pl.col("se_02").is_null() | _differs("se_02", "st_02"), MISSING_TRAILER), (_miscounts("se_01", "set_segments"), COUNT_MISMATCH),
        ((pl.col("st_01") == "837") & ~pl.col("has_parts"), COUNT_MISMATCH),  # a claim transaction without a claim has lost it
    ]
    failed = pl.lit(None, dtype=pl.String)
    for fails, code in reversed(levels):
        failed = pl.when(fails.fill_null(True)).then(pl.lit(code)).otherwise(failed)
    return failed


def _differs(trailer: str, header: str) -> pl.Expr:
    return pl.col(trailer).str.strip_chars() != pl.col(header).str.strip_chars()


def _miscounts(stated: str, counted: str) -> pl.Expr:
    return pl.col(stated).str.strip_chars().cast(pl.Int64, strict=False) != pl.col(counted)


def _sets(segments: pl.LazyFrame) -> pl.LazyFrame:
    inside = segments.filter(pl.col("set_no").is_not_null())
    trailers = inside.filter(_is("SE")).select("set_no", se_01=element(1), se_02=element(2))
    beginnings = inside.filter(_is("BHT")).unique("set_no", keep="first").select("set_no", bht_04=element(4), bht_05=element(5))
    counts = inside.filter(pl.col("segment_id") != "").group_by("set_no").agg(set_segments=pl.len())
    return inside.filter(_is("ST")).select(
        "set_no", "group_no", "interchange", "has_parts", st_01=element(1), st_02=element(2), st_03=element(3),
    ).join(trailers, on="set_no", how="left", maintain_order="left").join(
        beginnings, on="set_no", how="left", maintain_order="left").join(counts, on="set_no", how="left", maintain_order="left")


def _groups(segments: pl.LazyFrame) -> pl.LazyFrame:
    inside = segments.filter(pl.col("group_no").is_not_null())
    trailers = inside.filter(_is("GE")).select("group_no", ge_01=element(1), ge_02=element(2))
    counts = inside.filter(_is("ST")).group_by("group_no").agg(sets=pl.len())
    return inside.filter(_is("GS")).select(
        "group_no", gs_04=element(4), gs_05=element(5), gs_06=element(6), gs_08=element(8),
    ).join(trailers, on="group_no", how="left").join(counts, on="group_no", how="left")
