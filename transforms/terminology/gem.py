"""General Equivalence Mappings between ICD-9-CM and ICD-10 (CMS, text files `*_I9gem.txt`, `*_I10gem.txt`), as lines of a concept map.

Belongs here: the published layout and what its flags say. Does not belong here: judging the lines (`concept_map.py`).
A line is source code, target code and five flags: approximate, no map, combination, scenario, choice list. Codes come without their
point and get it back: behind the third character, of an external cause of ICD-9-CM behind the fourth.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

ICD9, ICD10 = "http://hl7.org/fhir/sid/icd-9-cm", "http://hl7.org/fhir/sid/icd-10-cm"
_LINE = re.compile(r"([0-9A-Z]{3,7}) +([0-9A-Z]{3,7}|NoDx|NODX|NoPCS) +([01])([01])([01])([0-9])([0-9])")


@dataclass(frozen=True)
class GemLine:
    """One line: `number` counts from 1 in the file; a line without target is unmatched."""

    number: int
    source_code: str
    target_code: str | None
    equivalence: str


def is_gem(text: str) -> bool:
    """Does a text begin with a line of such a file?"""
    return _LINE.fullmatch(text.partition("\n")[0].strip()) is not None


def systems(text: str) -> tuple[str, str]:
    """Source and target system: codes of ICD-10-CM begin with a letter, those of ICD-9-CM but for E and V with a digit."""
    starts = Counter(line[:1].isdigit() for line in text.splitlines() if line.strip())
    return (ICD9, ICD10) if starts[True] else (ICD10, ICD9)


def gem_lines(text: str) -> tuple[list[GemLine], int | None]:
    """Lines of a file, and the number of the first that is none (null: all are).

    Equivalent is what is not approximate and the code's only target; one of several, or a part of a combination, is inexact."""
    source, target = systems(text)
    found: list[GemLine] = []
    rows = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    targets = Counter(line.split()[0] for _, line in rows)
    for number, line in rows:
        read = _LINE.fullmatch(line)
        if read is None:
            return found, number
        code, other, approximate, no_map, combination, *_ = read.groups()
        if no_map == "1":
            found.append(GemLine(number, _pointed(code, source), None, "unmatched"))
            continue
        is_exact = approximate == "0" and combination == "0" and targets[code] == 1
        found.append(GemLine(number, _pointed(code, source), _pointed(other, target), "equivalent" if is_exact else "inexact"))
    return found, None


def _pointed(code: str, system: str) -> str:
    place = 4 if system == ICD9 and code.startswith("E") else 3
    return f"{code[:place]}.{code[place:]}" if len(code) > place else code
