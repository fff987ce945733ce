"""X12 005010 of a clearing house: claims out (837P, 837I), payments in (835), cover asked for (270) and answered (271).

A night's file is one interchange of one kind. A unit's text is its own segments; hierarchy numbers, counts and envelopes are put around
them when the file is closed, since a day's units are known only then. What belongs here: segments (X222A1, X223A2, X221A1, X279A1).
Not here: what is billed (`billing`).
"""

from __future__ import annotations

from collections.abc import Iterator

from transforms.synthetic.billing import ORIGINAL, REVERSED, Billing, Claim, ClaimPayment, ClaimVersion, Inquiry, Remittance, split
from transforms.synthetic.clock import DAY, HOUR, day_texts, hl7_day
from transforms.synthetic.names import PAYERS
from transforms.synthetic.outbox import TEXT, Feed, Outbox, Unit
from transforms.synthetic.site import Site

SOURCE = "clearinghouse"
_HOUSE, _SENDER, _NPI = "CLEARONE", "HOSPITAL", "1234567893"
_VERSION = {"837p": "005010X222A1", "837i": "005010X223A2", "835": "005010X221A1", "270": "005010X279A1", "271": "005010X279A1"}
_GROUP = {"837p": "HC", "837i": "HC", "835": "HP", "270": "HS", "271": "HB"}
_UNIT = {"837p": "x12.claim", "837i": "x12.claim", "835": "x12.claim_payment", "270": "x12.transaction_set", "271": "x12.transaction_set"}
_SENT_AT = {"837p": 2200, "837i": 2210, "835": 2220, "270": 2230, "271": 2240}
_TEST = "test_"
_short_day = day_texts("%y%m%d")


def amount(cents: int) -> str:
    """Decimal text of an amount, without the zeros that X12 leaves out (type R)."""
    whole, part = divmod(abs(cents), 100)
    text = f"{whole}.{part:02}".rstrip("0").rstrip(".")
    return f"-{text}" if cents < 0 else text


class X12Writer:
    """Writes what one facility bills as transactions of its clearing house."""

    def __init__(self, site: Site, outbox: Outbox) -> None:
        self.site, self.outbox = site, outbox
        self.opening_day = outbox.opening_day
        self._planted: set[int] = set()

    def write(self, billing: Billing, remittances: list[Remittance]) -> None:
        """Everything that was told of a group of people; wrong units stand beside the first good ones of a day."""
        for claim in billing.claims:
            for version in claim.versions:
                self._claim(claim, version)
        for remittance in remittances:
            self._remittance(remittance)
        for inquiry in billing.inquiries:
            self._inquiry(inquiry)

    def _put(self, stem: str, day: int, order: tuple[object, ...], text: str | tuple[str, str], facts: tuple[int, ...],
             outcome: str | None = None, reason: str | None = None) -> None:
        kind = stem.removeprefix(_TEST)
        feed = self.outbox.feed(self.site.plan.ordinal, SOURCE, _UNIT[kind], stem)
        feed.pack = self._pack
        feed.days[day].append([order, kind[:3], text, (self.opening_day + day) * DAY + 22 * HOUR, facts, outcome, reason])

    def _claim(self, claim: Claim, version: ClaimVersion) -> None:
        stem = "837i" if claim.kind == "institutional" else "837p"
        total = sum(version.lines)
        self._put(stem, version.day, (claim.number, version.frequency), _claim_text(claim, version, claim.number, total), (claim.fact,))
        if version.day not in self._planted and version.frequency == ORIGINAL:
            self._planted.add(version.day)
            self._plant(stem, claim, version, total)

    def _plant(self, stem: str, claim: Claim, version: ClaimVersion, total: int) -> None:
        """A claim whose charge is not that of its lines, a replacement of nobody knows what, and a claim sent as a test."""
        day, orphan = version.day, version._replace(frequency="7")
        self._put(stem, day, (f"E{claim.number}", ""), _claim_text(claim, version, f"E{claim.number}", total + 1000), (), "quarantined",
                  "x12.claim_charge_mismatch")
        self._put(stem, day, (f"R{claim.number}", ""), _claim_text(claim, orphan, f"R{claim.number}", total), (), "quarantined",
                  "x12.replacement_without_original")
        self._put(_TEST + stem, day, (f"T{claim.number}", ""), _claim_text(claim, version, f"T{claim.number}", total), (),
                  "ignored_by_rule", "x12.non_production")

    def _remittance(self, remittance: Remittance) -> None:
        paid = sum(split(cents).paid for payment in remittance.payments for cents in payment.lines)
        for place, payment in enumerate(remittance.payments):
            self._put("835", remittance.day, (remittance.trace, place, remittance.payer, paid), _payment_text(payment), (payment.fact,))

    def _inquiry(self, inquiry: Inquiry) -> None:
        self._put("270", inquiry.day, (inquiry.trace,), _inquiry_text(inquiry), (inquiry.fact,))
        self._put("271", inquiry.day, (inquiry.trace,), _answer_text(inquiry), (inquiry.answer_fact,))

    def _pack(self, feed: Feed, day: int, name: str, units: list[Unit]) -> Iterator[tuple[str, bytes, list[Unit]]]:
        """The day's interchange; none on a day without units."""
        if not units:
            return
        kind = feed.stem.removeprefix(_TEST)
        date, moment = self.opening_day + day, f"{_SENT_AT[kind]:04}"
        if kind.startswith("837"):
            sets = [_claims_set(kind, hl7_day[date], moment, units)]
        elif kind == "835":
            sets = _payment_sets(hl7_day[date], units)
        else:
            head = f"BHT*0022*{'13' if kind == '270' else '11'}*Q{hl7_day[date]}*{hl7_day[date]}*{moment}~{_LEVELS}"
            sets = [head.replace("{payer}", unit[TEXT][0]) + unit[TEXT][1] for unit in units]
        number, version = self.site.count("interchange"), _VERSION[kind]
        ends = (_HOUSE, _SENDER) if kind in ("835", "271") else (_SENDER, _HOUSE)
        body = "".join([_set(kind[:3], version, place, text) for place, text in enumerate(sets, 1)])
        text = (
            f"ISA*00*          *00*          *ZZ*{ends[0]:15}*ZZ*{ends[1]:15}*{_short_day[date]}*{moment}*^*00501*{number:09}*0*"
            f"{'T' if feed.stem.startswith(_TEST) else 'P'}*:~GS*{_GROUP[kind]}*{ends[0]}*{ends[1]}*{hl7_day[date]}*{moment}*{number}*X*"
            f"{version}~{body}GE*{len(sets)}*{number}~IEA*1*{number:09}~")
        yield f"{name}.x12", text.encode(), units


