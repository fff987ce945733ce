"""What follows a stay on the money's side: cover asked for, claims sent, replaced or voided, and what the payers paid for them.

Claims and their changes go by day (counted from the first batch date), since a clearing house sends once a night. What belongs here: the
events and their telling. Not here: X12 (`encode_x12`) nor the truth's rows (`truth_billing`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from transforms.synthetic.clock import DAY
from transforms.synthetic.events import Stay
from transforms.synthetic.names import PAYERS
from transforms.synthetic.people import Demographics
from transforms.synthetic.site import Facts, Site

ORIGINAL, REPLACEMENT, VOID = "1", "7", "8"
PAID, REVERSED = "1", "22"


class Cover(NamedTuple):
    """Who pays for a patient, and as whom the payer knows them."""

    payer: int
    member: str
    who: Demographics

    @property
    def payer_code(self) -> str:
        """The payer's identifier in claims."""
        return PAYERS[self.payer][0]

    @property
    def payer_name(self) -> str:
        """The payer's name."""
        return PAYERS[self.payer][1]


class ClaimVersion(NamedTuple):
    """What was sent on a day: frequency (CLM05-3), charges of its lines in cents, the payer's number of what it replaces."""

    day: int
    frequency: str
    lines: tuple[int, ...]
    reference: str | None


@dataclass
class Claim:
    """The claim of one stay, oldest version first."""

    number: str
    fact: int
    kind: str
    cover: Cover
    diagnosis: str | None
    first_day: int
    last_day: int
    control: str
    versions: list[ClaimVersion] = field(default_factory=list)


class ClaimPayment(NamedTuple):
    """What a payer decided of a claim: an event. A reversal has the charges of what it takes back, negated."""

    claim: Claim
    fact: int
    status: str
    lines: tuple[int, ...]


class Remittance(NamedTuple):
    """One payer's payment of a day, its parts in the order in which they stand."""

    day: int
    payer: int
    trace: str
    payments: tuple[ClaimPayment, ...]


class Inquiry(NamedTuple):
    """Cover asked for on a day and answered on the same; `code` is null where the payer could not tell."""

    day: int
    trace: str
    cover: Cover
    service_day: int
    fact: int
    answer_fact: int
    code: str | None


class Split(NamedTuple):
    """A charge in cents: what is paid, what the contract takes off, what the patient owes."""

    paid: int
    contractual: int
    patient: int


def split(charge: int) -> Split:
    """How payers divide a charge; that of a reversal is divided with the opposite signs."""
    size = abs(charge)
    paid, contractual = size * 8 // 10, size * 15 // 100
    sign = 1 if charge >= 0 else -1
    return Split(sign * paid, sign * contractual, sign * (size - paid - contractual))


class Billing:
    """Tells what one facility bills for the stays of a group of people that end within the told days."""

    def __init__(self, site: Site, rng: Random, facts: Facts, opening_day: int, days: int) -> None:
        self.site, self.rng, self.facts, self.opening_day, self.days = site, rng, facts, opening_day, days
        self.claims: list[Claim] = []
        self.inquiries: list[Inquiry] = []

    def bill(self, stay: Stay) -> None:
        """Ask for the cover of a stay that is not planned, and claim for one that has ended."""
        newest = stay.versions[-1]
        cover = self._cover(stay)
        asked = stay.versions[0].at // DAY - self.opening_day
        if stay.kind != "AMB" and asked >= 0:
            self.inquiries.append(Inquiry(
                asked, f"TR{600_000 + self.site.count('inquiry')}", cover, stay.versions[0].start // DAY, self.facts.next(),
                self.facts.next(), "1" if self.rng.random() < 0.8 else None))
        day = newest.at // DAY - self.opening_day
        if newest.status != "finished" or newest.end is None or day < 0:
            return
        number = 800_000 + self.site.count("claim")
        claim = Claim(
            f"C{number}", self.facts.next(), "institutional" if stay.kind == "IMP" else "professional", cover,
            stay.conditions[0].diagnosis.icd10 if stay.conditions else None, newest.start // DAY, newest.end // DAY, f"ICN{number}")
        claim.versions.append(ClaimVersion(day, ORIGINAL, self._charges(), None))
        fate, later = self.rng.random(), day + 2
        if later < self.days and fate < 0.35:
            lines = claim.versions[0].lines if fate < 0.15 else self._charges()
            claim.versions.append(ClaimVersion(later, VOID if fate < 0.15 else REPLACEMENT, lines, claim.control))
        self.claims.append(claim)

    def _cover(self, stay: Stay) -> Cover:
        patient = stay.patient
        payer = patient.fact % len(PAYERS)
        return Cover(payer, f"{PAYERS[payer][0]}{patient.number}", patient.at(stay.versions[-1].at))

    def _charges(self) -> tuple[int, ...]:
        draw = self.rng.random
        return tuple(500 + int(90_000 * draw()) for _ in range(1 + int(3 * draw())))

    def remittances(self) -> Iterator[Remittance]:
        """What the payers pay on the day after each claim: for one that was replaced the old payment is taken back first. What is taken
        back for good goes apart: there nothing outweighs it."""
        due: dict[tuple[int, int, bool], list[tuple[Claim, str, tuple[int, ...]]]] = {}
        for claim in self.claims:
            for place, version in enumerate(claim.versions):
                parts = due.setdefault((version.day + 1, claim.cover.payer, version.frequency == VOID), [])
                if place:
                    parts.append((claim, REVERSED, tuple(-cents for cents in claim.versions[place - 1].lines)))
                if version.frequency != VOID:
                    parts.append((claim, PAID, version.lines))
        for (day, payer, _), parts in sorted(due.items(), key=lambda item: item[0]):
            if day < self.days:
                yield Remittance(day, payer, f"EFT{500_000 + self.site.count('remittance')}",
                                 tuple(ClaimPayment(claim, self.facts.next(), status, lines) for claim, status, lines in parts))
