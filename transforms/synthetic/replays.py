"""Messages and whole files that are sent again on a later day: every one of their units is a duplicate."""

from __future__ import annotations

from random import Random

from transforms.synthetic.clock import DAY, HOUR
from transforms.synthetic.outbox import Feed
from transforms.synthetic.site import Site

_MESSAGE_RATE = 0.008
FILE_RATE = 0.05


def replay_messages(feed: Feed, site: Site, opening_day: int, rng: Random) -> None:
    """Send some HL7 messages again on a later day, with a new MSH-7 and MSH-10 and the old content."""
    days = len(feed.days)
    again: list[tuple[int, list[object]]] = []
    for day in range(days - 1):
        for unit in feed.days[day]:
            if rng.random() < _MESSAGE_RATE:
                target = day + 1 + int((days - day - 1) * rng.random())
                sent = (opening_day + target) * DAY + 13 * HOUR
                head, body = unit[2].split("\r", 1)
                fields = head.split("|")
                fields[6], fields[9] = site.zone.hl7(sent), f"{site.plan.authority}{site.count('message'):09}"
                again.append((target, [sent, unit[1], "|".join(fields) + "\r" + body, unit[3], (), "duplicate", unit[6]]))
    for target, copy in again:
        feed.days[target].append(copy)
