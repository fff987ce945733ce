"""The HL7 v2.5.1 feed of the lakeside style: ADT, ORM^O01 and ORU^R01 messages.

Message times (MSH-7, EVN-2) carry an offset, clinical times (PV1-44, OBR-7 …) do not and mean the facility's wall clock. A
message's text is kept without MSH-7 and MSH-10, which belong to the sending, not to the content.
"""

from __future__ import annotations

from transforms.synthetic.clock import DAY, HOUR, hl7_day, hl7_local
from transforms.synthetic.events import Order, Result, ResultVersion, Stay, StayVersion
from transforms.synthetic.facility_plan import local_test_code
from transforms.synthetic.names import PAYERS
from transforms.synthetic.outbox import Feed, Outbox
from transforms.synthetic.people import Demographics, Patient
from transforms.synthetic.site import Site

_CLASS = {"IMP": "I", "EMER": "E", "AMB": "O"}
_DISPOSITION = {"home": "01", "other-hcf": "02", "exp": "20", None: ""}
_STRUCTURE = {"A01": "A01", "A04": "A01", "A08": "A01", "A13": "A01", "A02": "A02", "A03": "A03", "A11": "A09", "A31": "A05",
              "A40": "A39"}
_RESULT = {"preliminary": "P", "final": "F", "corrected": "C", "entered-in-error": "D"}
_TO_44 = "|" * 8
_TO_19 = "|" * 12
_TO_36 = "|" * 17
_TO_27 = "|" * 23


