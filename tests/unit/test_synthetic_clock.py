"""Wall-clock time of the synthetic facilities, against instants known from the zone rules."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from transforms.synthetic.clock import Zone, hl7_local, iso_local


def _local(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("zone", "local", "utc"),
    [
        ("America/New_York", "2026-01-05T10:00:00", "2026-01-05T15:00:00"),
        ("America/New_York", "2026-07-05T10:00:00", "2026-07-05T14:00:00"),
        ("America/New_York", "2026-03-08T02:30:00", "2026-03-08T07:30:00"),
        ("America/New_York", "2026-11-01T01:30:00", "2026-11-01T05:30:00"),
        ("America/Denver", "2026-03-08T03:00:00", "2026-03-08T09:00:00"),
        ("America/Los_Angeles", "2026-11-01T02:00:00", "2026-11-01T10:00:00"),
    ],
)
def test_local_to_utc(zone: str, local: str, utc: str) -> None:
    """A skipped time takes the offset before the gap, a repeated one its first occurrence (RFC 5545 s3.3.5)."""
    assert Zone(zone).utc(_local(local)) == _local(utc)


def test_skipped_hour_moves_to_the_next() -> None:
    """A moment that the clock skips becomes the same minute of the hour after; others stay."""
    zone = Zone("America/Chicago")
    assert zone.existing(_local("2026-03-08T02:17:00")) == _local("2026-03-08T03:17:00")
    assert zone.existing(_local("2026-03-08T01:59:59")) == _local("2026-03-08T01:59:59")
    assert zone.is_gap(_local("2026-03-08T02:00:00"))


def test_notations() -> None:
    """Moments are written in ISO and HL7 notation, with the offset of the day."""
    moment = _local("2026-07-04T09:05:07")
    zone = Zone("America/Denver")
    assert (iso_local(moment), zone.iso(moment)) == ("2026-07-04T09:05:07", "2026-07-04T09:05:07-06:00")
    assert (hl7_local(moment), zone.hl7(moment)) == ("20260704090507", "20260704090507-0600")
