"""An X12 interchange delivered again with what it says corrected: claims replaced, payments taken back, answers changed."""

from __future__ import annotations

from decimal import Decimal

_NEGATED = {"CLP": (3, 4), "SVC": (2, 3), "CAS": (3,)}


def corrected_interchange(text: str, day: str) -> str:
    """The interchange under a control number of its own, transmitted on `day` (CCYYMMDD), each set counted anew."""
    head, *sets = text.split("~ST*")
    last, tail = sets[-1].split("~GE*")
    sets[-1] = last
    out = [_corrected_set(f"ST*{one}".split("~"), day) for one in sets]
    ends = [_envelope(segment, day) for segment in (*head.split("~"), *f"GE*{tail}".split("~"))]
    return "~".join([*ends[:2], *(segment for one in out for segment in one), *ends[2:]])


def _envelope(segment: str, day: str) -> str:
    parts = segment.split("*")
    place = {"ISA": 13, "IEA": 2, "GS": 4}.get(parts[0])
    if place:
        parts[place] = day if parts[0] == "GS" else f"9{parts[place][1:]}"
    return "*".join(parts)


def _corrected_set(segments: list[str], day: str) -> list[str]:
    """A set's segments corrected. A payment of less than nothing is none, and its rest is carried forward (PLB, FB)."""
    out: list[str] = []
    for segment in segments:
        out += _corrected_segment(segment.split("*"), day)
    taken = sum((Decimal(one.split("*")[4]) for one in out if one.startswith("CLP*")), Decimal(0))
    if taken:
        out = [f"BPR*H*0*{one.split('*', 3)[3]}" if one.startswith("BPR*") else one for one in out]
        out.insert(-1, f"PLB*1234567893*20261231*FB:1*{taken}")
    end = out[-1].split("*")
    return [*out[:-1], f"SE*{len(out)}*{end[2]}"]


def _corrected_segment(parts: list[str], day: str) -> list[str]:
    """What stands in a segment's place: none, one or two segments."""
    name = parts[0]
    if name == "PLB":
        return []
    if name == "BHT":
        parts[4] = day
    elif name == "EB" and parts[1] == "1":
        parts[1] = "6"
    elif name == "TRN" and parts[2].startswith("EFT"):
        parts[2] = f"BACK{parts[2]}"
    elif name == "CLM" and parts[5].endswith(":1"):
        return ["*".join([*parts[:5], f"{parts[5][:-1]}7", *parts[6:]]), f"REF*F8*ICN{parts[1][1:]}"]
    elif name in _NEGATED:
        parts = [str(-Decimal(part)) if place in _NEGATED[name] else part for place, part in enumerate(parts)]
        if name == "CLP":
            parts[2], parts[5] = "22", ""
    return ["*".join(parts)]
