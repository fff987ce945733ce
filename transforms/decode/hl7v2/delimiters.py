"""The delimiters of a message, read from its MSH segment (HL7 v2.5.1 s2.5.4; fifth character: v2.7 s2.5.4).

Belongs here: MSH-1 and MSH-2. Does not belong here: splitting by them.
"""

from __future__ import annotations

from dataclasses import dataclass

STANDARD = "|^~\\&"


@dataclass(frozen=True)
class Delimiters:
    """Characters of MSH-1 and MSH-2; a character that MSH-2 does not give is '' and separates nothing."""

    field: str
    component: str
    repetition: str
    escape: str
    subcomponent: str
    truncation: str

    @property
    def sent(self) -> str:
        """MSH-1 and MSH-2 as sent."""
        return (
            self.field + self.component + self.repetition + self.escape + self.subcomponent + self.truncation
        )

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
    if len(segment) < 5:
        return None
    field = segment[3]
    encoding = segment[4:].partition(field)[0]
    marks = field + encoding
    usable = 1 <= len(encoding) <= 5 and len(set(marks)) == len(marks)
    if not usable or any(mark.isalnum() or mark.isspace() or not mark.isascii() for mark in marks):
        return None
    return Delimiters(field, *(encoding[i : i + 1] for i in range(5)))
