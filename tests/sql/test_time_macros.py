"""Local time, offsets and registered formats: macros of `macros/time.sql` against the standard library's zone data."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from transforms.facilities.datetime_formats import SUPPORTED_DATETIME_FORMATS

ZONES = ("America/New_York", "America/Phoenix", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu")
LOCAL = "cast(given.local as timestamp)"


def _by_rfc_5545(local: datetime, zone: str) -> datetime:
    """First occurrence in an overlap; in a gap the offset before it: both are `fold=0` of PEP 495."""
    return local.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC).replace(tzinfo=None)


def test_local_time_to_utc_agrees_with_the_zone_database_through_every_clock_change(scratch) -> None:
    """Each half hour around the clock changes of 2024, in five zones, becomes the UTC instant of RFC 5545 s3.3.5."""
    changes = ((3, 10), (3, 31), (4, 7), (7, 1), (10, 6), (10, 27), (11, 3))
    moments = [datetime(2024, *change) + timedelta(minutes=15 + 30 * step) for change in changes for step in range(-60, 60)]
    given = [(moment, zone) for moment in moments for zone in ZONES]
    rows = [{"local": local.isoformat(" "), "zone": zone} for local, zone in given]
    answers = scratch.evaluate("{{ local_time_to_utc('" + LOCAL + "', 'given.zone') }}", rows)
    assert answers == [_by_rfc_5545(local, zone) for local, zone in given]


def test_doubtful_local_times_are_recognised(scratch) -> None:
    """A local time is a gap or an overlap exactly where the zone's clocks skip or repeat it."""
    doubts = {
        ("2024-03-10 02:30:00", "America/New_York"): "gap",
        ("2024-03-10 01:59:59", "America/New_York"): None,
        ("2024-03-10 03:00:00", "America/New_York"): None,
        ("2024-11-03 01:30:00", "America/New_York"): "overlap",
        ("2024-11-03 02:00:00", "America/New_York"): None,
        ("2024-10-06 02:15:00", "Australia/Lord_Howe"): "gap",
        ("2024-03-10 02:30:00", "America/Phoenix"): None,
        (None, "America/New_York"): None,
    }
    rows = [{"local": local, "zone": zone} for local, zone in doubts]
    doubt = ("case when {{ is_time_gap('LOCAL', 'given.zone') }} then 'gap' "
             "when {{ is_time_overlap('LOCAL', 'given.zone') }} then 'overlap' end").replace("LOCAL", LOCAL)
    assert scratch.evaluate(doubt, rows) == list(doubts.values())


def test_the_macro_reads_exactly_the_formats_that_the_registry_allows(scratch) -> None:
    """Every registered format reads what strftime writes in it, so no feed can register a format unknown to SQL."""
    moment = datetime(2024, 11, 25, 13, 45, 30)
    formats = sorted(SUPPORTED_DATETIME_FORMATS)
    rows = [{"text": moment.replace(tzinfo=UTC).strftime(form), "form": form} for form in formats]
    expected = [datetime.strptime(row["text"], row["form"]).replace(tzinfo=None) for row in rows]
    assert scratch.evaluate("{{ parse_local_datetime('given.text', 'given.form') }}", rows) == expected


def test_a_text_that_is_not_strictly_in_its_format_is_null(scratch) -> None:
    """Shape, month and day ranges are all checked; nothing is swapped, rolled over or read with another format."""
    read = {
        ("1/5/2024", "%m/%d/%Y"): datetime(2024, 1, 5),
        ("13/05/2024", "%m/%d/%Y"): None,
        ("02/30/2024", "%m/%d/%Y"): None,
        ("02/03/24", "%m/%d/%Y"): None,
        (" 02/03/2024", "%m/%d/%Y"): None,
        ("02/03/2024x", "%m/%d/%Y"): None,
        ("2024-5-1", "%Y-%m-%d"): None,
        ("05/10/2024 24:00", "%m/%d/%Y %H:%M"): None,
        ("2024-05-10 10:00:00.1234567", "%Y-%m-%d %H:%M:%S.%f"): datetime(2024, 5, 10, 10, 0, 0, 123456),
        ("2024-05-10T10:00:00+04:00", "%Y-%m-%dT%H:%M:%S%z"): datetime(2024, 5, 10, 6),
        ("2024-05-10T10:00:00Z", "%Y-%m-%dT%H:%M:%S%z"): datetime(2024, 5, 10, 10),
        ("May  5 2024  1:05PM", "%b %d %Y %I:%M%p"): datetime(2024, 5, 5, 13, 5),
        ("45292", "%d-%b-%Y"): None,
        ("05112024", "%d%m%Y"): datetime(2024, 11, 5),
        ("5112024", "%d%m%Y"): None,
        ("05-NOV-24 01.05.09.250000 PM", "%d-%b-%y %I.%M.%S.%f %p"): datetime(2024, 11, 5, 13, 5, 9, 250000),
        ("2024-05-10T10:00:00.5+05:30", "%Y-%m-%dT%H:%M:%S.%f%z"): datetime(2024, 5, 10, 4, 30, 0, 500000),
        ("2024-05-10T10:00:00.25Z", "%Y-%m-%dT%H:%M:%S.%fZ"): datetime(2024, 5, 10, 10, 0, 0, 250000),
        ("Sept 5, 2024", "%B %d, %Y"): None,
        ("2024-05-10 10:00:00.1234567 +02:00", "%Y-%m-%d %H:%M:%S.%f %z"): datetime(2024, 5, 10, 8, 0, 0, 123456),
        ("2024-05-10 10:00:00 -03:30", "%Y-%m-%d %H:%M:%S.%f %z"): datetime(2024, 5, 10, 13, 30),
        ("2024-05-10 10:00:00", "%Y-%m-%d %H:%M:%S.%f %z"): None,
        (None, "%Y-%m-%d"): None,
        ("2024-05-10", "%c"): None,
    }
    rows = [{"text": text, "form": form} for text, form in read]
    assert scratch.evaluate("{{ parse_local_datetime('given.text', 'given.form') }}", rows) == list(read.values())


def test_dates_are_never_shifted_and_times_become_utc(scratch) -> None:
    """A date-only format gives the date; a local time gives its UTC instant; a time with offset keeps its instant."""
    rows = [{"local": "2024-05-10 00:00:00", "form": "%m/%d/%Y"},
            {"local": "2024-05-10 20:00:00", "form": "%m/%d/%Y %H:%M"},
            {"local": "2024-05-10 20:00:00", "form": "%Y-%m-%dT%H:%M:%SZ"}]
    text = "{{ local_datetime_text('" + LOCAL + "', 'given.form', \"'America/New_York'\") }}"
    assert scratch.evaluate(text, rows) == ["2024-05-10", "2024-05-11T00:00:00Z", "2024-05-10T20:00:00Z"]