_LEVELS = ("HL*1**20*1~NM1*PR*2*{payer}~HL*2*1*21*1~NM1*1P*2*RIVERSIDE HOSPITAL*****XX*" + _NPI + "~HL*3*2*22*0~")


def _set(kind: str, version: str, place: int, body: str) -> str:
    head = f"ST*{kind}*{place:04}*{version}~"
    return f"{head}{body}SE*{body.count('~') + 2}*{place:04}~"


def _claims_set(kind: str, day: str, moment: str, units: list[Unit]) -> str:
    """All claims of a night below one billing provider, each with the subscriber level of its own."""
    head = (f"BHT*0019*00*{kind.upper()}{day}*{day}*{moment}*CH~NM1*41*2*RIVERSIDE BILLING*****46*{_SENDER}~PER*IC*DESK*TE*5550100~"
            f"NM1*40*2*CLEAR ONE*****46*{_HOUSE}~HL*1**20*1~NM1*85*2*RIVERSIDE HOSPITAL*****XX*{_NPI}~N3*1 RIVER RD~"
            "N4*AXTON*NY*100010000~REF*EI*990000001~")
    return head + "".join([f"HL*{place}*1*22*0~{unit[TEXT]}" for place, unit in enumerate(units, 2)])


def _claim_text(claim: Claim, version: ClaimVersion, number: str, total: int) -> str:
    """Subscriber (loop 2010BA), payer, claim and its lines."""
    who, days = claim.cover.who, (hl7_day[claim.first_day], hl7_day[claim.last_day])
    person = (f"SBR*P*18*******CI~NM1*IL*1*{who.family.upper()}*{who.given.upper()}****MI*{claim.cover.member}~N3*{who.street}~"
              f"N4*{who.city}*{who.state}*{who.zip}~DMG*D8*{who.birth_date.replace('-', '')}*{who.sex}~"
              f"NM1*PR*2*{claim.cover.payer_name}*****PI*{claim.cover.payer_code}~")
    related = f"REF*F8*{version.reference}~" if version.reference else ""
    principal = f"HI*ABK:{claim.diagnosis.replace('.', '')}~" if claim.diagnosis else ""
    if claim.kind == "institutional":
        head = f"CLM*{number}*{amount(total)}***11:A:{version.frequency}**A*Y*Y~DTP*434*RD8*{days[0]}-{days[1]}~CL1*1*7*01~"
        lines = [f"LX*{place}~SV2*0300*HC:80053*{amount(cents)}*UN*1~" for place, cents in enumerate(version.lines, 1)]
    else:
        head = f"CLM*{number}*{amount(total)}***11:B:{version.frequency}*Y*A*Y*Y~"
        lines = [f"LX*{place}~SV1*HC:99213*{amount(cents)}*UN*1***1~DTP*472*D8*{days[0]}~" for place, cents in enumerate(version.lines, 1)]
    return f"{person}{head}{related}{principal}{''.join(lines)}"


