"""Nightly CSV extracts: medications and providers of the lakeside style, orders and results of the summit style.

Each row is the newest version of its key that the night's extract saw; column order is that of `registry_feeds`.
"""

from __future__ import annotations

from transforms.synthetic.clock import DAY, notation, sql_local
from transforms.synthetic.events import Order, Stay
from transforms.synthetic.facility_plan import drug_code, local_test_code
from transforms.synthetic.outbox import Outbox, newest_by_day
from transforms.synthetic.site import Site

_us_local = notation("%m/%d/%Y", " {h}:{m}:{s}")
_MEDICATION = {"active": "A", "stopped": "S"}
_ORDER = {"active": "OPEN", "completed": "DONE", "revoked": "CANCELED"}
_RESULT = {"preliminary": "PRELIM", "final": "FINAL", "corrected": "CORRECTED", "entered-in-error": "ERROR"}


class LakesideExtracts:
    """`providers_csv` and `medications_csv` of one facility."""

    def __init__(self, site: Site, outbox: Outbox) -> None:
        self.site, self.outbox = site, outbox
        self.providers = outbox.feed(site.plan.ordinal, "providers_csv", "csv.row")
        self.medications = outbox.feed(site.plan.ordinal, "medications_csv", "csv.row")

    def write_setting(self) -> None:
        """The staff as known before the first day, and one change of name on the second."""
        opening = self.outbox.opening_day * DAY
        for one in self.site.practitioners:
            self._provider(one.number, one.family, one.given, one.fact, opening - 20 * DAY)
            if one.new_family and self.outbox.days > 1:
                self._provider(one.number, one.new_family, one.given, one.fact, opening + DAY + 8 * 3600)

    def _provider(self, number: str, family: str, given: str, fact: int, at: int) -> None:
        text = f"{number}|{family}|{given}|{sql_local(at)}\n"
        self.providers.days[self.outbox.day(at)].append([at, "providers_csv", text, at, (fact,), None, None])

    def write_stay(self, stay: Stay) -> None:
        """The drugs prescribed in a stay."""
        for one in stay.prescriptions:
            row = (f"{one.number},{stay.patient.number},{stay.number},{drug_code(one.drug.short)},{one.drug.text},{one.drug.sig}")
            ordered = sql_local(one.versions[0][0])
            for at, status in newest_by_day(one.versions, self.outbox.opening_day):
                text = f"{row},{_MEDICATION[status]},{ordered},{sql_local(at)}\n"
                self.medications.days[self.outbox.day_or_late(at)].append([at, "medications_csv", text, at, (one.fact,), None, None])


class SummitExtracts:
    """`orders_csv` and `results_csv` of one facility."""

    def __init__(self, site: Site, outbox: Outbox) -> None:
        self.site, self.outbox = site, outbox
        self.orders = outbox.feed(site.plan.ordinal, "orders_csv", "csv.row")
        self.results = outbox.feed(site.plan.ordinal, "results_csv", "csv.row")

    def write_stay(self, stay: Stay) -> None:
        """Orders of a stay and their results."""
        for order in stay.orders:
            self._order(stay, order)
            self._results(stay, order)

    def _order(self, stay: Stay, order: Order) -> None:
        provider = self.site.practitioners[order.provider]
        row = (f"{order.number},{stay.patient.number},{stay.number},{local_test_code('summit', order.panel.short)},"
               f"{order.panel.text},{'S' if order.stat else 'R'}")
        tail = f"{sql_local(order.authored)},{provider.given} {provider.family}"
        versions = [version for version in order.versions if version[1] != "cancel-requested"]
        for at, status in newest_by_day(versions, self.outbox.opening_day):
            text = f"{row},{_ORDER[status]},{tail},{sql_local(at)}\n"
            self.orders.days[self.outbox.day_or_late(at)].append([at, "orders_csv", text, at, (order.fact,), None, None])

    def _results(self, stay: Stay, order: Order) -> None:
        who, collected = f"{stay.patient.number};{stay.number};{order.number}", _us_local(order.collected)
        for result in order.results:
            test = result.test
            head = f"{result.number};{who};{local_test_code('summit', test.short)};{test.text}"
            for at, status, value, words in newest_by_day(result.versions, self.outbox.opening_day):
                told = _us_local(at)
                text = f"{head};{value or 'N/A'};{words or ''};{test.spelling};{_RESULT[status]};{collected};{told};{told}\n"
                self.results.days[self.outbox.day_or_late(at)].append([at, "results_csv", text, at, (result.fact,), None, None])
