"""Segments of many interchanges as one frame, split by their own delimiters (ASC X12.6 s3.5, s3.6).

Belongs here: text -> segments and elements, and the bytes that equal content shares. Does not belong here: what encloses what
(`structure.py`). All interchanges of a batch are split at once: the cost of a call is paid per batch, not per file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from transforms.decode.x12.interchange import Delimiters, Interchange

_LINE_ENDS = "\r\n"
_STANDARD = Delimiters("*", "^", ":", "~")  # what content is compared in
# Stand for those marks in the values of interchanges whose delimiters are others.
_ESCAPES = {"*": "\x1d", "^": "\x1e", ":": "\x1f", "~": "\x1c"}

# Segments that the structure is made of; all others share number 0.
CODES = {name: number for number, name in enumerate(
    ("", "ISA", "IEA", "GS", "GE", "ST", "SE", "HL", "CLM", "CLP", "LX", "SVC", "PLB", "BHT"))}


@dataclass(frozen=True)
class Segments:
    """`frame`: one row a segment in order: interchange (its place in the batch), row, segment_id, code (of CODES), elements (element
    n of the standard is item n - 1), terminator (as sent, null for the delimiter alone), first and end (its place in `content`, its
    terminator included). `content`: all segments with the standard delimiters and no line ends, equal for equal content."""

    frame: pl.DataFrame
    content: bytes


def read_segments(interchanges: Sequence[Interchange]) -> Segments:
    """Split the interchanges of a batch."""
    kinds: dict[tuple[Delimiters, bool], list[tuple[int, Interchange]]] = {}
    for place, one in enumerate(interchanges):
        has_lines = "\n" in one.text or "\r" in one.text
        kinds.setdefault((one.delimiters, has_lines), []).append((place, one))
    split = [_split(found, delimiters, has_lines) for (delimiters, has_lines), found in kinds.items()]
    whole = split[0] if len(split) == 1 else pl.concat(split).sort("interchange", maintain_order=True)
    if any(delimiters != _STANDARD or has_lines for delimiters, has_lines in kinds):
        content = whole["content"].str.join("~").item() + "~"
    else:
        content = "~".join(one.text for one in interchanges) + "~"
    length = pl.col("content").str.len_bytes().cast(pl.Int64) + 1
    frame = whole.with_row_index("row").with_columns(
        pl.col("row").cast(pl.Int64), end=length.cum_sum(),
        code=pl.col("segment_id").replace_strict(CODES, default=0, return_dtype=pl.UInt8))
    return Segments(frame.with_columns(first=pl.col("end") - length).drop("content"), content.encode())


def _split(interchanges: Sequence[tuple[int, Interchange]], delimiters: Delimiters, has_lines: bool) -> pl.DataFrame:
    text = pl.col("text")
    frame = pl.DataFrame({
        "interchange": pl.Series([place for place, _ in interchanges], dtype=pl.UInt32),
        "text": [one.text for _, one in interchanges],
        "tail": pl.Series([None if one.tail == delimiters.terminator else one.tail for _, one in interchanges], dtype=pl.String),
    }).with_columns(text.str.split(delimiters.terminator)).explode("text")
    is_last = (pl.col("interchange") != pl.col("interchange").shift(-1)).fill_null(True)
    terminator: pl.Expr = pl.when(is_last).then(pl.col("tail"))
    if has_lines:
        stripped = text.str.strip_chars_start(_LINE_ENDS)
        frame = frame.with_columns(text=stripped, padding=text.str.head(text.str.len_chars() - stripped.str.len_chars()))
        following = pl.col("padding").shift(-1)
        terminator = pl.when(is_last).then(pl.col("tail")).when(following != "").then(pl.lit(delimiters.terminator) + following)
    parts = text.str.split(delimiters.element)
    return frame.with_columns(parts=parts, terminator=terminator).select(
        "interchange", "terminator", segment_id=pl.col("parts").list.first(), elements=pl.col("parts").list.slice(1),
        content=text if delimiters == _STANDARD else _standard(text, delimiters))


def _standard(text: pl.Expr, delimiters: Delimiters) -> pl.Expr:
    """Text with other delimiters, in the standard ones; where a value holds one of these it is told apart."""
    for mark, escape in _ESCAPES.items():
        if mark not in vars(delimiters).values():
            text = text.str.replace_all(mark, escape, literal=True)
    names = {mark: f"\x00{name}" for name, mark in vars(delimiters).items()}
    for mark, name in names.items():
        text = text.str.replace_all(mark, name, literal=True)
    for name, mark in vars(_STANDARD).items():
        text = text.str.replace_all(f"\x00{name}", mark, literal=True)
    return text
