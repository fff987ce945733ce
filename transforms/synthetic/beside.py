"""What some facilities send beside their main feeds: a clearing house's interchanges.

It is told from the same lives, but drawn from a random stream of its own: what the main feeds say does not hang on it. What belongs
here: which facility has which of these feeds. Not here: any format.
"""

from __future__ import annotations

from random import Random

from transforms.synthetic.billing import Billing
from transforms.synthetic.clock import DAY
from transforms.synthetic.encode_x12 import X12Writer
from transforms.synthetic.journey import Life, Window
from transforms.synthetic.outbox import Outbox
from transforms.synthetic.site import Facts, Site
from transforms.synthetic.truth_billing import claim_payment_rows, claim_rows, eligibility_rows, payment_rows
from transforms.synthetic.truth_rows import TruthRows

REPLAYED = 0.2


class Beside:
    """The further feeds of one group of people: `tell` every life, then `write` once."""

    def __init__(self, seed: int, number: int, sites: list[Site], facts: Facts, window: Window, days: int) -> None:
        self.rng = Random(f"{seed}:{number}:beside")
        self.outbox = Outbox(window.opening, days, self.rng)
        self.billings = {site.plan.ordinal: Billing(site, self.rng, facts, window.opening // DAY, days)
                         for site in sites if site.style == "riverside"}

    def tell(self, life: Life) -> None:
        """Tell what follows a life's stays."""
        for site, stay in life.stays:
            if site.plan.ordinal in self.billings:
                self.billings[site.plan.ordinal].bill(stay)

    def write(self, truth: TruthRows) -> None:
        """Write everything that was told, and what holds of it."""
        for billing in self.billings.values():
            self._write_billing(billing, truth)

    def _write_billing(self, billing: Billing, truth: TruthRows) -> None:
        remittances = list(billing.remittances())
        X12Writer(billing.site, self.outbox).write(billing, remittances)
        facility, opening_day = billing.site.facility_id, self.outbox.opening_day
        truth.claims += claim_rows(facility, billing.claims)
        truth.claim_payments += claim_payment_rows(facility, opening_day, remittances)
        truth.payments += payment_rows(facility, opening_day, remittances)
        truth.eligibilities += eligibility_rows(facility, billing.inquiries)
