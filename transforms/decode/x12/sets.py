"""Transaction sets and what fails in them or around them (ASC X12.6 s3.8 to s3.10).

Belongs here: headers and trailers against each other. Does not belong here: where they are (`structure.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.decode.cells import FlagArray, NumberArray
from transforms.decode.x12.interchange import Interchange
from transforms.decode.x12.segments import Segments
from transforms.decode.x12.structure import Structure, whole_numbers

MISSING_TRAILER = "x12.missing_trailer"
COUNT_MISMATCH = "x12.segment_count_mismatch"
UNSUPPORTED = "x12.unsupported_version"

# White space as Unicode has it: the separators of ASCII (1C to 1F) are none.
_SPACE = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"

Columns = dict[str, pa.StringArray]


def judged_sets(segments: Segments, structure: Structure, interchanges: Sequence[Interchange],
                accepted: Sequence[frozenset[str]]) -> Columns:
    """One row a transaction set: ST01 to ST03, GS elements, BHT04 and BHT05, and reject_code: that of the outermost level that fails.
    `accepted` holds for each interchange what `<ST01>|<GS08>` its partner may send."""
    rows, groups = segments.rows("ST"), segments.rows("GS")
    group_no, interchange = structure.group_no[rows], segments.interchange[rows]
    header = _of_group(groups, group_no)
    first_bht = _rows_by_number(segments.rows("BHT")[::-1], structure.set_no, len(rows))
    found = {
        **{f"st_{number:02}": segments.element(rows, number) for number in (1, 2, 3)},
        **{f"gs_{number:02}": segments.element(header, number) for number in (4, 5, 6, 8)},
        **{f"bht_{number:02}": segments.element(first_bht, number) for number in (4, 5)},
    }
    group_trailer = _of_group(_rows_by_number(segments.rows("GE"), structure.group_no, len(groups)), group_no)
    set_trailer = _rows_by_number(segments.rows("SE"), structure.set_no, len(rows))
    last = np.full(len(interchanges), -1)
    # Only the last one ends it: an IEA without elements may stand before.
    last[segments.interchange[segments.rows("IEA")]] = segments.rows("IEA")
    trailer = last[interchange]
    counted = [
        np.bincount(segments.interchange[groups], minlength=len(interchanges))[interchange],
        np.bincount(group_no, minlength=len(groups) + 1)[group_no],
        np.bincount(structure.set_no[pc.not_equal(segments.names, "").to_numpy(zero_copy_only=False)], minlength=len(rows) + 1)[1:],
    ]
    numbers = pa.array([one.isa[12] for one in interchanges]).take(pa.array(interchange))
    is_closed = np.array([one.is_closed for one in interchanges])[interchange]
    fails = [
        (~is_closed | _differs(segments.element(trailer, 2), numbers), MISSING_TRAILER),
        (_miscounts(segments.element(trailer, 1), counted[0]) | (counted[0] == 0), COUNT_MISMATCH),
        (_differs(segments.element(group_trailer, 2), found["gs_06"]), MISSING_TRAILER),
        (_miscounts(segments.element(group_trailer, 1), counted[1]), COUNT_MISMATCH),
        (~_accepted(found, interchange, accepted), UNSUPPORTED),
        (_differs(segments.element(set_trailer, 2), found["st_02"]), MISSING_TRAILER),
        (_miscounts(segments.element(set_trailer, 1), counted[2]), COUNT_MISMATCH),
        # A claim transaction without a claim has lost it.
        (_are(found["st_01"], "837") & ~structure.has_parts[1:], COUNT_MISMATCH),
    ]
    codes = pa.array([code for _, code in fails])
    first = np.select([one for one, _ in fails], list(range(len(fails))), -1)
    found["reject_code"] = codes.take(pa.array(first, mask=first < 0))
    return found


def _of_group(rows: NumberArray, group_no: NumberArray) -> NumberArray:
    """Row of each set's group, -1 for a set outside."""
    return np.concatenate([[-1], rows])[group_no]


def _rows_by_number(rows: NumberArray, numbers: NumberArray, count: int) -> NumberArray:
    """The last of these rows in each group or set, -1 for none."""
    found = np.full(count + 1, -1)
    found[numbers[rows]] = rows
    return found[1:]


def _accepted(found: Columns, interchange: NumberArray, accepted: Sequence[frozenset[str]]) -> FlagArray:
    """May the partner send this set in this version?"""
    kinds = pc.binary_join_element_wise(found["st_01"], found["gs_08"], "|").to_pylist()
    return np.array([kind in accepted[place] for kind, place in zip(kinds, interchange.tolist(), strict=True)], np.bool_)


def _are(texts: pa.StringArray, value: str) -> FlagArray:
    found: FlagArray = pc.fill_null(pc.equal(texts, value), True).to_numpy(zero_copy_only=False)
    return found


def _differs(trailer: pa.StringArray, header: pa.StringArray) -> FlagArray:
    """Is a trailer another header's, or not there?"""
    are_equal = pc.equal(pc.utf8_trim(trailer, _SPACE), pc.utf8_trim(header, _SPACE))
    found: FlagArray = ~pc.fill_null(are_equal, False).to_numpy(zero_copy_only=False)
    return found


def _miscounts(stated: pa.StringArray, counted: NumberArray) -> FlagArray:
    numbers, are_numbers = whole_numbers(pc.utf8_trim(stated, _SPACE))
    found: FlagArray = ~are_numbers | (numbers != counted)
    return found
