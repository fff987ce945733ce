"""Laboratory orders: placed, sometimes cancelled, reported in steps, sometimes corrected or withdrawn days later."""

from __future__ import annotations

from random import Random

from transforms.synthetic.clock import DAY, HOUR
from transforms.synthetic.events import Order, Result, ResultVersion, Stay
from transforms.synthetic.site import Facts, Site
from transforms.synthetic.terminology import PANELS


class Laboratory:
    """Tells the orders of stays at one facility, cut at the horizon: nothing later has happened yet."""

    def __init__(self, site: Site, rng: Random, facts: Facts, horizon: int) -> None:
        self.site, self.rng, self.facts, self.horizon = site, rng, facts, horizon

    def tell(self, stay: Stay, start: int, end: int) -> None:
        """Give the stay its orders, placed between its start and its end."""
        draw = self.rng.random
        wanted = {"IMP": 1 + int(2.6 * draw()), "EMER": int(2.4 * draw()), "AMB": int(1.7 * draw())}[stay.kind]
        end = min(end, self.horizon)
        for _ in range(wanted):
            authored = self.site.zone.existing(start + 600 + max(0, int((end - start - 1200) * draw())) // 60 * 60)
            if authored <= stay.versions[0].at:
                authored = stay.versions[0].at + 60
            if authored < self.horizon:
                stay.orders.append(self._order(stay, authored))

    def _order(self, stay: Stay, authored: int) -> Order:
        draw, site, fix = self.rng.random, self.site, self.site.zone.existing
        count = site.count("order")
        order = Order(PANELS[int(len(PANELS) * draw())], self.facts.next(), f"P{700_000 + count}", authored)
        order.request_id, order.report_id = site.fhir_id("s"), site.fhir_id("d")
        order.filler, order.report_fact = f"F{300_000 + count}", self.facts.next()
        order.stat = draw() < 0.2
        order.provider = stay.attending
        fate = draw()
        if fate < 0.04:
            request = fix(authored + 60 * int(15 + 30 * draw()))
            order.versions += [(request, "cancel-requested"), (fix(request + 300), "revoked")]
        else:
            order.collected = self._collection(authored)
            issued = fix(fix(order.collected) + 60 * int(25 + 200 * draw() + (900 if draw() < 0.08 else 0)))
            order.versions.append((fix(issued + 60), "completed"))
            self._report(order, issued, fate)
        order.versions = [version for version in order.versions if version[0] < self.horizon]
        return order

    def _collection(self, authored: int) -> int:
        """When the specimen is taken. A system without time zones writes, on the day the clock skips an hour, times of that hour."""
        zone, draw = self.site.zone, self.rng.random
        at = authored + 60 * int(5 + 50 * draw())
        skipped = authored - authored % DAY + 2 * HOUR
        if not self.site.keeps_seconds and zone.is_gap(skipped) and authored < skipped:
            return skipped + 60 * int(60 * draw())
        return zone.existing(at)

    def _report(self, order: Order, issued: int, fate: float) -> None:
        draw, horizon, site = self.rng.random, self.horizon, self.site
        early = fate > 0.86
        preliminary = site.zone.existing(site.zone.existing(order.collected) + 60 * int(12 + 10 * draw()))
        issued = max(issued, preliminary + 60)
        later = site.zone.existing(issued + HOUR + int(1.6 * DAY * draw()) // 60 * 60)
        report = [(preliminary, "preliminary")] if early else []
        report.append((issued, "final"))
        changed = int(len(order.panel.tests) * draw()) if fate < 0.09 else -1
        if changed >= 0:
            report.append((later, "corrected"))
        order.report_versions = [version for version in report if version[0] < horizon]
        number, next_fact = site.count, self.facts.next
        for place, test in enumerate(order.panel.tests):
            value, text = (None, "HEMOLYZED") if draw() < 0.012 else (test.value(draw()), None)
            versions = []
            if early and preliminary < horizon:
                versions.append(ResultVersion(preliminary, "preliminary", value, text))
            if issued < horizon:
                versions.append(ResultVersion(issued, "final", value, text))
            if place == changed and later < horizon:
                wrong = fate < 0.05
                versions.append(ResultVersion(later, "entered-in-error" if wrong else "corrected",
                                              None if wrong else test.value(draw()), None))
            if versions:
                order.results.append(Result(test, next_fact(), str(2_000_000 + number("result")), versions))
