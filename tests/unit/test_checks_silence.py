"""Late feeds: when a facility's delivery is overdue, by its own clock and window."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from checks.silence import late_feeds
from transforms.facilities.registry import Registry, load_registry

REGISTRY = """
registry_version: 1
first_batch_date: 2026-01-01
facilities:
- &denver {{facility_id: denver, valid_from: 2026-01-01, name: D, region: w, owner: d@x.example, timezone: America/Denver, charset: utf-8,
   source_system: epic, default_authority: D, authorities: {{D: 'urn:oid:2.999.1'}}, {window} sources: {{adt: {{kind: hl7v2}},
   bulk: {{kind: fhir_ndjson}}}}}}
"""


def registry(window: str | None = '{from: "01:00", to: "05:00"}') -> Registry:
    """One facility in Denver (UTC-7 in winter) with two feeds."""
    return load_registry(REGISTRY.format(window=f"extraction_window: {window}," if window else ""))


def utc(day: int, hour: int, minute: int = 0) -> datetime:
    """A time in January 2026."""
    return datetime(2026, 1, day, hour, minute, tzinfo=UTC)


def overdue(registry: Registry, newest: datetime | None, now: datetime) -> list[tuple[str, datetime, timedelta]]:
    """Overdue feeds where `bulk` delivered now and `adt` at `newest`."""
    times = {("denver", "bulk"): now} | ({("denver", "adt"): newest} if newest else {})
    return [(one.source, one.due, one.late_by) for one in late_feeds(registry, times, now)]


def test_a_feed_is_late_two_hours_after_its_window() -> None:
    """The window 01:00 to 05:00 in Denver ends at 12:00 UTC: without a delivery since it opened, a feed is late from 14:00 on."""
    yesterday = utc(9, 10)
    assert overdue(registry(), yesterday, utc(10, 13, 59)) == []
    assert overdue(registry(), yesterday, utc(10, 14, 30)) == [("adt", utc(10, 14), timedelta(minutes=30))]


def test_a_delivery_within_the_window_is_in_time() -> None:
    """A delivery at the window's opening counts for this night, one a minute before counts for the last."""
    assert overdue(registry(), utc(10, 8), utc(10, 20)) == []
    assert overdue(registry(), utc(10, 7, 59), utc(10, 20)) == [("adt", utc(10, 14), timedelta(hours=6))]


def test_a_window_across_midnight_belongs_to_the_evening() -> None:
    """A window from 22:00 to 02:00 in Denver opens at 05:00 UTC of the next day, and is due at 11:00 with grace."""
    night = registry('{from: "22:00", to: "02:00"}')
    assert overdue(night, utc(10, 5), utc(10, 12)) == []
    assert overdue(night, utc(10, 4, 59), utc(10, 12)) == [("adt", utc(10, 11), timedelta(hours=1))]
    assert overdue(night, utc(10, 4, 59), utc(10, 10, 59)) == []


def test_a_feed_that_never_delivered_is_late_after_its_first_window() -> None:
    """Before the first window of its first day is over nothing is owed; then a feed without any delivery is late."""
    assert overdue(registry(), None, utc(1, 13)) == []
    late = late_feeds(registry(), {("denver", "bulk"): utc(1, 10)}, utc(1, 14))
    assert [(one.facility_id, one.source, one.newest, one.owner) for one in late] == [("denver", "adt", None, "d@x.example")]


def test_without_a_window_a_day_of_silence_is_late() -> None:
    """A facility without extraction window is late after 24 hours without a delivery."""
    assert overdue(registry(None), utc(9, 10), utc(10, 9, 59)) == []
    assert overdue(registry(None), utc(9, 10), utc(10, 11)) == [("adt", utc(10, 10), timedelta(hours=1))]


def test_a_closed_facility_owes_nothing() -> None:
    """Outside the dates of its entries a facility has no feeds."""
    assert registry().entries[0].valid_from == date(2026, 1, 1)
    assert late_feeds(registry(), {}, datetime(2025, 12, 31, 20, tzinfo=UTC)) == []


def test_times_must_state_their_zone() -> None:
    """A time without zone is refused: it could mean any of the facilities' clocks."""
    with pytest.raises(ValueError, match="zone"):
        late_feeds(registry(), {}, datetime(2026, 1, 10))
