"""Nothing of an HL7 v2 payload is lost: raw rebuilds it byte for byte, and columns agree with a split by hand."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.unit.decoding import Outcome, decode, facility
from transforms.decode.hl7v2.segments import SEGMENTS

# FS at the end of a line is the transport's (MLLP), no part of a message
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="|^~\\&\r\n\x1c", exclude_categories=["Cs"]), max_size=6)
FIELD = st.lists(st.lists(TEXT, min_size=1, max_size=4).map("^".join), min_size=1, max_size=3).map("~".join)
SEGMENT = st.tuples(st.sampled_from([*sorted(set(SEGMENTS) - {"MSH"}), "ZZ9", "ZPI"]), st.lists(FIELD, max_size=30))
END = st.sampled_from(["\r", "\n", "\r\n", "\r\n\r\n"])
MSH = "MSH|^~\\&|A|B|C|D|2024||ORU^R01|1|P|2.5.1||||||UNICODE UTF-8"


@st.composite
def payloads(draw: st.DrawFn) -> str:
    """Text of a payload with one to four messages, any of their line ends."""
    text = ""
    for _ in range(draw(st.integers(1, 4))):
        text += MSH + draw(END)
        for name, fields in draw(st.lists(SEGMENT, max_size=5)):
            text += "|".join([name, *fields]) + draw(END)
    return text


def rebuilt(outcome: Outcome) -> bytes:
    """The payload out of raw_hl7v2__segment alone."""
    rows = sorted(outcome.rows("raw_hl7v2__segment"), key=lambda row: (row["unit_ordinal"], row["segment_ordinal"]))
    return "".join(row["segment_text"] + row["terminator"] for row in rows).encode("utf-8")


@settings(max_examples=25, deadline=None)
@given(payloads())
@example(MSH + "|||\rPID|1||^^^|\nZZ9|\r\rOBX||~|\r\n")  # separators at an end, which a decoder may take for nothing
def test_raw_rebuilds_the_payload(text: str) -> None:
    """Segments with their terminators are the payload, byte for byte, but for the marks of a transport."""
    assert rebuilt(decode(facility(), "hl7v2", text.encode())) == text.encode()


@settings(max_examples=25, deadline=None)
@given(st.lists(SEGMENT.filter(lambda segment: segment[0] in SEGMENTS), max_size=6))
def test_columns_are_what_a_split_by_hand_gives(segments: list[tuple[str, list[str]]]) -> None:
    """Each component column holds the component of the first repetition of its field, null where it is empty."""
    lines = ["|".join([name, *fields]) for name, fields in segments]
    outcome = decode(facility(), "hl7v2", ("\r".join([MSH, *lines]) + "\r").encode())
    for ordinal, (name, fields) in enumerate(segments, 2):
        row = next(r for r in outcome.rows(f"raw_hl7v2__{name.lower()}") if r["segment_ordinal"] == ordinal)
        for number, spec in SEGMENTS[name].items():
            field = fields[number - 1] if number <= len(fields) else ""
            components = field.split("~")[0].split("^")
            for component in range(1, spec.components + 1):
                expected = components[component - 1] if component <= len(components) else ""
                assert row.get(f"{name.lower()}_{number}_{component}", "") == expected


@settings(max_examples=40, deadline=None)
@given(FIELD.filter(bool), st.sampled_from(["PID-3", "PID-5", "PID-11", "OBX-5", "MRG-1"]))
def test_repetition_rows_rebuild_their_field(field: str, place: str) -> None:
    """The repetitions' components, joined again, are the field."""
    name, number = place.split("-")
    text = f"{MSH}\r{name}{'|' * int(number)}{field}\r"
    column = f"{name.lower()}_{number}"
    rows = decode(facility(), "hl7v2", text.encode()).rows("raw_hl7v2__repetition")
    rows = sorted((row for row in rows if row["field"] == column), key=lambda row: int(row["repetition"]))
    joined = ["^".join(row.get(f"c{k}", "") for k in range(1, 13)).rstrip("^") for row in rows]
    assert joined == [repetition.rstrip("^") for repetition in field.split("~")]
