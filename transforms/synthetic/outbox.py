"""Units on their way into feed files: which day each is delivered, late or not, and what will become of it.

A *unit* is a list `[order, record_type, text, source_time, facts, outcome, reason]`: `order` sorts it within its day, `facts`
are the numbers of the facts whose versions it carries (see `site.Facts`), and outcome and reason stay null until judged.
Lists, because a network has millions of them and each is finished by `outcomes.judge`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from random import Random
from typing import Any

from transforms.synthetic.clock import DAY

Unit = list[Any]
ORDER, RECORD_TYPE, TEXT, SOURCE_TIME, FACTS, OUTCOME, REASON = range(7)

_LATE = 0.015
Pack = Callable[["Feed", int, str, list[Unit]], Iterator[tuple[str, bytes, list[Unit]]]]


class Feed:
    """The units of one facility's source (and file stem), by day of delivery. Where several units need more around them than a header
    and a trailer, `pack` makes the day's files of them: (feed, day, name without its ending, units) to (name, bytes, units) a file."""

    __slots__ = ("facility", "source", "kind", "stem", "days", "pack")

    def __init__(self, facility: int, source: str, kind: str, stem: str, days: int) -> None:
        self.facility, self.source, self.kind, self.stem = facility, source, kind, stem
        self.days: list[list[Unit]] = [[] for _ in range(days)]
        self.pack: Pack | None = None


class Outbox:
    """All feeds of the network for one group of people. Days count from the first batch date."""

    def __init__(self, opening: int, days: int, rng: Random) -> None:
        self.opening_day = opening // DAY
        self.days = days
        self.draw = rng.random
        self.feeds: dict[tuple[int, str, str], Feed] = {}

    def feed(self, facility: int, source: str, kind: str, stem: str = "") -> Feed:
        """The feed of a source; `stem` tells apart the files of a source that sends several kinds of files a day."""
        key = (facility, source, stem)
        if key not in self.feeds:
            self.feeds[key] = Feed(facility, source, kind, stem or source, self.days)
        return self.feeds[key]

    def day(self, recorded: int) -> int:
        """Day on which something recorded at a local moment is sent: history goes with the first day."""
        day = recorded // DAY - self.opening_day
        return day if day > 0 else 0

    def day_or_late(self, recorded: int) -> int:
        """As `day`, but now and then a day or two later: the source time tells the old moment, the delivery is late."""
        day = recorded // DAY - self.opening_day
        if day < 0:
            day = 0
        if self.draw() < _LATE and day + 2 < self.days:
            return day + 1 + (self.draw() < 0.3)
        return day


def newest_by_day(versions: list[Any], opening_day: int) -> list[Any]:
    """What a nightly extract shows: of all versions of one day only the newest; of all history only the newest."""
    if len(versions) < 2:
        return versions
    shown = []
    for place, version in enumerate(versions[:-1]):
        following = versions[place + 1]
        if following[0] // DAY > max(version[0] // DAY, opening_day):
            shown.append(version)
    shown.append(versions[-1])
    return shown


def pack_by_name(feed: Feed, day: int, name: str, units: list[Unit]) -> Iterator[tuple[str, bytes, list[Unit]]]:
    """Files of units whose order begins with the file's name and whose texts, in bytes, make its content."""
    for own_name, chosen in groupby(units, key=lambda unit: str(unit[ORDER][0])):
        listed = list(chosen)
        yield own_name, b"".join([unit[TEXT] for unit in listed]), listed


def pack_lines(feed: Feed, day: int, name: str, units: list[Unit]) -> Iterator[tuple[str, bytes, list[Unit]]]:
    """One file of lines of JSON; none on a day without units."""
    if units:
        yield f"{name}.jsonl", "".join([f"{unit[TEXT]}\n" for unit in units]).encode(), units
