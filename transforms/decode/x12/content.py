"""What tells equal content from other content: hashes of units, transaction sets and interchanges.

Belongs here: which segments count. Envelopes, hierarchy numbers and BHT (which number and date a transmission) do not: the same claim sent
again in another interchange is the same content. A claim takes the loops above it along: provider, subscriber, patient. A claim payment
is a part of its 835, whose money is one sum: its content is the whole set and its position in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from transforms.decode.cells import NumberArray
from transforms.decode.x12.segments import Segments
from transforms.decode.x12.structure import Structure

_LOOP_ENDS = ("HL", "CLM", "SE", "GE", "IEA", "ST", "GS", "ISA")


def set_hashes(segments: Segments, structure: Structure) -> list[str]:
    """Content of each transaction set without ST, BHT and SE."""
    inside, count = structure.set_no > 0, len(structure.has_parts)
    spans = []
    for rows in (np.flatnonzero(inside & segments.are("ST", "BHT")), np.flatnonzero(inside & ~segments.are("SE"))):
        ends = np.zeros(count, np.int64)
        ends[structure.set_no[rows]] = segments.ends[rows]  # the last one of each set
        spans.append(ends[1:].tolist())
    return [_md5(segments.content[after:before]) for after, before in zip(*spans, strict=True)]


def interchange_hashes(segments: Segments, first: NumberArray, last: NumberArray) -> list[str]:
    """Content of each interchange from its first to its last row: all segments besides the ISA, whose numbers are what is compared."""
    spans = zip(segments.ends[first].tolist(), segments.ends[last].tolist(), strict=True)
    return [_md5(segments.content[after:before]) for after, before in spans]


def unit_hashes(segments: Segments, structure: Structure, rows: NumberArray, heads: Sequence[str], kinds: Sequence[str | None],
                sets: Sequence[str], positions: Sequence[int]) -> list[str]:
    """Content hash of each unit that begins at one of `rows`, in order; `heads` are what its envelope adds, `kinds`, `sets` and `positions`
    its transaction set's type and hash and its place in it."""
    content = segments.content
    bounds = np.concatenate([segments.rows(*_LOOP_ENDS), [len(segments)]])
    levels = segments.rows("HL")
    following = np.concatenate([segments.starts, [len(content)]])[bounds[np.searchsorted(bounds, levels) + 1]]
    spans = zip(levels.tolist(), segments.ends[levels].tolist(), following.tolist(), strict=True)
    loop = {-1: b"", **{row: b"|" + content[end:stop] for row, end, stop in spans}}
    last = np.zeros(int(structure.unit_no.max(initial=0)) + 1, np.int64)
    inside = np.flatnonzero(structure.unit_no)
    last[structure.unit_no[inside]] = segments.ends[inside]
    ends = last[structure.unit_no[rows]].tolist()
    above = (column[rows].tolist() for column in (structure.provider_row, structure.subscriber_row, structure.patient_row))
    has_parts = structure.has_parts[structure.set_no[rows]].tolist()
    begun = {head: head.encode() + b"|" for head in set(heads)}  # few: claims of one set type, version and reason are many
    return [
        _md5(begun[head] + content[start:end] + loop[provider] + loop[subscriber] + loop[patient]) if is_part and kind != "835"
        else _md5(begun[head] + f"{set_hash}|{position}".encode())
        for head, is_part, kind, set_hash, position, start, end, provider, subscriber, patient in zip(
            heads, has_parts, kinds, sets, positions, segments.starts[rows].tolist(), ends, *above, strict=True)
    ]


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
