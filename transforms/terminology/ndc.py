"""FDA's National Drug Code Directory, `package.txt`: codes of ten digits with hyphens -> the eleven digits of billing and RxNorm.

Belongs here: the column NDCPACKAGECODE, and where the eleventh digit goes: segments of 4-4-2, 5-3-2 and 5-4-1 digits are filled with a zero
on the left to 5-4-2. Does not belong here: judging the mappings (`concept_map.py`). Without hyphens ten digits could be any of the three.
"""

from __future__ import annotations

from collections.abc import Iterator

from transforms.terminology.release import Mapping, WrongLineError, first_line, numbered, only_targets_stand

SYSTEM = "http://hl7.org/fhir/sid/ndc"
_COLUMN = "NDCPACKAGECODE"
_SEGMENTS = (5, 4, 2)
_FORMS = {(4, 4, 2), (5, 3, 2), (5, 4, 1), _SEGMENTS}


def is_packages(text: str) -> bool:
    """Is a text such a file? It has a header and tabs."""
    return _COLUMN in first_line(text).split("\t")


def packages(text: str) -> Iterator[Mapping]:
    """Mappings of a file, hyphens -> eleven digits. WrongLineError for a code of another form."""
    lines = numbered(text)
    place = next(lines)[1].split("\t").index(_COLUMN)
    found = []
    for number, line in lines:
        code = (line.split("\t") + [""] * place)[place].strip()
        digits = eleven_digits(code)
        if digits is None:
            raise WrongLineError(number)
        found.append(Mapping(number, SYSTEM, code, SYSTEM, digits, "equal"))
    return only_targets_stand(found)


def eleven_digits(code: str) -> str | None:
    """The eleven digits of a code with hyphens; null for one of another form."""
    segments = code.split("-")
    if tuple(map(len, segments)) not in _FORMS or not all(one.isdecimal() and one.isascii() for one in segments):
        return None
    return "".join(one.zfill(length) for one, length in zip(segments, _SEGMENTS, strict=True))
