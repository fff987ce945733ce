"""Strips of days: one row a facility, one cell a day, worst facility on top."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta

from orchestration.catalog.reading import SEVERITY, Reading
from orchestration.catalog.view import Heat, HeatCell, HeatRow

DAYS_SHOWN = 31
FACILITIES_SHOWN = 40
LEGEND = "● accounted for, ▲ held back or warned, ■ failed or unbalanced, · nothing received."


def last_days(newest: str, count: int = DAYS_SHOWN) -> list[str]:
    """The days up to the newest, oldest first."""
    end = date.fromisoformat(newest)
    return [(end - timedelta(days=back)).isoformat() for back in range(count - 1, -1, -1)]


def strip(
    reading: Reading, caption: str, states: Mapping[tuple[str, str], tuple[str, str]],
    href: Callable[[str, str], str], newest: str | None, everything: bool = False,
    legend: str = LEGEND, only: str = "",
) -> Heat:
    """A heat map from (facility, day) -> (status, words). Facilities beyond the first forty are counted, not
    drawn.
    """
    if newest is None:
        return Heat(caption, [], [])
    oldest = min((day for _, day in states), default=newest)
    days = [day for day in last_days(newest) if day >= oldest]
    facilities = [only] if only else sorted(set(reading.facilities) | {facility for facility, _ in states})
    worth = {
        facility: max((SEVERITY.get(states[facility, day][0], 1) for day in days if (facility, day) in states),
        default=0)
        for facility in facilities
    }
    ordered = sorted(facilities, key=lambda facility: (-worth[facility], reading.name(facility)))
    shown = ordered if everything else ordered[:FACILITIES_SHOWN]
    rows = [
        HeatRow(reading.name(facility), f"/facility/{facility}", [
            _cell(reading, facility, day, states.get((facility, day)), href) for day in days])
        for facility in shown
    ]
    return Heat(caption, days, rows, len(ordered) - len(shown), legend)


def _cell(
    reading: Reading, facility: str, day: str, found: tuple[str, str] | None, href: Callable[[str, str], str]
) -> HeatCell:
    word, words = found or ("nothing received", "nothing received")
    return HeatCell(day, word, f"{reading.name(facility)}, {day}: {words}", href(facility, day) if found else "")
