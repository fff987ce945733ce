"""Feeds that have fallen silent: past the deadline of their own schedule, or their facility's extraction window, without a delivery.

Pure: the caller gives the newest delivery of each feed and the time. What belongs here: when a feed is due. Not here: who is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from transforms.facilities.registry import FacilityEntry, Registry, Source

GRACE = timedelta(hours=2)
"""How long after the window's end a delivery may still come before the feed counts as late."""
CONTINUOUS = timedelta(hours=24)
"""How long a feed of a facility without an extraction window may be silent."""


@dataclass(frozen=True)
class LateFeed:
    """A feed whose delivery is overdue. `due`: when it should have come at the latest, `newest`: its last delivery, both UTC."""

    facility_id: str
    source: str
    owner: str
    due: datetime
    newest: datetime | None
    late_by: timedelta


def late_feeds(registry: Registry, newest_delivery_times: Mapping[tuple[str, str], datetime], now: datetime) -> list[LateFeed]:
    """Give the overdue feeds, by facility and source, as registered on the UTC date of `now`; a closed facility owes nothing.

    `newest_delivery_times`: (facility, source) -> received time; a feed that never delivered is absent. Times must state their zone
    (ValueError).
    """
    if now.tzinfo is None or any(one.tzinfo is None for one in newest_delivery_times.values()):
        raise ValueError("times must state their zone")
    late = []
    for entry in registry.entries:
        if not entry.valid_from <= now.astimezone(UTC).date() < entry.valid_to:
            continue
        for name, source in sorted(entry.sources.items()):
            newest = newest_delivery_times.get((entry.facility_id, name))
            due = _overdue_since(entry, source, max(registry.first_batch_date, entry.valid_from), newest, now)
            if due is not None:
                late.append(LateFeed(entry.facility_id, name, source.owner, due, newest, now - due))
    return sorted(late, key=lambda one: (one.facility_id, one.source))


def _overdue_since(entry: FacilityEntry, source: Source, first: date, newest: datetime | None, now: datetime) -> datetime | None:
    zone = ZoneInfo(entry.timezone)
    if source.schedule is not None:
        return _past_deadline(source.schedule.deadline, zone, first, newest, now)
    if entry.extraction_window is None:
        due = (newest or datetime.combine(first, time(), zone)).astimezone(UTC) + CONTINUOUS
        return due if due <= now else None
    starts, ends = (time.fromisoformat(one) for one in entry.extraction_window)
    today = now.astimezone(zone).date()
    # The last window whose grace is over is today's, yesterday's, or, if it passes midnight, that of the day before.
    for day in (today - timedelta(days=back) for back in range(3)):
        closing = day if ends > starts else day + timedelta(days=1)
        due = datetime.combine(closing, ends, zone).astimezone(UTC) + GRACE
        if day >= first and due <= now:
            is_late = newest is None or newest < datetime.combine(day, starts, zone)
            return due if is_late else None
    return None


def _past_deadline(deadline: time, zone: ZoneInfo, first: date, newest: datetime | None, now: datetime) -> datetime | None:
    """Give the newest deadline that passed without a delivery since the one before it; the first day's file is due a day later."""
    today = now.astimezone(zone).date()
    day = today if datetime.combine(today, deadline, zone).astimezone(UTC) <= now else today - timedelta(days=1)
    due, before = (datetime.combine(one, deadline, zone).astimezone(UTC) for one in (day, day - timedelta(days=1)))
    is_late = day > first and (newest is None or newest <= before)
    return due if is_late else None
