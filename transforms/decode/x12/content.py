"""What tells equal content from other content: hashes of units, transaction sets and interchanges.

Belongs here: which segments count. Envelopes, hierarchy numbers and BHT (which number and date a transmission) do not: the same claim sent
again in another interchange is the same content. A claim takes the loops above it along: provider, subscriber, patient. A claim payment
is a part of its 835, whose money is one sum: its content is the whole set and its position in it.
"""

from __future__ import annotations

import hashlib

import polars as pl

from transforms.decode.x12.segments import CODES, Segments

_LOOPS = ("provider_row", "subscriber_row", "patient_row")
_LOOP_ENDS = [CODES[name] for name in ("HL", "CLM", "SE", "GE", "IEA", "ST", "GS", "ISA")]


def with_set_hashes(sets: pl.DataFrame, segments: pl.DataFrame, content: bytes) -> pl.DataFrame:
    """Add set_hash: content of a transaction set without ST, BHT and SE."""
    inside = segments.filter(pl.col("set_no").is_not_null())
    is_head = pl.col("code").is_in([CODES["ST"], CODES["BHT"]])
    spans = inside.group_by("set_no").agg(
        after=pl.col("end").filter(is_head).max(), before=pl.col("end").filter(pl.col("code") != CODES["SE"]).max())
    found = sets.join(spans, on="set_no", how="left", maintain_order="left")
    hashes = [_md5(content[after:before]) for after, before in found.select("after", "before").rows()]
    return found.drop("after", "before").with_columns(set_hash=pl.Series(hashes, dtype=pl.String))


def with_interchange_hashes(places: pl.DataFrame, segments: pl.DataFrame, content: bytes) -> pl.DataFrame:
    """Add interchange_hash: all segments besides the ISA, whose numbers are what is compared."""
    spans = segments.group_by("interchange", maintain_order=True).agg(after=pl.col("end").first(), before=pl.col("end").last())
    hashes = [_md5(content[after:before]) for after, before in spans.select("after", "before").rows()]
    return places.join(spans.select("interchange", interchange_hash=pl.Series(hashes, dtype=pl.String)), on="interchange", how="left")


def unit_hashes(units: pl.DataFrame, segments: Segments) -> list[str]:
    """Content hash of each row of `units` (first, unit_end, set_hash, position, reject_code, rows of its loops), in order."""
    content = segments.content
    loops = segments.frame.filter(pl.col("code").is_in(_LOOP_ENDS)).select(
        "row", "code", "end", following=pl.col("first").shift(-1)).filter(pl.col("code") == CODES["HL"])
    span = {row: content[end:following] for row, end, following in loops.select("row", "end", "following").rows()}
    heads = units.select(pl.concat_str("st_01", "gs_08", "isa_15", "reject_code", separator="|", ignore_nulls=True)).to_series().to_list()
    columns = units.select("has_parts", "st_01", "set_hash", "position", "first", "unit_end", *_LOOPS).rows()
    begun = {head: head.encode() for head in set(heads)}  # few: claims of one set type, version and reason are many
    contents = []
    for head, (has_parts, kind, set_hash, position, first, end, *rows) in zip(heads, columns, strict=True):
        parts = [begun[head]]
        if kind == "835" or not has_parts:
            parts.append(f"{set_hash}|{position}".encode())
        else:
            parts.append(content[first:end])
            parts += [span[row] for row in rows if row is not None]
        contents.append(b"|".join(parts))
    return list(map(_md5, contents))


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
