"""Groups, transaction sets, loops and units among segments (ASC X12.6; loops of the 005010 implementation guides).

Belongs here: what encloses what. Does not belong here: which trailers fail (`sets.py`), what an element means (dbt).
Another segment is named by its row, -1 where there is none; groups, sets and units are counted over the batch from 1, 0 is outside.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.decode.cells import FlagArray, NumberArray
from transforms.decode.x12.segments import CODES, Segments

# Segment that begins a unit, and those that end it before the next one begins, by transaction set.
_UNIT_SEGMENTS = {"837": "CLM", "835": "CLP"}
_UNIT_ENDS = {"837": ("HL", "SE"), "835": ("LX", "PLB", "SE")}
_LOOP_SEGMENTS = ("ISA", "GS", "ST", "HL", "CLM", "CLP", "LX", "SVC", "PLB")
_NONE = -1
_NUMBER = "^[+-]?[0-9]{1,18}$"


@dataclass(frozen=True)
class Structure:
    """Of each segment: `group_no`, `set_no`, `unit_no`; does a unit start with it; the rows of its set, of what opened its loop, and of the
    levels above it (HL03 20, 22, 23). `has_parts` tells of each set, 0 for none, whether it is cut into claims."""

    group_no: NumberArray
    set_no: NumberArray
    unit_no: NumberArray
    starts: FlagArray
    has_parts: FlagArray
    set_row: NumberArray
    loop_row: NumberArray
    provider_row: NumberArray
    subscriber_row: NumberArray
    patient_row: NumberArray


def structure_of(segments: Segments) -> Structure:
    """Find what encloses each segment."""
    begins, after = segments.are("ISA", "IEA"), np.concatenate([[0], segments.codes[:-1]])
    is_group, is_set = segments.are("GS"), segments.are("ST")
    after_group, after_set = after == CODES["GE"], after == CODES["SE"]
    group_no = np.where(_last(is_group, begins | after_group) >= 0, np.cumsum(is_group), 0)
    set_row = _last(is_set, begins | segments.are("GS", "GE") | after_set)
    set_no = np.where(set_row >= 0, np.cumsum(is_set), 0)
    starts, unit_no, has_parts = _units(segments, set_no, is_set)
    return Structure(group_no, set_no, unit_no, starts, has_parts, set_row, _last(segments.are(*_LOOP_SEGMENTS)), *_levels(segments))


def whole_numbers(texts: pa.StringArray) -> tuple[NumberArray, FlagArray]:
    """Numbers that texts are, 0 for those that are none, and which are."""
    is_number = pc.fill_null(pc.match_substring_regex(texts, _NUMBER), False)
    numbers = pc.cast(pc.utf8_ltrim(pc.if_else(is_number, texts, "0"), "+"), pa.int64())
    return numbers.to_numpy(), is_number.to_numpy(zero_copy_only=False)


def _last(opens: FlagArray, closes: FlagArray | None = None) -> NumberArray:
    """Row of the last segment that opens, up to and including each segment; none where one that closes came behind it."""
    rows = np.arange(len(opens))
    either = opens if closes is None else opens | closes
    last = np.maximum.accumulate(np.where(either, rows, _NONE))
    return last if closes is None else np.where((last >= 0) & opens[last], last, _NONE)


def _units(segments: Segments, set_no: NumberArray, is_set: FlagArray) -> tuple[FlagArray, NumberArray, FlagArray]:
    """Starts, unit_no and has_parts."""
    types = segments.element(np.flatnonzero(is_set), 1)
    is_part, is_end = np.zeros(len(segments), np.bool_), np.zeros(len(segments), np.bool_)
    for kind, name in _UNIT_SEGMENTS.items():
        is_kind = np.concatenate([[False], pc.fill_null(pc.equal(types, kind), False).to_numpy(zero_copy_only=False)])[set_no]
        is_part |= segments.are(name) & is_kind
        is_end |= segments.are(*_UNIT_ENDS[kind]) & is_kind
    has_parts = np.zeros(len(types) + 1, np.bool_)
    has_parts[set_no[is_part]] = True
    in_parted = has_parts[set_no]
    starts = is_part | (is_set & ~in_parted)
    ends = (set_no == 0) | (in_parted & (is_end | is_set))
    return starts, np.where(_last(starts, ends) >= 0, np.cumsum(starts), 0), has_parts


def _levels(segments: Segments) -> tuple[NumberArray, NumberArray, NumberArray]:
    """Rows of the hierarchy's provider (HL03 20), subscriber (22) and patient (23) above each segment. A level ends those below it."""
    rows = segments.rows("HL")
    numbers, are_numbers = whole_numbers(segments.element(rows, 3))
    level = np.full(len(segments), np.iinfo(np.int64).max)
    level[rows[are_numbers]] = numbers[are_numbers]
    reset = segments.are("ISA", "GS", "GE", "IEA", "ST")
    provider, subscriber, patient = (_last(level == own, reset | (level < own)) for own in (20, 22, 23))
    return provider, subscriber, patient
