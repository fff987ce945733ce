"""AWS DMS CSV of the harbor style: a full load of five tables on the first day, then inserts, updates and deletes.

The full load has no change sequence; a change's AR_H_CHANGE_SEQ is its UTC second and a running number, 35 digits. Some rows of
the load come again as inserts, as DMS sends changes that it cached while loading.
"""

from __future__ import annotations

from transforms.synthetic.clock import DAY, hl7_local, iso_day, notation
from transforms.synthetic.encode_oldmill import DISPOSITION
from transforms.synthetic.events import Order, Stay
from transforms.synthetic.facility_plan import local_test_code
from transforms.synthetic.outbox import Feed, Outbox
from transforms.synthetic.people import Patient
from transforms.synthetic.site import Site

LOAD = "LOAD00000001"
BEFORE_ANY_CHANGE = -1
_moment = notation("%Y-%m-%d", " {h}:{m}:{s}.000")
_CLASS = {"IMP": "I", "EMER": "E", "AMB": "O"}
_VISIT = {"in-progress": "A", "finished": "D", "cancelled": "X"}
_RESULT = {"preliminary": "P", "final": "F", "corrected": "C", "entered-in-error": "W"}
_ORDER = {"active": "O", "completed": "C", "revoked": "X"}
_TABLES = {"dms_patient": "dbo.Patient", "dms_visit": "dbo.Visit", "dms_diagnosis": "dbo.Diagnosis", "dms_order": "dbo.LabOrder",
           "dms_labresult": "dbo.LabResult"}


class DmsWriter:
    """Writes one facility's tables as a full load and change rows."""

    def __init__(self, site: Site, outbox: Outbox) -> None:
        self.site, self.zone, self.outbox = site, site.zone, outbox
        self.opening = outbox.opening_day * DAY
        ordinal = site.plan.ordinal
        self.loads: dict[str, Feed] = {source: outbox.feed(ordinal, source, "cdc.row", LOAD) for source in _TABLES}
        self.changes: dict[str, Feed] = {source: outbox.feed(ordinal, source, "cdc.row") for source in _TABLES}

    def _row(self, source: str, states: list[tuple[int, str | None]], fact: int) -> None:
        """One row's life: (recorded at, cells) states, cells null once deleted."""
        loaded: str | None = None
        before: str | None = None
        for at, cells in states:
            if at < self.opening:
                loaded = before = cells
                continue
            if loaded is not None:
                self._load(source, loaded, fact, at)
                loaded = None
            if cells == before:
                continue
            if cells is None:
                self._change(source, "D", before or "", at, fact)
            else:
                self._change(source, "I" if before is None else "U", cells, at, fact)
            before = cells
        if loaded is not None:
            self._load(source, loaded, fact, self.opening + DAY)

    def _load(self, source: str, cells: str, fact: int, next_change: int) -> None:
        table = _TABLES[source]
        self.loads[source].days[0].append([0, table, f"I,,{cells}\n", BEFORE_ANY_CHANGE, (fact,), None, None])
        if self.outbox.draw() < 0.01 and next_change > self.opening + 60:
            self._change(source, "I", cells, self.opening, fact)
            self.changes[source].days[0][-1][5] = "duplicate"

    def _change(self, source: str, op: str, cells: str, at: int, fact: int) -> None:
        sequence = f"{hl7_local(self.zone.utc(at))}{self.site.count('change'):021}"
        self.changes[source].days[self.outbox.day(at)].append(
            [sequence, _TABLES[source], f"{op},{sequence},{cells}\n", at, (fact,), None, None])

    def write_patient(self, patient: Patient) -> None:
        """dbo.Patient."""
        key = self.site.count("patient_row")
        self._row("dms_patient", [
            (at, f"{key},{patient.number},{who.family},{who.given},{who.sex},{who.birth_date},{who.phone or 'NULL'},"
                 f'"{who.street}",{who.city},{who.state},{who.zip}')
            for at, who in patient.versions], patient.fact)

    def write_stay(self, stay: Stay) -> None:
        """dbo.Visit, dbo.Diagnosis, dbo.LabOrder and dbo.LabResult."""
        key, who = self.site.count("visit_row"), f"{stay.patient.number},{stay.number}"
        self._row("dms_visit", [
            (version.at, f"{key},{stay.number},{stay.patient.number},{_CLASS[stay.kind]},{_VISIT[version.status]},"
                         f"{_moment(version.start)},{'NULL' if version.end is None else _moment(version.end)},{version.ward},"
                         f"{version.room},{version.bed},{DISPOSITION[version.disposition] or 'NULL'}")
            for version in stay.versions], stay.fact)
        for condition in stay.conditions:
            row = f'{condition.number},{who},{condition.diagnosis.icd10},"{condition.diagnosis.text}"'
            self._row("dms_diagnosis", [
                (at, None if state == "error" else f"{row},{state[0].upper()},{iso_day[condition.onset]}")
                for at, state in condition.versions], condition.fact)
        for order in stay.orders:
            self._order(stay, order, who)

    def _order(self, stay: Stay, order: Order, who: str) -> None:
        provider = self.site.practitioners[order.provider]
        key = self.site.count("order_row")
        row = (f"{key},{order.number},{who},{local_test_code('harbor', order.panel.short)},{order.panel.text},"
               f"{'S' if order.stat else 'R'}")
        self._row("dms_order", [
            (at, f"{row},{_ORDER[status]},{_moment(order.authored)},{provider.given} {provider.family}")
            for at, status in order.versions if status != "cancel-requested"], order.fact)
        for result in order.results:
            test = result.test
            head = f"{result.number},{who},{order.number},{local_test_code('harbor', test.short)},{test.text}"
            states: list[tuple[int, str | None]] = []
            for at, status, value, words in result.versions:
                gone = status == "entered-in-error" and result.fact % 2
                states.append((at, None if gone else (
                    f"{head},{value or 'NULL'},{words or 'NULL'},{test.spelling},{_moment(order.collected)},{_moment(at)},"
                    f"{_RESULT[status]}")))
            self._row("dms_labresult", states, result.fact)
