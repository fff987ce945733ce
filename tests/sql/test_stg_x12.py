"""X12 staging: claims, remittances and eligibility as the 005010 guides mean them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.case_registry import registry_text_of_case
from tests.unit.decoding import FACILITY
from tests.unit.x12_text import HEADER, PARTNERS, claim, group, interchange, simple, text, transaction

DBT_PARTS = ("staging/x12",)
MODELS = ("claim", "explanation_of_benefit", "payment_reconciliation", "payment_reconciliation_detail", "coverage_eligibility", "patient", "unit_rule")
DEPENDENT = ["HL*3*2*23*0", "PAT*19", "NM1*QC*1*ALDER*KIM", "N3*5 ASH RD", "N4*AXTON*NY*10001", "DMG*D8*20150301*F"]
PAID = ["BPR*I*50*C*ACH" + "*" * 12 + "20240510", "TRN*1*T1*9PAYER"]
PAYER_LEVEL = ["HL*1**20*1", "NM1*PR*2*PAYER*****PI*PAY01"]
MEMBER = ["HL*2*1*22*1", "TRN*2*TR1*9X", "NM1*IL*1*ALDER*ROWAN****MI*MB1"]
LINES = ["CLM*L1*30***11:B:1*Y*A*Y*Y", "HI*ABK:I10*ABF:E119", "NM1*82*1*OAK*ANN", "SBR*S*18", "NM1*PR*2*ELSE*****PI*P2", "REF*F8*NOR-THIS",
         "LX*1", "SV1*HC:1*10*UN*1", "REF*F8*NOT-THIS", "DTP*472*RD8*20240401-20240403",
         "LX*2", "SV1*HC:2*20.00*UN*1", "DTP*472*RD8*20240405-20240406"]


def payments(*segments: str, head: list[str] = PAID) -> bytes:
    """An 835 of these segments."""
    return simple("835", [*head, *segments])


PAYLOADS: dict[str, bytes] = {
    "dependent": simple("837", [*HEADER, *DEPENDENT, *claim("D1")]),
    "lines": simple("837", [*HEADER, *LINES]),
    "charge is no number": simple("837", [*HEADER, *claim("N1", "ten", "10")]),
    "replacement": simple("837", [*HEADER, *claim("R1", "10", None, "11:B:7", "REF*F8*ICN1")]),
    "void alone": simple("837", [*HEADER, *claim("V1", "10", None, "11:B:8")]),
    "no such day": simple("837", [*HEADER, *claim("X1")]).replace(b"20240415", b"20240431"),
    "in the gap": text(interchange([group([transaction("837", [*HEADER, *claim("G1")], at="20240310*0230")], "005010X222A1")])),
    "test": simple("837", [*HEADER, *claim("T1")], usage="T"),
    "paid": payments("LX*1", "CLP*C1*1*80*50*10*12*ICN1*11*1", "CAS*CO*45*5", "SVC*HC:1*80*55", "CAS*PR*1*10*1*2*15"),
    "line off": payments("LX*1", "CLP*C1*1*80*50**12*ICN1", "SVC*HC:1*80*60", "CAS*PR*1*30"),
    "adjustment is no number": payments("LX*1", "CLP*C1*1*50*50**12*ICN1", "CAS*CO*45*x"),
    "one of two off": payments("LX*1", "CLP*C1*1*80*40**12*ICN1", "CLP*C2*1*10*10**12*ICN2"),
    "nothing but PLB": payments("PLB*1*20241231*FB:A1*-30*WO*-20.5*IR*0.5"),
    "no payment day": payments("CLP*C1*1*50*50**12*ICN1", head=[PAID[0].replace("20240510", "20240230"), PAID[1]]),
    "answer for a dependent": simple("271", [*PAYER_LEVEL, *MEMBER, "HL*3*2*23*0", "TRN*2*TR2*9X", "NM1*03*1*ALDER*KIM", "DMG*D8*20150301", "EB*R", "EB*6", "EB*1"]),
    "payer does not answer": simple("271", [*PAYER_LEVEL, "AAA*Y**42*R"]),
    "member not found": simple("271", [*PAYER_LEVEL, *MEMBER, "AAA*N**75*C"]),
}


@pytest.fixture(scope="module")
def staged(shared_scratch) -> dict[str, dict[str, list[dict[str, Any]]]]:  # type: ignore[no-untyped-def]
    """Model -> payload name -> rows in order."""
    shared_scratch.register(registry_text_of_case(FACILITY + PARTNERS))
    deliveries = {shared_scratch.deliver("north_general", "x12", "2026-01-05", payload, name).delivery_id: name for name, payload in PAYLOADS.items()}
    shared_scratch.build("staging.x12")
    found: dict[str, dict[str, list[dict[str, Any]]]] = {model: {name: [] for name in PAYLOADS} for model in MODELS}
    for model in MODELS:
        order = "unit_id" if model == "unit_rule" else "length(staged.record_locator), staged.record_locator, staged.fact_key"
        for row in shared_scratch.rows(f"select staged.*, raw_unit.delivery_id as of_delivery from staging.stg_x12__{model} staged "
                                       f"join raw.raw_unit raw_unit using (unit_id) order by {order}"):
            found[model][deliveries[row["of_delivery"]]].append(row)
    return found


def test_a_dependent_is_the_patient_of_its_claim(staged) -> None:  # type: ignore[no-untyped-def]
    """Loop 2000C names the patient, who has no member number of their own; the subscriber is another."""
    claimed, patient = staged["claim"]["dependent"][0], staged["patient"]["dependent"][0]
    subscriber = staged["patient"]["lines"][0]
    assert (patient["name_given"], patient["birth_date"], patient["gender"], patient["identifier_value"], patient["address_line"]) == (
        "KIM", "2015-03-01", "female", None, "5 ASH RD")
    assert (subscriber["name_given"], subscriber["identifier_system"], subscriber["identifier_value"]) == ("ROWAN", "urn:x12:payer:PAY01", "MB1")
    assert claimed["subject_key"] == patient["fact_key"] != subscriber["fact_key"]
    assert (claimed["subscriber_id"], patient["maintains"], patient["is_fact"]) == ("MB1", 0, False)


def test_a_claim_without_a_statement_period_lasts_from_its_first_to_its_last_line(staged) -> None:  # type: ignore[no-untyped-def]
    """DTP 472 of the first line starts it, that of the last line ends it; only the principal diagnosis counts, and REF*F8 of the claim alone: neither a line's nor another payer's."""
    row = staged["claim"]["lines"][0]
    assert (row["billable_period_start"], row["billable_period_end"], row["item_count"], row["total_value"]) == ("2024-04-01", "2024-04-06", 2, Decimal(30))
    assert (row["diagnosis_code"], row["related_claim_reference"], row["reject_code"]) == ("I10", None, None)


@pytest.mark.parametrize(("name", "reason"), [
    ("charge is no number", "x12.claim_charge_mismatch"), ("void alone", "x12.replacement_without_original"), ("no such day", "time.invalid"),
    ("replacement", None),
])
def test_claims_are_judged_one_by_one(staged, name: str, reason: str | None) -> None:  # type: ignore[no-untyped-def]
    """Charges, references and dates of a claim decide about it alone."""
    assert staged["claim"][name][0]["reject_code"] == reason


def test_a_time_in_the_gap_of_a_clock_change_is_flagged(staged) -> None:  # type: ignore[no-untyped-def]
    """BHT05 02:30 does not exist on the day that summer time begins: the offset before counts (RFC 5545 s3.3.5)."""
    row = staged["claim"]["in the gap"][0]
    assert (str(row["source_time"]), row["flags"]) == ("2024-03-10 07:30:00", "time.nonexistent_local")


def test_test_interchanges_are_ignored_by_rule(staged) -> None:  # type: ignore[no-untyped-def]
    """ISA15 T."""
    assert [row["reason"] for row in staged["unit_rule"]["test"]] == ["x12.non_production"]
    assert staged["unit_rule"]["lines"] == []


@pytest.mark.parametrize(("name", "reasons"), [
    ("paid", [None]), ("line off", ["x12.unbalanced_835"]), ("adjustment is no number", ["x12.unbalanced_835"]),
    ("one of two off", ["x12.unbalanced_835", None]), ("no payment day", ["time.invalid"]),
])
def test_claim_payments_balance_by_line_and_by_claim(staged, name: str, reasons: list[str | None]) -> None:  # type: ignore[no-untyped-def]
    """SVC02 less its CAS is SVC03; CLP03 less all CAS is CLP04 (005010X221A1 s1.10.2.1)."""
    assert [row["reject_code"] for row in staged["explanation_of_benefit"][name]] == reasons


def test_a_payment_is_carried_by_a_claim_payment_that_is_not_refused(staged) -> None:  # type: ignore[no-untyped-def]
    """The reconciliation is a by-product of the second claim payment where the first is held."""
    carried = staged["payment_reconciliation"]["one of two off"]
    assert [(row["record_locator"], row["is_fact"], row["payment_amount_value"]) for row in carried] == [("segment/8", False, Decimal(50))]


def test_an_835_of_adjustments_alone_is_one_fact(staged) -> None:  # type: ignore[no-untyped-def]
    """PLB without CLP: the payment itself is the unit's fact, each pair of the PLB a row, sign as sent."""
    payment = staged["payment_reconciliation"]["nothing but PLB"][0]
    assert (payment["is_fact"], payment["reject_code"], payment["payment_date"]) == (True, None, "2024-05-10")
    details = staged["payment_reconciliation_detail"]["nothing but PLB"]
    assert sorted((row["type_code"], row["identifier_value"], str(row["amount_value"])) for row in details) == [
        ("FB", "A1", "-30.00"), ("IR", None, "0.50"), ("WO", None, "-20.50")]
    assert len({row["fact_key"] for row in details}) == 3


def test_each_person_that_is_answered_for_has_a_row(staged) -> None:  # type: ignore[no-untyped-def]
    """Subscriber and dependent of one 271: the first EB that states coverage counts, under each one's own trace number."""
    rows = staged["coverage_eligibility"]["answer for a dependent"]
    assert [(r["trace_number"], r["subscriber_id"], r["eligibility_code"], r["outcome"]) for r in rows] == [
        ("TR1", "MB1", None, "complete"), ("TR2", "MB1", "6", "complete")]
    assert len({row["record_id"] for row in rows}) == len({row["fact_key"] for row in rows}) == 2


@pytest.mark.parametrize("name", ["payer does not answer", "member not found"])
def test_a_refused_inquiry_is_an_error(staged, name: str) -> None:  # type: ignore[no-untyped-def]
    """AAA at the payer, who names nobody, or at the subscriber: one row, outcome error."""
    assert [row["outcome"] for row in staged["coverage_eligibility"][name]] == ["error"]
