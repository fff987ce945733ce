"""X12: units by transaction set, refused at the smallest level that can be judged, and nothing of the bytes lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.decoding import Outcome, decode, facility
from tests.unit.x12_text import HEADER, PARTNERS, claim, group, interchange, isa, simple, text, transaction

CORPORA = Path(os.environ.get("LAKEHOUSE_CORPORA_DIR", Path(__file__).parents[2].parent / "shared" / "corpora"))
CLAIMS = transaction("837", [*HEADER, *claim("C1"), *claim("C2")])
OTHER = transaction("837", [*HEADER, *claim("C3")], number="0002")
VERSION = "005010X222A1"
MARK = st.characters(codec="utf-8", exclude_characters="*^:~\r\n|!<", exclude_categories=["Cs", "Cc", "Zs"])
VALUE = st.text(MARK, max_size=5)
SEGMENT = st.tuples(st.sampled_from(["NM1", "REF", "CLM", "CLP", "LX", "HL", "ST", "SE", "GS", "GE", "PLB", "Z1"]), st.lists(VALUE, max_size=6))


def x12(payload: bytes) -> Outcome:
    """Decode a payload of the facility's clearing house."""
    outcome = decode(facility(PARTNERS), "x12", payload)
    assert outcome.received == len(outcome.units), "the independent count agrees"
    return outcome


def rebuilt(outcome: Outcome) -> bytes:
    """The payload out of raw_x12__segment alone."""
    content, delimiters, charset = b"", "*^:~", "utf-8"
    for row in sorted(outcome.rows("raw_x12__segment"), key=lambda row: int(row["segment_ordinal"])):
        delimiters, charset = row.get("delimiters", delimiters), row.get("charset", charset)
        sent = delimiters[:1].join([row["segment_id"], *row["elements"]]) if row["segment_ordinal"] else ""
        content += (sent + row.get("terminator", delimiters[3:])).encode(charset)
    return content


@settings(max_examples=60, deadline=None)
@given(st.lists(SEGMENT, max_size=8), st.sampled_from(["~", "~\r\n", "~\n", "\n", "\r\n"]), st.sampled_from(["*^:", "|!<"]), st.booleans(),
       st.sampled_from([b"", b"\xef\xbb\xbf", b"\r\n"]), st.sampled_from(["utf-8", "windows-1252"]))
def test_raw_rebuilds_the_payload(segments: list[tuple[str, list[str]]], end: str, marks: str, closed: bool, before: bytes, charset: str) -> None:
    """Whatever stands between ISA and IEA, with any delimiters and line ends: the rows are the payload, byte for byte."""
    lines = [isa(), *("*".join([name, *values]) for name, values in segments), *(["IEA*1*000000001"] if closed else [])]
    sent = "".join(line.translate(str.maketrans("*^:", marks)) + end for line in lines)
    payload = before + sent.encode(charset, "ignore")
    assert rebuilt(x12(payload)) == payload


def test_bytes_that_no_character_set_knows_are_kept() -> None:
    """A byte that is neither UTF-8 nor windows-1252 comes back as it was."""
    payload = simple("837", [*HEADER, *claim("C1")]).replace(b"ALDER", b"AL\x81\xffER")
    assert rebuilt(x12(payload)) == payload


def test_a_claim_is_a_unit_of_an_837_and_a_claim_payment_of_an_835() -> None:
    """CLM and CLP count; a set without any, and a 270, are one unit each."""
    payments = ["BPR*I*5*C", "TRN*1*T1*9", "CLP*C1*1*5*5", "CLP*C2*1*0*0"]
    kinds = {kind: [unit["unit_kind"] for unit in x12(simple(kind, segments)).units] for kind, segments in {
        "837": [*HEADER, *claim("C1"), *claim("C2")], "835": payments, "270": ["HL*1**20*1"], "271": []}.items()}
    assert kinds == {"837": ["x12.claim"] * 2, "835": ["x12.claim_payment"] * 2, "270": ["x12.transaction_set"], "271": ["x12.transaction_set"]}
    assert [u["unit_kind"] for u in x12(simple("835", ["BPR*I*5*C", "TRN*1*T1*9", "PLB*1*20241231*WO*-5"])).units] == ["x12.transaction_set"]


