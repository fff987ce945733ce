"""How one value is shown: counts, dates, instants, ids, statuses. Everything is escaped here and nowhere trusted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from markupsafe import Markup, escape

NOTHING = Markup('<span class="nothing" aria-label="nothing">–</span>')
ID_LENGTH = 10

STATUSES: Mapping[str, tuple[str, str]] = {
    # word -> shape, class; it must read in greyscale
    "balanced": ("●", "ok"), "passed": ("●", "ok"), "current": ("●", "ok"), "success": ("●", "ok"), "yes": ("●",
        "ok"),
    "released": ("●", "ok"), "written": ("●", "ok"), "intact": ("●", "ok"), "open": ("○", "quiet"),
    "held": ("▲", "warn"), "warning": ("▲", "warn"), "stale": ("▲", "warn"), "waiting": ("▲", "warn"),
    "unbalanced": ("■", "bad"), "failed": ("■", "bad"), "failure": ("■", "bad"), "no": ("■", "bad"), "broken": ("■",
    "bad"),
    "late": ("○", "quiet"), "pending": ("○", "quiet"), "running": ("○", "quiet"), "skipped": ("○", "quiet"),
    "not told": ("○", "quiet"), "nothing received": ("·", "quiet"),
}
PHI_WORDS = {3: "PHI", 2: "derived from PHI", 1: "influenced by PHI", 0: "none"}


def status_class(word: str) -> str:
    """The class of a status word: ok, warn, bad or quiet."""
    return STATUSES.get(word, ("○", "quiet"))[1]


def status_shape(word: str) -> str:
    """The shape of a status word."""
    return STATUSES.get(word, ("○", "quiet"))[0]


def status(word: str) -> Markup:
    """A status as shape and word."""
    shape, css = STATUSES.get(word, ("○", "quiet"))
    return Markup('<span class="status {}"><span aria-hidden="true">{}</span> {}</span>').format(css, shape, word)


def count(number: int) -> str:
    """A count with thousands apart."""
    return f"{number:,}"


def counted(number: int, thing: str) -> str:
    """A count with what is counted, whose plural ends with s: `1 partition`, `2 partitions`."""
    return f"{count(number)} {thing}{'' if number == 1 else 's'}"


def long_date(day: str) -> str:
    """`2026-03-12` as 12 March 2026; a text that is no date as it is."""
    try:
        found = date.fromisoformat(day)
    except ValueError:
        return day
    return f"{found.day} {found:%B %Y}"


def prose(text: str) -> Markup:
    """A sentence; what stands in backticks is code."""
    pieces = text.split("`")
    if len(pieces) % 2 == 0:
        return escape(text)
    return Markup("").join(Markup("<code>{}</code>").format(piece) if place % 2 else escape(piece) for place, piece in enumerate(pieces))


def utc_text(time: object) -> str | None:
    """A timestamp of the warehouse, which is UTC and says no zone, as the text of an instant; None where there is none."""
    return f"{time}+00:00" if time else None


def instant(text: str, zone: str) -> Markup:
    """An instant in a zone, with UTC on hover."""
    utc = datetime.fromisoformat(text)
    try:
        local = utc.astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError):
        local = utc
    return Markup('<time datetime="{}" title="{} UTC">{}</time>').format(
        text, f"{utc:%Y-%m-%d %H:%M:%S}", f"{local:%Y-%m-%d %H:%M} {local.tzname()}")


def short_id(text: str) -> Markup:
    """The first ten characters of an id, the whole on hover and on copying a selection."""
    if len(text) <= ID_LENGTH + 2:
        return Markup('<code class="id">{}</code>').format(text)
    return Markup('<code class="id" title="{}">{}<span class="rest">{}</span></code>').format(
        text, text[:ID_LENGTH], text[ID_LENGTH:])


def address(pattern: str, row: Mapping[str, object]) -> str:
    """An address with the row's values in it, each quoted."""
    return pattern.format_map({name: quote(str(value), safe="") for name, value in row.items()})


def show(value: object, kind: str, zone: str = "UTC", names: Mapping[str, str] = MappingProxyType({})) -> Markup:
    """A value as its kind; a pale dash where there is none."""
    if value is None or value == "":
        return NOTHING
    if kind == "count":
        return escape(count(int(str(value))))
    if kind == "instant":
        return instant(str(value), zone)
    if kind == "id":
        return short_id(str(value))
    if kind == "status":
        return status(str(value))
    if kind == "facility":
        return escape(names.get(str(value), value))
    if kind in ("code", "sql"):
        return Markup("<code>{}</code>").format(value)
    if kind == "layer":
        return Markup('<span class="layer {0}">{0}</span>').format(value)
    if kind == "phi":
        return Markup('<span class="phi phi{}">{}</span>').format(value, PHI_WORDS.get(int(str(value)), "unknown"))
    return escape(value)