def _payment_text(payment: ClaimPayment) -> str:
    """A claim payment with its lines: each charge less what is taken off is what is paid (X221A1 s1.10.2.1)."""
    claim, parts = payment.claim, [split(cents) for cents in payment.lines]
    who, charge = claim.cover.who, sum(payment.lines)
    owed = "" if payment.status == REVERSED else amount(sum(part.patient for part in parts))
    paid = amount(sum(part.paid for part in parts))
    head = (f"CLP*{claim.number}*{payment.status}*{amount(charge)}*{paid}*{owed}*12*{claim.control}*11*1~"
            f"NM1*QC*1*{who.family.upper()}*{who.given.upper()}****MI*{claim.cover.member}~")
    return head + "".join([
        f"SVC*HC:99213*{amount(cents)}*{amount(part.paid)}**1~DTM*472*{hl7_day[claim.first_day]}~"
        f"CAS*CO*45*{amount(part.contractual)}~CAS*PR*2*{amount(part.patient)}~"
        for cents, part in zip(payment.lines, parts, strict=True)])


def balance(paid: int) -> tuple[int, int]:
    """What is transferred and what is carried forward (PLB, FB) of a sum of claim payments: nobody transfers less than nothing."""
    return (paid, 0) if paid >= 0 else (0, paid)


def _payment_sets(day: str, units: list[Unit]) -> list[str]:
    """One 835 a payer, whose parts stand together."""
    texts: dict[tuple[str, int, int], list[str]] = {}
    for unit in units:
        trace, _, payer, paid = unit[0]
        texts.setdefault((trace, payer, paid), []).append(unit[TEXT])
    sets = []
    for (trace, payer, paid), parts in texts.items():
        transferred, forward = balance(paid)
        carried = f"PLB*{_NPI}*{day[:4]}1231*FB:{trace}*{amount(forward)}~" if forward else ""
        sets.append(
            f"BPR*{'I' if transferred else 'H'}*{amount(transferred)}*C*ACH*CCP*01*999999992*DA*123*199000000{payer}**01*999999992*DA*456*"
            f"{day}~"
            f"TRN*1*{trace}*199000000{payer}~DTM*405*{day}~N1*PR*{PAYERS[payer][1]}~N3*9 BANK ST~N4*AXTON*NY*10001~"
            f"PER*BL*HELP*TE*5550111~N1*PE*RIVERSIDE HOSPITAL*XX*{_NPI}~LX*1~{''.join(parts)}{carried}")
    return sets


def _person(inquiry: Inquiry) -> tuple[str, str]:
    cover = inquiry.cover
    payer = f"{cover.payer_name}*****PI*{cover.payer_code}"
    return payer, f"NM1*IL*1*{cover.who.family.upper()}*{cover.who.given.upper()}****MI*{cover.member}~"


def _inquiry_text(inquiry: Inquiry) -> tuple[str, str]:
    payer, person = _person(inquiry)
    who = inquiry.cover.who
    return payer, (f"TRN*1*{inquiry.trace}*9{_SENDER}~{person}DMG*D8*{who.birth_date.replace('-', '')}*{who.sex}~"
                   f"DTP*291*D8*{hl7_day[inquiry.service_day]}~EQ*30~")


def _answer_text(inquiry: Inquiry) -> tuple[str, str]:
    payer, person = _person(inquiry)
    said = f"EB*{inquiry.code}**30**GOLD PLAN~EB*C*IND*30***29*500~" if inquiry.code else "AAA*N**75*C~"
    return payer, f"TRN*2*{inquiry.trace}*9{_SENDER}~{person}DTP*291*D8*{hl7_day[inquiry.service_day]}~{said}"