class Hl7Writer:
    """Writes what happens at one facility as messages into its feed."""

    def __init__(self, site: Site, outbox: Outbox, source: str = "adt_oru") -> None:
        self.site, self.outbox, self.zone = site, outbox, site.zone
        self.authority = site.plan.authority
        self.feed: Feed = outbox.feed(site.plan.ordinal, source, "hl7.message")
        self._codes: dict[str, str] = {}
        self._staff = [f"{one.number}^{one.family}^{one.given}" for one in site.practitioners]

    def send(self, order: int, message_type: str, structure: str, body: str, source_time: int, facts: tuple[int, ...],
             day: int, sent: int | None = None, processing: str = "P") -> None:
        """Put one message into the day's feed, sent some seconds after it was recorded or at `sent`."""
        sender = "ADT" if message_type[:3] == "ADT" else "LAB"
        if sent is None:
            on_time = day == self.outbox.day(source_time)
            sent = source_time + 20 if on_time else (self.outbox.opening_day + day) * DAY + 6 * HOUR
        text = (
            f"MSH|^~\\&|{sender}|{self.authority}|LAKE|HUB|{self.zone.hl7(sent)}||{message_type}^{structure}|"
            f"{self.authority}{self.site.count('message'):09}|{processing}|2.5.1||||||UNICODE UTF-8\r{body}"
        )
        self.feed.days[day].append([order, message_type, text, source_time, facts, None, None])

    def pid(self, patient: Patient, moment: int) -> str:
        """The PID segment as the facility would write it at a moment."""
        demographics = patient.at(moment)
        return f"PID|1||{patient.number}^^^{self.authority}^MR||{demographics.rendered or self._render(demographics)}\r"

    def _render(self, who: Demographics) -> str:
        who.rendered = (
            f"{who.family}^{who.given}||{who.birth_date.replace('-', '')}|{who.sex}|||"
            f"{who.street}^^{who.city}^{who.state}^{who.zip}||{who.phone or ''}"
        )
        return who.rendered

    def _event(self, code: str, at: int) -> str:
        return f"EVN|{code}|{self.zone.hl7(at)}\r"

    def write_patient(self, patient: Patient) -> None:
        """Person-level events: A31 for each change of the record after it was opened, A40 where it was merged away."""
        for at, _ in patient.versions[1:]:
            if patient.merged_at is None or at < patient.merged_at:
                body = f"{self._event('A31', at)}{self.pid(patient, at)}PV1|1|N\r"
                self.send(at, "ADT^A31", "ADT_A05", body, at, (patient.fact,), self.outbox.day_or_late(at))
        if patient.merged_at is not None and patient.merged_into is not None:
            at = patient.merged_at
            body = f"{self._event('A40', at)}{self.pid(patient.merged_into, at)}MRG|{patient.number}^^^{self.authority}^MR\r"
            self.send(at, "ADT^A40", "ADT_A39", body, at, (patient.merged_into.fact, patient.fact), self.outbox.day_or_late(at))

    def write_stay(self, stay: Stay) -> None:
        """All messages of a stay: movements, orders, results."""
        for version in stay.versions:
            self._movement(stay, version)
        for order in stay.orders:
            self._order(stay, order)
            self._reports(stay, order)

    def _visit(self, stay: Stay, version: StayVersion) -> str:
        disposition = _DISPOSITION[version.disposition]
        end = "" if version.end is None else f"|{hl7_local(version.end)}"
        return (
            f"PV1|1|{_CLASS[stay.kind]}|{version.ward}^{version.room}^{version.bed}||||{self._staff[stay.attending]}"
            f"{_TO_19}{stay.number}^^^{self.authority}^VN{_TO_36}{disposition}{_TO_44}{hl7_local(version.start)}{end}\r"
        )

    def _movement(self, stay: Stay, version: StayVersion) -> None:
        at, event = version.at, version.event
        body = f"{self._event(event, at)}{self.pid(stay.patient, at)}{self._visit(stay, version)}{self._additions(stay, version)}"
        self.send(at, f"ADT^{event}", f"ADT_{_STRUCTURE[event]}", body, at, (stay.patient.fact, stay.fact),
                  self.outbox.day_or_late(at))

    def _additions(self, stay: Stay, version: StayVersion) -> str:
        """DG1 for what was diagnosed by then, PR1 on discharge, IN1 on admission."""
        text = ""
        if version.event in ("A03", "A08"):
            place = 0
            for condition in stay.conditions:
                if condition.versions and condition.versions[0][0] <= version.at and condition.versions[-1][1] != "error":
                    place += 1
                    text += f"DG1|{place}||{condition.diagnosis.icd10}^{condition.diagnosis.text}^I10C||{hl7_day[condition.onset]}|F\r"
        if version.event == "A03":
            for place, (procedure, _, _, done) in enumerate(stay.procedures, 1):
                text += f"PR1|{place}||{procedure.cpt}^{procedure.text}^C4||{hl7_local(done)}\r"
        if version.event in ("A01", "A04"):
            code, name = PAYERS[stay.patient.fact % len(PAYERS)]
            text += f"IN1|1|{code}^{name}|{code}|{name}\r"
        return text

    def _where(self, stay: Stay) -> str:
        return f"PV1|1|{_CLASS[stay.kind]}{'|' * 17}{stay.number}^^^{self.authority}^VN\r"

    def _code(self, short: str, text: str, loinc: str | None) -> str:
        """CWE of a test: half of the tests carry LOINC as alternate coding, the others rely on the facility's code map."""
        if short not in self._codes:
            local = local_test_code("lakeside", short)
            alternate = f"^{loinc}^{text}^LN" if loinc and len(short) % 2 else ""
            self._codes[short] = f"{local}^{text}^{f'99{self.authority}' if alternate else 'L'}{alternate}"
        return self._codes[short]

    def _order(self, stay: Stay, order: Order) -> None:
        code = self._code(order.panel.short, order.panel.text, order.panel.loinc)
        for at, status in order.versions:
            if status == "completed":
                continue
            control = {"active": "NW", "cancel-requested": "CA", "revoked": "CR"}[status]
            filler = order.filler if control == "CR" else ""
            body = (
                f"{self.pid(stay.patient, at)}{self._where(stay)}ORC|{control}|{order.number}|{filler}||||||"
                f"{hl7_local(at)}|||{self._staff[order.provider]}\r"
                f"OBR|1|{order.number}|{filler}|{code}{_TO_27}^^^^^{'S' if order.stat else 'R'}\r"
            )
            self.send(at, "ORM^O01", "ORM_O01", body, at, (order.fact,), self.outbox.day_or_late(at))

    def _reports(self, stay: Stay, order: Order) -> None:
        """One ORU^R01 for each version of the report, carrying the results that changed with it."""
        for at, status in order.report_versions:
            facts, segments = [order.report_fact], []
            for result in order.results:
                for version in result.versions:
                    if version.at == at:
                        facts.append(result.fact)
                        segments.append(self._observation(len(facts) - 1, result, version))
            code = self._code(order.panel.short, order.panel.text, order.panel.loinc)
            body = (
                f"{self.pid(stay.patient, at)}{self._where(stay)}OBR|1|{order.number}|{order.filler}|{code}|||"
                f"{hl7_local(order.collected)}{'|' * 15}{hl7_local(at)}|||{_RESULT[status]}\r{''.join(segments)}"
            )
            self.send(at, "ORU^R01", "ORU_R01", body, at, tuple(facts), self.outbox.day_or_late(at))

    def _observation(self, place: int, result: Result, version: ResultVersion) -> str:
        test = result.test
        code = self._code(test.short, test.text, test.loinc)
        kind, value = ("ST", version.text) if version.text else ("NM", version.value or '""')
        return f"OBX|{place}|{kind}|{code}||{value}|{test.spelling}|||||{_RESULT[version.status]}\r"

