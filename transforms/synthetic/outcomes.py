"""What becomes of each unit once everything has been received.

The rule, independent of arrival: of each fact the version with the newest source time is current; a unit with a current fact is
`canonical`, one whose facts all have newer versions is `superseded`. Defects and repetitions are judged where they are made.
"""

from __future__ import annotations

from collections.abc import Iterable

from transforms.synthetic.outbox import FACTS, OUTCOME, SOURCE_TIME, Feed, Unit

OUTCOMES = ("canonical", "duplicate", "superseded", "quarantined", "ignored_by_rule")


def judge(feeds: Iterable[Feed], facts: int) -> int:
    """Give every unit of the feeds its outcome; `facts` is the highest fact number. Returns how many versions tie in source time,
    which leaves their order open: the story has none."""
    newest: list[Unit | None] = [None] * (facts + 1)
    ties = 0
    for feed in feeds:
        for day in feed.days:
            for unit in day:
                if unit[OUTCOME] is not None:
                    continue
                unit[OUTCOME] = "superseded"
                moment = unit[SOURCE_TIME]
                for fact in unit[FACTS]:
                    other = newest[fact]
                    if other is None or other[SOURCE_TIME] < moment:
                        newest[fact] = unit
                    elif other[SOURCE_TIME] == moment:
                        ties += 1
    for current in newest:
        if current is not None:
            current[OUTCOME] = "canonical"
    return ties

