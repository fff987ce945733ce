"""What some facilities send beside their main feeds: a clearing house's interchanges, summaries of stays, a radiology archive's
instances, the change data of a pharmacy and a theatre.

They are told from the same lives, but each drawn from a random stream of its own: what other feeds say does not hang on it. What belongs
here: which facility has which of these feeds. Not here: any format.
"""

from __future__ import annotations

from random import Random

from transforms.synthetic.billing import Billing
from transforms.synthetic.clock import DAY
from transforms.synthetic.encode_ccda import CcdaWriter
from transforms.synthetic.encode_debezium import DebeziumWriter
from transforms.synthetic.encode_dicom import DicomWriter
from transforms.synthetic.encode_dms_parquet import ParquetWriter
from transforms.synthetic.encode_x12 import X12Writer
from transforms.synthetic.journey import Life, Window
from transforms.synthetic.outbox import Outbox
from transforms.synthetic.site import Facts, Site
from transforms.synthetic.studies import Studies
from transforms.synthetic.summaries import Summaries
from transforms.synthetic.treatments import Treatments
from transforms.synthetic.truth_billing import claim_payment_rows, claim_rows, eligibility_rows, payment_rows
from transforms.synthetic.truth_documents import allergy_rows, document_rows, immunization_rows, problem_rows
from transforms.synthetic.truth_rows import TruthRows
from transforms.synthetic.truth_studies import study_rows
from transforms.synthetic.truth_treatments import prescription_rows, procedure_rows

REPLAYED = 0.2


class Beside:
    """The further feeds of one group of people: `tell` every life, then `write` once."""

    def __init__(self, seed: int, number: int, sites: list[Site], facts: Facts, window: Window, days: int) -> None:
        self.rng = Random(f"{seed}:{number}:beside")
        self.outbox = Outbox(window.opening, days, self.rng)
        opening_day = window.opening // DAY

        def stream(site: Site) -> Random:
            return Random(f"{seed}:{number}:{site.facility_id}")

        def of_style(style: str) -> list[Site]:
            return [site for site in sites if site.style == style]

        self.billings = {site.plan.ordinal: Billing(site, stream(site), facts, opening_day, days) for site in of_style("riverside")}
        self.summaries = {site.plan.ordinal: Summaries(site, stream(site), facts, opening_day, days) for site in of_style("summit")}
        self.studies = {site.plan.ordinal: Studies(site, stream(site), facts, opening_day, days) for site in of_style("lakeside")}
        self.treatments = {site.plan.ordinal: Treatments(site, stream(site), facts, window.horizon) for site in of_style("harbor")}

    def tell(self, life: Life) -> None:
        """Tell what follows a life's stays."""
        for site, stay in life.stays:
            if site.plan.ordinal in self.billings:
                self.billings[site.plan.ordinal].bill(stay)
            if site.plan.ordinal in self.summaries:
                self.summaries[site.plan.ordinal].summarize(stay)
            if site.plan.ordinal in self.studies:
                self.studies[site.plan.ordinal].examine(stay)
            if site.plan.ordinal in self.treatments:
                self.treatments[site.plan.ordinal].treat(stay)

    def write(self, truth: TruthRows) -> None:
        """Write everything that was told, and what holds of it."""
        for billing in self.billings.values():
            self._write_billing(billing, truth)
        for summaries in self.summaries.values():
            self._write_summaries(summaries, truth)
        for studies in self.studies.values():
            DicomWriter(studies.site, self.outbox).write(studies.told)
            truth.imaging_studies += study_rows(studies.site.facility_id, studies.site.zone, studies.told)
        for treatments in self.treatments.values():
            self._write_treatments(treatments, truth)

    def _write_billing(self, billing: Billing, truth: TruthRows) -> None:
        remittances = list(billing.remittances())
        X12Writer(billing.site, self.outbox).write(billing, remittances)
        facility, opening_day = billing.site.facility_id, self.outbox.opening_day
        truth.claims += claim_rows(facility, billing.claims)
        truth.claim_payments += claim_payment_rows(facility, opening_day, remittances)
        truth.payments += payment_rows(facility, opening_day, remittances)
        truth.eligibilities += eligibility_rows(facility, billing.inquiries)

    def _write_summaries(self, summaries: Summaries, truth: TruthRows) -> None:
        CcdaWriter(summaries.site, self.outbox).write(summaries.told)
        facility = summaries.site.facility_id
        truth.allergies += allergy_rows(facility, summaries.told)
        truth.immunizations += immunization_rows(facility, summaries.told)
        truth.problems += problem_rows(facility, summaries.told)
        truth.documents += document_rows(facility, summaries.told)

    def _write_treatments(self, treatments: Treatments, truth: TruthRows) -> None:
        site = treatments.site
        DebeziumWriter(site, self.outbox).write(treatments.prescriptions)
        ParquetWriter(site, self.outbox).write(treatments.procedures)
        truth.prescriptions += prescription_rows(site.facility_id, site.zone, treatments.prescriptions)
        truth.procedures += procedure_rows(site.facility_id, site.zone, treatments.procedures)
