"""The truth of the money's side: claims as they stand, every claim payment, the payments that carry them, cover asked for and answered.

Read off what was told (`billing`), never off the interchanges. What belongs here: row types and how a row is read. Not here: who is
billed for what.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from transforms.synthetic.billing import REVERSED, VOID, Claim, ClaimPayment, Inquiry, Remittance, split
from transforms.synthetic.clock import iso_day


class ClaimRow(NamedTuple):
    """A claim as its newest version states it."""

    facility_id: str
    identifier_value: str
    type: str
    status: str
    total_value: Decimal
    subscriber_id: str
    diagnosis_code: str | None
    item_count: int
    billable_period_start: str
    billable_period_end: str
    frequency_code: str
    related_claim_reference: str | None


class ClaimPaymentRow(NamedTuple):
    """What a payer decided of a claim; amounts of a reversal are negative and it states no patient's part."""

    facility_id: str
    claim_identifier_value: str
    payer_claim_control_number: str
    claim_status_code: str
    submitted_amount: Decimal
    payment_amount: Decimal
    patient_responsibility_amount: Decimal | None
    trace_number: str
    payment_date: str


class PaymentRow(NamedTuple):
    """A payment: what was transferred. `carried_forward` is what of its parts was not, null where all was."""

    facility_id: str
    payment_identifier_value: str
    payment_amount_value: Decimal
    payment_date: str
    carried_forward: Decimal | None


class EligibilityRow(NamedTuple):
    """An inquiry (`request`) or its answer (`response`)."""

    facility_id: str
    kind: str
    trace_number: str
    subscriber_id: str
    serviced_date: str
    eligibility_code: str | None
    outcome: str | None


def money(cents: int) -> Decimal:
    """Cents as a decimal amount."""
    return Decimal(cents).scaleb(-2)


def claim_rows(facility: str, claims: Iterable[Claim]) -> list[ClaimRow]:
    """One row a claim."""
    return [_claim(facility, claim) for claim in claims]


def _claim(facility: str, claim: Claim) -> ClaimRow:
    newest = claim.versions[-1]
    # An institutional claim states its period, a professional one the day of its services.
    end = claim.last_day if claim.kind == "institutional" else claim.first_day
    return ClaimRow(
        facility, claim.number, claim.kind, "cancelled" if newest.frequency == VOID else "active", money(sum(newest.lines)),
        claim.cover.member, claim.diagnosis, len(newest.lines), iso_day[claim.first_day], iso_day[end], newest.frequency, newest.reference)


def claim_payment_rows(facility: str, opening_day: int, remittances: Iterable[Remittance]) -> list[ClaimPaymentRow]:
    """One row a part of a payment."""
    return [_payment(facility, iso_day[opening_day + one.day], one.trace, part) for one in remittances for part in one.payments]


def _payment(facility: str, day: str, trace: str, payment: ClaimPayment) -> ClaimPaymentRow:
    parts = [split(cents) for cents in payment.lines]
    owed = None if payment.status == REVERSED else money(sum(part.patient for part in parts))
    return ClaimPaymentRow(
        facility, payment.claim.number, payment.claim.control, payment.status, money(sum(payment.lines)),
        money(sum(part.paid for part in parts)), owed, trace, day)


def payment_rows(facility: str, opening_day: int, remittances: Sequence[Remittance]) -> list[PaymentRow]:
    """One row a payment: a sum below nothing is carried forward instead of transferred."""
    rows = []
    for one in remittances:
        paid = sum(split(cents).paid for part in one.payments for cents in part.lines)
        rows.append(PaymentRow(facility, one.trace, money(max(paid, 0)), iso_day[opening_day + one.day], money(paid) if paid < 0 else None))
    return rows


def eligibility_rows(facility: str, inquiries: Iterable[Inquiry]) -> list[EligibilityRow]:
    """Two rows an inquiry."""
    rows = []
    for one in inquiries:
        said = (one.trace, one.cover.member, iso_day[one.service_day])
        rows.append(EligibilityRow(facility, "request", *said, None, None))
        rows.append(EligibilityRow(facility, "response", *said, one.code, "complete" if one.code else "error"))
    return rows
