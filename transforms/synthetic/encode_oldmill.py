"""The extracts of the oldmill style: Latin-1, local codes, ICD-9, eight date formats, no time zones, control totals.

Column order is that of `registry_feeds`; the trailer is added when a file is closed (`feed_files`).
"""

from __future__ import annotations

from transforms.synthetic.clock import day_texts, notation, sql_local
from transforms.synthetic.events import Order, Stay
from transforms.synthetic.facility_plan import local_test_code
from transforms.synthetic.outbox import Feed, Outbox, newest_by_day
from transforms.synthetic.people import Patient
from transforms.synthetic.site import Site

_stamp = notation("%Y%m%d", " {h}{m}{s}")
_admitted = notation("%m/%d/%Y", " {h}:{m}")
_discharged = notation("%d.%m.%Y", " {h}:{m}")
_collected = notation("%m-%d-%Y", " {h}:{m}")
_reported = notation("%Y/%m/%d", " {h}:{m}:{s}")
_onset = day_texts("%d/%m/%Y")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_CLASS = {"IMP": "W", "AMB": "C", "EMER": "U"}
_STATUS = {"in-progress": "1", "finished": "2", "cancelled": "9"}
_RESULT = {"preliminary": "P", "final": "F", "corrected": "C", "entered-in-error": "W"}
DISPOSITION = {"home": "1", "other-hcf": "2", "exp": "20", None: ""}
_CLINICAL = {"active": "A", "resolved": "R", "error": "-"}


def birth_text(iso: str) -> str:
    """An ISO date as dd-Mmm-yyyy, in English whatever the locale."""
    return f"{iso[8:]}-{_MONTHS[int(iso[5:7]) - 1]}-{iso[:4]}"


class OldmillExtracts:
    """`patients`, `visits`, `results` and `diagnoses` of one facility."""

    def __init__(self, site: Site, outbox: Outbox) -> None:
        self.outbox = outbox
        self.patients, self.visits, self.results, self.diagnoses = (
            outbox.feed(site.plan.ordinal, source, "csv.row") for source in ("patients", "visits", "results", "diagnoses"))

    def _put(self, feed: Feed, text: str, at: int, fact: int) -> None:
        feed.days[self.outbox.day_or_late(at)].append([at, feed.source, text, at, (fact,), None, None])

    def write_patient(self, patient: Patient) -> None:
        """The patient's row. A re-used number carries on the row of the human who had it before."""
        for at, who in newest_by_day(patient.versions, self.outbox.opening_day):
            text = (
                f"{patient.number},{who.family},{who.given},{'2' if who.sex == 'F' else '1'},{birth_text(who.birth_date)},"
                f'"{who.street}",{who.city},{who.state},{who.zip},{who.phone or "-"},{_stamp(at)}\n'
            )
            self._put(self.patients, text, at, patient.fact)

    def write_stay(self, stay: Stay) -> None:
        """Visit, diagnoses and results."""
        for version in newest_by_day(stay.versions, self.outbox.opening_day):
            end = "" if version.end is None else _discharged(version.end)
            text = (
                f"{stay.number}|{stay.patient.number}|{_CLASS[stay.kind]}|{_STATUS[version.status]}|{_admitted(version.start)}|"
                f"{end}|{version.ward}|{DISPOSITION[version.disposition]}|{sql_local(version.at)}\n"
            )
            self._put(self.visits, text, version.at, stay.fact)
        for condition in stay.conditions:
            row = (f"D{condition.number},{stay.patient.number},{stay.number},{condition.diagnosis.icd9},"
                   f'"{condition.diagnosis.text}",{_onset[condition.onset]}')
            for at, state in newest_by_day(condition.versions, self.outbox.opening_day):
                self._put(self.diagnoses, f"{row},{_CLINICAL[state]},{int(state == 'error')},{sql_local(at)}\n", at, condition.fact)
        for order in stay.orders:
            self._results(stay, order)

    def _results(self, stay: Stay, order: Order) -> None:
        who, collected = f"{stay.patient.number};{stay.number};{order.number}", _collected(order.collected)
        for result in order.results:
            test = result.test
            head = f"L{result.number};{who};{local_test_code('oldmill', test.short)};{test.text}"
            for at, status, value, words in newest_by_day(result.versions, self.outbox.opening_day):
                text = (f"{head};{value or '-'};{words or ''};{test.spelling};{collected};{_reported(at)};"
                        f"{_RESULT[status]};{_stamp(at)}\n")
                self._put(self.results, text, at, result.fact)