@pytest.mark.parametrize(("change", "codes"), [
    (lambda segments: segments[:-1], ["x12.missing_trailer"] * 3),
    (lambda segments: [*segments[:-1], "IEA*1*000000009"], ["x12.missing_trailer"] * 3),
    (lambda segments: [*segments[:-1], "IEA*2*000000001"], ["x12.segment_count_mismatch"] * 3),
    (lambda segments: [s for s in segments if not s.startswith("GE*")], ["x12.missing_trailer"] * 3),
    (lambda segments: [s for s in segments if s != CLAIMS[-1]], ["x12.missing_trailer"] * 2 + [None]),
    (lambda segments: [s if s != CLAIMS[-1] else "SE*99*0001" for s in segments], ["x12.segment_count_mismatch"] * 2 + [None]),
    (lambda segments: [s if s != CLAIMS[-1] else CLAIMS[-1].replace("0001", "0009") for s in segments], ["x12.missing_trailer"] * 2 + [None]),
    (lambda segments: [s if s != CLAIMS[-1] else s.replace("0001", "\x1f0001") for s in segments], ["x12.missing_trailer"] * 2 + [None]),
    (lambda segments: [s if s != CLAIMS[-1] else s.replace("0001", "0001 ") for s in segments], [None] * 3),
    (lambda segments: [s for s in segments if not s.startswith("CLM")], ["x12.segment_count_mismatch"] * 2),
    (lambda segments: [s.replace(f"X*{VERSION}", "X*004010X098A1") for s in segments], ["x12.unsupported_version"] * 3),
    (lambda segments: [s.replace("PAYER ", "OTHER ") for s in segments], ["x12.unsupported_version"] * 3),
])
def test_what_fails_holds_what_shares_the_doubt(change, codes: list[str | None]) -> None:  # type: ignore[no-untyped-def]
    """An interchange or group takes all its units along, a transaction set only its own (TA1, 999 AK9 and IK5)."""
    assert x12(text(change(interchange([group([CLAIMS, OTHER], VERSION)])))).codes() == codes


def test_a_broken_interchange_leaves_the_next_one_good() -> None:
    """Two interchanges in a file: the one that is cut is held, the other not; what follows and is none is one unit."""
    good, cut = text(interchange([group([OTHER], VERSION)], control="000000002")), text(interchange([group([CLAIMS], VERSION)])[:-2])
    assert x12(cut + b"\r\n" + good).codes() == ["x12.missing_trailer"] * 2 + [None]
    assert x12(good + b"ISA*short~").codes() == [None, "x12.malformed_isa"]
    assert x12(good + b"what?").codes() == [None, "payload.unrecognised_format"]


def test_a_file_without_the_last_terminator_is_whole() -> None:
    """The IEA ends the interchange though no terminator follows it."""
    assert x12(text(interchange([group([CLAIMS], VERSION)]))[:-1]).codes() == [None, None]


@pytest.mark.parametrize(("payload", "code"), [
    (b"", "payload.empty"), (b"hello", "payload.unrecognised_format"), (b"ISA*00*  *00~GS*HC~", "x12.malformed_isa"),
    (isa().encode(), "x12.malformed_isa"), (isa().encode() + b"~", "x12.missing_trailer"),
])
def test_what_cannot_be_cut_is_one_payload(payload: bytes, code: str) -> None:
    """An empty, foreign, or broken file is one unit."""
    assert [(unit["unit_kind"], unit["reject_code"]) for unit in x12(payload).units] == [("payload", code)]


def test_content_is_what_the_claim_says_not_how_it_travels() -> None:
    """Another envelope, BHT, delimiters or line ends make no other content; another subscriber, frequency or refusal does."""
    base = simple("837", [*HEADER, *claim("C1")])
    marks = bytes.maketrans(b"*^:~", b"|!<\n")

    def hashed(payload: bytes) -> str:
        return str(x12(payload).units[0]["content_hash"])

    same = [base.translate(marks), base.replace(b"~", b"\0"), base.replace(b"~", b"~\r\n"), base.replace(b"20240501*1200*CH", b"20240601*0900*CH"),
            base.replace(b"000000001", b"000000007"), base.replace(b"HL*2*1", b"HL*7*1")]
    other = [base.replace(b"MB1", b"MB2"), base.replace(b"11:B:1", b"11:B:8"), base.replace(b"1234567893", b"1234567894"), base.replace(b"SE*", b"SE*9"),
             base.replace(b"ROWAN", b"RO^WAN")]
    assert {hashed(one) for one in same} == {hashed(base)}
    assert len({hashed(one) for one in [base, *other]}) == len(other) + 1


def test_a_claim_knows_the_loops_above_it() -> None:
    """Provider, subscriber and patient of a claim are the nearest levels before it; a new subscriber ends the patient."""
    dependent = ["HL*3*2*23*0", "NM1*QC*1*ALDER*KIM"]
    second = ["HL*4*1*22*0", "NM1*IL*1*FIR*LEE****MI*MB2"]
    units = x12(simple("837", [*HEADER, *dependent, *claim("C1"), *second, *claim("C2")])).rows("raw_x12__unit")
    assert [(u.get("provider_loop"), u.get("subscriber_loop"), u.get("patient_loop")) for u in units] == [(5, 7, 11), (5, 18, None)]


def test_files_of_the_open_corpora_are_kept_byte_for_byte() -> None:
    """Real files of two projects: every interchange is rebuilt, and counted alike by both counts."""
    files = [*CORPORA.glob("linuxforhealth-x12/**/*.[0-9]*"), *CORPORA.glob("pyx12/**/*.txt")]
    if not files:
        pytest.skip(f"no corpora at {CORPORA}; LAKEHOUSE_CORPORA_DIR names them")
    for file in files:
        outcome = x12(file.read_bytes())
        if not any(unit["unit_kind"] == "payload" for unit in outcome.units):
            assert rebuilt(outcome) == file.read_bytes(), file.name
