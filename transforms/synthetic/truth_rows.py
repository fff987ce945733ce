"""The truth behind the feeds: what holds of every person, record, stay, order, report, result and diagnosis at the end.

Rows are told from the story, never from the encoded feeds. What belongs here: how a row is read off a life. Not here: the row
types (`truth_types`), Arrow (`truth_tables`) and answers (`answers`).
"""

from __future__ import annotations

from transforms.synthetic.clock import DAY
from transforms.synthetic.events import Order, Stay
from transforms.synthetic.facility_plan import local_test_code
from transforms.synthetic.journey import Life
from transforms.synthetic.people import Patient, Person
from transforms.synthetic.site import Site
from transforms.synthetic.truth_billing import ClaimPaymentRow, ClaimRow, EligibilityRow, PaymentRow
from transforms.synthetic.truth_documents import AllergyRow, DocumentRow, ImmunizationRow, ProblemRow
from transforms.synthetic.truth_studies import ImagingStudyRow
from transforms.synthetic.truth_treatments import PrescriptionRow, ProcedureRow
from transforms.synthetic.truth_types import (
    ConditionRow,
    EncounterRow,
    OrderRow,
    PatientRow,
    PersonRow,
    ReportRow,
    ResultRow,
)

HAS_ORDERS = ("riverside", "lakeside", "summit", "harbor")
HAS_REPORTS = ("riverside", "lakeside")
HAS_FHIR = ("riverside", "summit")
GENDERS = {"F": "female", "M": "male"}
DELETES = ("riverside", "harbor")


class TruthRows:
    """The truth of one group of people, filled life by life."""

    def __init__(self) -> None:
        self.people: list[PersonRow] = []
        self.patients: list[PatientRow] = []
        self.encounters: list[EncounterRow] = []
        self.orders: list[OrderRow] = []
        self.reports: list[ReportRow] = []
        self.results: list[ResultRow] = []
        self.conditions: list[ConditionRow] = []
        self.claims: list[ClaimRow] = []
        self.claim_payments: list[ClaimPaymentRow] = []
        self.payments: list[PaymentRow] = []
        self.eligibilities: list[EligibilityRow] = []
        self.allergies: list[AllergyRow] = []
        self.immunizations: list[ImmunizationRow] = []
        self.problems: list[ProblemRow] = []
        self.documents: list[DocumentRow] = []
        self.imaging_studies: list[ImagingStudyRow] = []
        self.prescriptions: list[PrescriptionRow] = []
        self.procedures: list[ProcedureRow] = []

    def add(self, life: Life) -> None:
        """Read the truth of one life off its story."""
        self.people.append(_person(life.person))
        for site, patient in life.patients:
            self.patients.append(_patient(site, patient))
        for site, stay in life.stays:
            self.encounters.append(_encounter(site, stay, life.person.number))
            for order in stay.orders:
                self._order(site, stay, order, life.person.number)
            self._vitals(site, stay, life.person.number)
            self._conditions(site, stay, life.person.number)

    def _order(self, site: Site, stay: Stay, order: Order, person: int) -> None:
        style, utc = site.style, site.zone.utc
        facility, visit, patient = site.facility_id, stay.number, stay.patient.number
        statuses = [status for _, status in order.versions if status != "cancel-requested"]
        if style in HAS_ORDERS:
            status = "active" if style == "lakeside" and statuses[-1] == "completed" else statuses[-1]
            self.orders.append(OrderRow(
                facility, order.number, order.request_id if style == "riverside" else None, visit, patient, person,
                local_test_code(style, order.panel.short), order.panel.loinc, "stat" if order.stat else "routine", status,
                utc(order.authored), order.authored // DAY))
        effective, day = utc(order.collected), order.collected // DAY
        if style in HAS_REPORTS and order.report_versions:
            at, status = order.report_versions[-1]
            self.reports.append(ReportRow(facility, order.filler, order.report_id if style == "riverside" else None, order.number,
                                          visit, patient, person, status, effective, utc(at), day))
        is_fhir, is_extract = style == "riverside", style not in HAS_REPORTS
        for result in order.results:
            test, version = result.test, result.versions[-1]
            number = f"L{result.number}" if style == "oldmill" else result.number
            has_unit = version.value is not None or not is_fhir
            gone = version.status == "entered-in-error" and style in DELETES and result.fact % 2 == 1
            self.results.append(ResultRow(
                facility, number if is_extract else None, f"o{result.number}" if is_fhir else None,
                None if is_extract else order.filler, None if is_fhir else order.number, visit, patient, person,
                local_test_code(style, test.short), test.loinc, version.value, test.ucum if has_unit else None,
                test.spelling if has_unit else None, version.text, version.status, effective, utc(version.at), day, gone,
                len(result.versions)))

    def _vitals(self, site: Site, stay: Stay, person: int) -> None:
        for test, _, identifier, at, value in stay.vitals:
            self.results.append(ResultRow(
                site.facility_id, None, identifier, None, None, stay.number, stay.patient.number, person,
                local_test_code(site.style, test.short), test.loinc, value, test.ucum, test.spelling, None, "final",
                site.zone.utc(at), None, at // DAY, False, 1))

    def _conditions(self, site: Site, stay: Stay, person: int) -> None:
        style = site.style
        for condition in stay.conditions:
            dx, state = condition.diagnosis, condition.versions[-1][1]
            number = {"oldmill": "D" + condition.number, "harbor": condition.number}.get(style)
            fhir_id = "c" + condition.number if style in HAS_FHIR else None
            carried = [version for version in stay.versions
                       if version.event in ("A03", "A08") and condition.versions[0][0] <= version.at]
            self.conditions.append(ConditionRow(
                site.facility_id, number, fhir_id, stay.number, stay.patient.number, person,
                dx.icd10 if dx.mapped or style != "oldmill" else None, dx.icd9 if style == "oldmill" else None, state,
                condition.onset, state == "error" and style == "harbor",
                bool(carried) and state != "error" if style == "lakeside" else None))


def _person(person: Person) -> PersonRow:
    maiden = person.family if person.married_family else None
    return PersonRow(person.number, person.married_family or person.family, maiden, person.given, person.sex, person.birth_date,
                     person.died_at)


def _patient(site: Site, patient: Patient) -> PatientRow:
    who = patient.versions[-1][1]
    merged = patient.merged_into.number if patient.merged_into is not None else None
    return PatientRow(
        site.facility_id, patient.number, patient.fhir_id if site.style in HAS_FHIR else None, patient.person.number, who.family,
        who.given, GENDERS[who.sex], who.birth_date, who.phone, who.street, who.city, who.zip, merged is None, merged,
        not patient.reused, patient.predecessor.person.number if patient.predecessor else None)


def _encounter(site: Site, stay: Stay, person: int) -> EncounterRow:
    newest, utc, patient = stay.versions[-1], site.zone.utc, stay.patient
    survivor = patient.merged_into or patient
    return EncounterRow(
        site.facility_id, stay.number, stay.fhir_id if site.style in HAS_FHIR else None, patient.number, survivor.number, person,
        stay.kind, newest.status, utc(newest.start), None if newest.end is None else utc(newest.end), newest.start // DAY,
        None if newest.end is None else newest.end // DAY, newest.ward, newest.disposition, len(stay.versions))
