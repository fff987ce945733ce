"""Wall-clock time of a facility as whole seconds, and its texts in the notations of the feeds.

A *local* moment counts seconds since 1970-01-01 00:00 on the facility's own wall clock; the story is told in local moments
because service dates, batch dates and most feeds are local. A moment that occurs twice means its first occurrence, one that
does not exist takes the offset before the gap (RFC 5545 s3.3.5).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

MINUTE = 60
HOUR = 3600
DAY = 86400
_EPOCH = date(1970, 1, 1).toordinal()


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - _EPOCH


def day_date(number: int) -> date:
    """The date `number` days after 1970-01-01."""
    return date.fromordinal(number + _EPOCH)


_Value = TypeVar("_Value")


class _Cached(dict[int, _Value]):
    """Values by number, made on first use."""

    def __init__(self, make: Callable[[int], _Value]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: int) -> _Value:
        value = self[key] = self._make(key)
        return value


def day_texts(form: str) -> dict[int, str]:
    """Mapping of day number to its text in a strftime notation."""
    return _Cached(lambda number: day_date(number).strftime(form))


def second_texts(form: str) -> dict[int, str]:
    """Mapping of second of the day to its text in a notation with {h}, {m} and {s}."""
    return _Cached(lambda second: form.format(h=f"{second // HOUR:02}", m=f"{second // 60 % 60:02}", s=f"{second % 60:02}"))


def notation(day_form: str, second_form: str) -> Callable[[int], str]:
    """A function from a local moment to its text: day in strftime notation, then the time of day with {h}, {m}, {s}."""
    days, seconds = day_texts(day_form), second_texts(second_form)

    def text(moment: int) -> str:
        return days[moment // DAY] + seconds[moment % DAY]

    return text


iso_day = day_texts("%Y-%m-%d")
iso_local = notation("%Y-%m-%d", "T{h}:{m}:{s}")
hl7_day = day_texts("%Y%m%d")
hl7_local = notation("%Y%m%d", "{h}{m}{s}")
sql_local = notation("%Y-%m-%d", " {h}:{m}:{s}")


class Zone:
    """The offsets of one IANA time zone, looked up by the hour: all zones of the network change on whole hours."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._zone = ZoneInfo(name)
        self._offsets: dict[int, int] = _Cached(self._offset)
        self._gaps: dict[int, int] = _Cached(self._gap)
        self._iso_offsets: dict[int, str] = _Cached(lambda hour: self._offset_text(hour, ":"))
        self._hl7_offsets: dict[int, str] = _Cached(lambda hour: self._offset_text(hour, ""))

    def _at(self, hour: int) -> datetime:
        return datetime(1970, 1, 1, tzinfo=self._zone) + timedelta(hours=hour)

    def _offset(self, hour: int) -> int:
        difference = self._at(hour).utcoffset()
        assert difference is not None
        return int(difference.total_seconds())

    def _gap(self, hour: int) -> int:
        """An hour in seconds where the wall clock skips this hour, else 0."""
        back = self._at(hour).astimezone(UTC).astimezone(self._zone)
        return HOUR if back.replace(tzinfo=None) != self._at(hour).replace(tzinfo=None) else 0

    def _offset_text(self, hour: int, colon: str) -> str:
        minutes = self._offsets[hour] // 60
        hours, rest = divmod(abs(minutes), 60)
        return f"{'-' if minutes < 0 else '+'}{hours:02}{colon}{rest:02}"

    def utc(self, local: int) -> int:
        """Seconds since the epoch in UTC."""
        return local - self._offsets[local // HOUR]

    def is_gap(self, local: int) -> bool:
        """Does the wall clock skip this hour?"""
        return self._gaps[local // HOUR] > 0

    def existing(self, local: int) -> int:
        """The moment itself, an hour later where the wall clock skips it."""
        return local + self._gaps[local // HOUR]

    def iso(self, local: int) -> str:
        """FHIR dateTime with offset."""
        return iso_local(local) + self._iso_offsets[local // HOUR]

    def hl7(self, local: int) -> str:
        """HL7 v2 DTM with offset."""
        return hl7_local(local) + self._hl7_offsets[local // HOUR]
