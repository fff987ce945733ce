"""The delimiters of a message, read from its MSH segment (HL7 v2.5.1 s2.5.4; fifth character: v2.7 s2.5.4).

Belongs here: MSH-1 and MSH-2. Does not belong here: splitting by them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

STANDARD = "|^~\\&"


@dataclass(frozen=True)
class Delimiters:
    """Characters of MSH-1 and MSH-2, `sent` together; one that MSH-2 does not give is '' and separates nothing."""

    sent: str
    field: str
    component: str
    repetition: str
    escape: str
    subcomponent: str
    truncation: str

    def to_standard(self) -> dict[int, str] | None:
        """Translation that makes messages with other delimiters comparable: each delimiter becomes the standard one; a
        standard delimiter that is plain data here becomes a private-use character. None where nothing changes."""
        own = self.field + self.component + self.repetition + self.escape + self.subcomponent
        if STANDARD.startswith(own):
            return None
        table = {ord(mark): chr(0xE000 + i) for i, mark in enumerate(STANDARD)}
        table.update({ord(mark): STANDARD[i] for i, mark in enumerate(own)})
        return table


def read_delimiters(segment: str) -> Delimiters | None:
    """Delimiters of an MSH segment; None where MSH-1 or MSH-2 is missing, too long, or no set of distinct marks."""
    return _delimiters(segment[3] + segment[4:].partition(segment[3])[0]) if len(segment) > 4 else None


@lru_cache(maxsize=256)
def _delimiters(marks: str) -> Delimiters | None:
    usable = 2 <= len(marks) <= 6 and len(set(marks)) == len(marks)
    if not usable or any(mark.isalnum() or mark.isspace() or not mark.isascii() for mark in marks):
        return None
    return Delimiters(marks, *(marks[i : i + 1] for i in range(6)))
