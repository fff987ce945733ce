"""How a patient moves through a stay: admission, transfers, discharge, and what is cancelled or corrected afterwards."""

from __future__ import annotations

from random import Random

from transforms.synthetic.clock import DAY, HOUR
from transforms.synthetic.events import StayVersion
from transforms.synthetic.site import WARDS, Site


class Movements:
    """Tells movements at one facility. Three stays in a hundred are cancelled, some have their start moved to the day before by a
    later correction, some discharges are cancelled and made again, some outpatients are never signed out."""

    def __init__(self, site: Site, rng: Random) -> None:
        self.site, self.rng = site, rng

    def tell(self, kind: str, start: int, earliest: int) -> list[StayVersion]:
        """The versions of a stay of a kind from `start`; no correction moves the start before `earliest`."""
        draw, fix = self.rng.random, self.site.zone.existing
        start = fix(start)
        wards = WARDS[kind]
        ward = wards[int(len(wards) * draw())]
        room, bed = str(101 + int(420 * draw())), "AB"[draw() < 0.5]
        at = fix(start + 60 * int(1 + 9 * draw()))
        first = StayVersion(at, "A01" if kind == "IMP" else "A04", "in-progress", start, None, ward, room, bed, None)
        told = [first]
        fate = draw()
        if fate < 0.03:
            told.append(first._replace(at=fix(at + HOUR + 60 * int(120 * draw())), event="A11", status="cancelled"))
            return _rising(told)
        end = fix(start + self._length(kind))
        if kind == "IMP":
            self._transfers(told, end)
        if kind == "AMB" and fate > 0.85:
            return told
        if 0.03 < fate < 0.09:
            moved = fix(start - DAY + 60 * int(300 * draw()))
            if moved > earliest:
                when = fix(at + int(1.4 * DAY * draw() + HOUR) // 60 * 60)
                if when < end:
                    told.append(told[-1]._replace(at=when, event="A08", start=moved))
                    start = moved
                else:
                    self._discharge(told, end, kind)
                    told.append(told[-1]._replace(at=fix(max(when, told[-1].at + 60)), event="A08", start=moved))
                    return _rising(told)
        self._discharge(told, end, kind)
        return _rising(told)

    def _length(self, kind: str) -> int:
        """Seconds of a stay, in whole minutes."""
        draw = self.rng.random
        if kind == "IMP":
            return 60 * int(600 + min(self.rng.expovariate(1 / 3600), 25_000))
        return 60 * int(120 + 480 * draw()) if kind == "EMER" else 60 * int(20 + 70 * draw())

    def _transfers(self, told: list[StayVersion], end: int) -> None:
        draw, fix = self.rng.random, self.site.zone.existing
        for _ in range(int(2.2 * draw())):
            last = told[-1]
            at = fix(last.at + int((end - last.at) * draw()) // 60 * 60)
            if at > last.at:
                ward = WARDS["IMP"][int(4 * draw())]
                told.append(last._replace(at=at, event="A02", ward=ward, room=str(101 + int(420 * draw())), bed="AB"[draw() < 0.5]))

    def _discharge(self, told: list[StayVersion], end: int, kind: str) -> None:
        """Append the discharge, and in some inpatient stays its cancellation and the second discharge."""
        draw, fix = self.rng.random, self.site.zone.existing
        last = told[-1]
        end = max(end, last.start + 600)
        at = fix(max(end + 60 * int(3 + 15 * draw()), last.at + 60))
        fate = draw()
        disposition = "home"
        if kind == "IMP":
            disposition = "exp" if fate < 0.025 else "other-hcf" if fate < 0.11 else "home"
        told.append(StayVersion(at, "A03", "finished", last.start, end, last.ward, last.room, last.bed, disposition))
        if kind == "IMP" and fate > 0.95:
            again = fix(at + 60 * int(45 + 100 * draw()))
            told.append(last._replace(at=again, event="A13", status="in-progress", end=None, disposition=None))
            end = fix(again + 60 * int(400 + 1500 * draw()))
            told.append(last._replace(at=fix(end + 300), event="A03", status="finished", end=end, disposition="home"))


def _rising(told: list[StayVersion]) -> list[StayVersion]:
    """The versions with strictly rising moments: what was decided later is recorded later."""
    for place in range(1, len(told)):
        if told[place].at <= told[place - 1].at:
            told[place] = told[place]._replace(at=told[place - 1].at + 60)
    return told
