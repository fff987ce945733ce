"""What the release files of terminologies have in common: lines of fields that say which code stands for which.

Belongs here: one line as a mapping, lines and their numbers, a code of several targets. Does not belong here: any one layout (`loinc.py`,
`rxnorm.py`, `snomed.py`, `cvx.py`, `ndc.py`), judging the mappings (`concept_map.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

NARROWER_THAN_TARGET, EXACT, SOME, NONE = "wider", "equivalent", "inexact", "unmatched"


@dataclass(frozen=True)
class Mapping:
    """One line: `number` counts from 1 in the file; one without target is unmatched."""

    number: int
    source_system: str
    source_code: str
    target_system: str | None
    target_code: str | None
    equivalence: str


class WrongLineError(Exception):
    """A line that does not have its file's form; its number."""


def numbered(text: str) -> Iterator[tuple[int, str]]:
    """Lines that are not blank, one at a time: a release may have millions."""
    number, start = 0, 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        number += 1
        if line := text[start:end].rstrip("\r"):
            yield number, line
        start = end + 1


def first_line(text: str) -> str:
    """The header, or the first line of a file without one."""
    return text[: text.find("\n") if "\n" in text else len(text)].rstrip("\r")


def only_targets_stand(found: Sequence[Mapping]) -> Iterator[Mapping]:
    """The mappings in order, those said twice once; where a code has several targets none of them stands for it."""
    first = {(one.source_code, one.target_code): one for one in reversed(found)}
    targets = Counter(source for source, _ in first)
    for one in sorted(first.values(), key=lambda one: one.number):
        yield one if targets[one.source_code] == 1 else replace(one, equivalence=SOME)
