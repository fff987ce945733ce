"""The HL7 v2 decoder: what becomes of messages, by the rules of HL7 v2.5.1 chapter 2 and the project's choices."""

from __future__ import annotations

import pytest

from tests.unit.decoding import Outcome, decode, facility

MSH = "MSH|^~\\&|ADT|NGH|LAKE|HUB|20240510100000-0400||ADT^A04|C1|P|2.5.1"
PID = "PID|1||M1^^^NGH^MR||ALDER^ROWAN||19800214|F"


def run(*segments: str, end: str = "\r", charset: str = "utf-8", registered: str = "windows-1252") -> Outcome:
    """Decode segments joined and ended by `end`."""
    return run_bytes((end.join(segments) + end).encode(charset), registered)


def run_bytes(payload: bytes, registered: str = "windows-1252") -> Outcome:
    """Decode bytes; both counts of units must agree."""
    outcome = decode(facility(charset=registered), "hl7v2", payload)
    assert outcome.received == len(outcome.units)
    return outcome


def values(outcome: Outcome, segment: str, row: int = 0) -> dict[str, str]:
    """Value columns of a segment's row, whole fields as sent left out."""
    found = outcome.rows(f"raw_hl7v2__{segment}")[row]
    return {name: value for name, value in found.items() if name.startswith(f"{segment}_") and name.count("_") > 1}


def test_delimiters_are_those_of_the_message() -> None:
    """MSH-1 and MSH-2 name the delimiters; the usual ones are then plain data."""
    outcome = run("MSH#*!?%#ADT#NGH#LAKE#HUB#20240510##ADT*A04#C1#P#2.5.1", "PID#1##M1***NGH*MR!77-1##O?T?NEIL&SONS*ROWAN|JR")
    assert values(outcome, "pid") == {
        "pid_1_1": "1", "pid_3_1": "M1", "pid_3_4": "NGH", "pid_3_5": "MR", "pid_5_1": "O%NEIL&SONS", "pid_5_2": "ROWAN|JR",
    }  # fmt: skip
    assert outcome.units[0]["record_type"] == "ADT^A04"
    assert outcome.rows("raw_hl7v2__segment")[1]["delimiters"] == "#*!?%"
    msh = outcome.rows("raw_hl7v2__msh")[0]
    assert (msh["msh_1"], msh["msh_2"]) == ("#", "*!?%")


@pytest.mark.parametrize(
    ("msh_9", "record_type"), [("ORU^R01^ORU_R01", "ORU^R01"), ("ACK", "ACK"), ("", "unknown"), ("Rowan Alder", "unknown")]
)
def test_record_type_is_a_code_or_unknown(msh_9: str, record_type: str) -> None:
    """The ledger shows message code and event; text that is no code is not repeated there."""
    assert run(MSH.replace("ADT^A04", msh_9), PID).units[0]["record_type"] == record_type


def test_a_truncation_character_is_legal() -> None:
    """A fifth character in MSH-2 (v2.7) parses, and is plain data in a value."""
    outcome = run(MSH.replace("~\\&", "~\\&#"), "PID|1||M1||FIR#TREE^ROWAN\\P\\")
    assert values(outcome, "pid")["pid_5_1"] == "FIR#TREE"
    assert values(outcome, "pid")["pid_5_2"] == "ROWAN#"


def test_escapes_are_resolved_after_splitting_once() -> None:
    """Delimiters, line breaks and hexadecimal bytes are resolved left to right; the result is not looked at again."""
    text = "a\\.br\\b \\T\\ c\\X0D0A\\d \\S\\ \\F\\ \\R\\ \\E\\ \\E\\T\\E\\ \\H\\bold\\N\\ \\XC3\\\\X9F\\"
    outcome = run(MSH + "||||||UNICODE UTF-8", f"OBX|1|TX|C||{text}")
    assert values(outcome, "obx")["obx_5_1"] == "a\nb & c\r\nd ^ | ~ \\ \\T\\ bold ß"
    assert outcome.flags() == [None]


@pytest.mark.parametrize("escape", ["\\Zxx\\", "\\.sp3\\", "\\C2842\\", "\\XFF\\", "\\Q\\"])
def test_unknown_escapes_stay_verbatim_with_a_flag(escape: str) -> None:
    """What has no general meaning, or is no text in the message's character set, is kept as sent and flagged."""
    outcome = run(MSH, f"OBX|1|ST|C||x {escape} y", registered="utf-8")
    assert values(outcome, "obx")["obx_5_1"] == f"x {escape} y"
    assert outcome.flags() == ["hl7.unknown_escape"]


@pytest.mark.parametrize("declared", ["", "UNICODE UTF-8"])
def test_hexadecimal_bytes_are_read_as_the_facility_writes_where_msh_18_does_not_fit(declared: str) -> None:
    """Bytes in escape sequences are bytes of the message: what is no character of MSH-18 is one of the facility's, flagged."""
    outcome = run(f"{MSH}||||||{declared}", "OBX|1|TX|C||Ni\\XF1\\o", "OBX|2|TX|C||\\X41\\")
    assert [row["obx_5_1"] for row in outcome.rows("raw_hl7v2__obx")] == ["Niño", "A"]
    assert outcome.flags() == ["hl7.charset_mismatch"]


def test_empty_null_and_whole_fields_differ() -> None:
    """An empty field is null, two quotes stay two quotes, the whole field tells absent from valued."""
    row = run(MSH, 'PID|1||M1~M2||A^^C||""|"" |^').rows("raw_hl7v2__pid")[0]
    assert row["pid_3"] == "M1~M2"
    assert row["pid_5"] == "A^^C"
    assert row["pid_7_1"] == '""'
    assert (row["pid_8"], row["pid_8_1"]) == ('"" ', '"" ')
    assert row["pid_9"] == "^"
    assert {"pid_2", "pid_5_2", "pid_9_1", "pid_11"}.isdisjoint(row)


def test_divided_components_show_their_parts() -> None:
    """A divided component is kept as sent with its subcomponents beside it; an undivided one has none."""
    row = values(run(MSH, "PID|1||M1^^^A&1.2&ISO||van der Berg&van der&Berg&&^AN\\T\\NA"), "pid")
    assert row["pid_5_1"] == "van der Berg&van der&Berg&&"
    assert (row["pid_5_1_1"], row["pid_5_1_2"], row["pid_5_1_3"]) == ("van der Berg", "van der", "Berg")
    assert (row["pid_3_4_1"], row["pid_3_4_2"], row["pid_3_4_3"]) == ("A", "1.2", "ISO")
    assert row["pid_5_2"] == "AN&NA"
    assert "pid_5_2_1" not in row


def test_repetitions_are_rows_with_ordinals() -> None:
    """Every repetition of a repeatable field is a row, an empty one too."""
    outcome = run(MSH, "PID|1||1^^^STATE&2.9&ISO^SS~2^^^NGH^MR", "OBX|1|TX|C||first~~\\F\\third")
    rows = [row for row in outcome.rows("raw_hl7v2__repetition") if row["field"] != "pid_5"]
    assert [(row["record_locator"], row["repetition"], row.get("c1"), row.get("c5")) for row in rows] == [
        ("message/1/segment/2/pid_3/1", 1, "1", "SS"),
        ("message/1/segment/2/pid_3/2", 2, "2", "MR"),
        ("message/1/segment/3/obx_5/1", 1, "first", None),
        ("message/1/segment/3/obx_5/2", 2, None, None),
        ("message/1/segment/3/obx_5/3", 3, "|third", None),
    ]
    assert (rows[0]["c4"], rows[0]["c4_1"], rows[0]["c4_2"], rows[0]["c4_3"]) == ("STATE&2.9&ISO", "STATE", "2.9", "ISO")


def test_groups_tell_which_order_patient_and_segment_a_row_belongs_to() -> None:
    """An order group begins at an ORC, or at an OBR whose group has one; notes name the segment that they annotate."""
    outcome = run(MSH, "PID|1", "NTE|1", "ORC|RE", "OBR|1", "OBX|1", "NTE|1", "NTE|2", "OBR|2", "OBX|1", "PID|2", "ORC|RE", "OBR|1")
    assert [row["order_group"] for row in outcome.rows("raw_hl7v2__obr")] == [1, 2, 3]
    assert [row["order_group"] for row in outcome.rows("raw_hl7v2__obx")] == [1, 2]
    assert [row["patient_group"] for row in outcome.rows("raw_hl7v2__orc")] == [1, 2]
    assert [(row["parent_segment_name"], row["parent_segment_ordinal"]) for row in outcome.rows("raw_hl7v2__nte")] == [
        ("PID", 2), ("OBX", 6), ("OBX", 6),
    ]  # fmt: skip


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\r\n", "\n\n"])
def test_line_ends_do_not_change_a_message(end: str) -> None:
    """CR, LF, CRLF and empty lines give the same content, kept apart in the terminators."""
    outcome, usual = run(MSH, PID, end=end), run(MSH, PID)
    assert outcome.units == usual.units
    assert {row["terminator"] for row in outcome.rows("raw_hl7v2__segment")} == {end}


def test_content_is_what_is_sent_and_not_the_sending() -> None:
    """MSH-7, MSH-10 and the choice of delimiters are no content; any other field is."""
    first = run(MSH, PID).units[0]["content_hash"]
    resent = MSH.replace("20240510100000-0400", "20250101").replace("|C1|", "|C2|")
    assert run(resent, PID).units[0]["content_hash"] == first
    other = [text.replace("|", "#").replace("^", "*") for text in (MSH, PID)]
    assert run(*other).units[0]["content_hash"] == first
    assert run(MSH + "||^", PID.replace("^MR|", "^MR^^|") + "||", "NTE|1||").units[0]["content_hash"] == run(MSH, PID, "NTE|1").units[0]["content_hash"]
    assert run(MSH, PID + "|x").units[0]["content_hash"] != first
    plain_marks = PID.replace("|", "#").replace("ALDER^", "AL|DER*").replace("^", "*")
    assert run(other[0], plain_marks).units[0]["content_hash"] != run(MSH, PID.replace("ALDER", "AL^DER")).units[0]["content_hash"]


@pytest.mark.parametrize(
    ("declared", "text", "charset"),
    [("", "ALDER", "ascii"), ("8859/1", "MUÑOZ", "latin-1"), ("UNICODE UTF-8", "山田", "utf-8"), ("8859/15", "€", "iso8859-15")],
)
def test_msh_18_names_the_character_set(declared: str, text: str, charset: str) -> None:
    """Bytes are read in the character set of MSH-18 (table 0211); without one they are ASCII."""
    outcome = run(f"{MSH}||||||{declared}", f"PID|1||M1||{text}", charset=charset)
    assert values(outcome, "pid")["pid_5_1"] == text
    assert outcome.flags() == [None]


@pytest.mark.parametrize("declared", ["UNICODE UTF-8", "", "KLINGON"])
def test_bytes_that_do_not_fit_are_read_as_the_facility_writes(declared: str) -> None:
    """Where MSH-18 is wrong, missing or unknown, the facility's character set counts, with a flag."""
    outcome = run(f"{MSH}||||||{declared}", "PID|1||M1||MUÑOZ", charset="windows-1252")
    assert values(outcome, "pid")["pid_5_1"] == "MUÑOZ"
    assert outcome.flags() == ["hl7.charset_mismatch"]


def test_bytes_that_fit_nothing_hold_their_message_alone() -> None:
    """A message that neither character set decodes is rejected without text; its neighbour passes."""
    outcome = run_bytes(f"{MSH}\rPID|1||M1||".encode() + b"\xd1\r" + f"{MSH}\r{PID}\r".encode(), registered="utf-8")
    assert outcome.codes() == ["hl7.charset_undecodable", None]
    assert {row["unit_ordinal"] for row in outcome.rows("raw_hl7v2__segment")} == {2}


def test_a_byte_order_mark_is_no_data() -> None:
    """A UTF-8 byte order mark before MSH is dropped without a flag."""
    assert run_bytes(b"\xef\xbb\xbf" + f"{MSH}\r{PID}\r".encode()).units == run(MSH, PID).units


@pytest.mark.parametrize(
    ("tail", "code"),
    [
        ("OB", "hl7.truncated_message"),
        ("OBX|1|TX|C||see \\.b", "hl7.truncated_message"),
        ("OBX|1|TX|C||see \\.br\\", None),
        ("OBX|1|NM|C||95", None),
        ("OB\r", None),
    ],
)
def test_a_message_cut_inside_a_segment_is_held(tail: str, code: str | None) -> None:
    """Cut means: the payload's last segment has no terminator and ends in its name or in an escape sequence."""
    outcome = run_bytes(f"{MSH}\r{PID}\r{tail}".encode())
    assert outcome.codes() == [code]
    assert outcome.units[0]["reject_path"] == ("message/1/segment/3" if code else None)
    assert len(outcome.rows("raw_hl7v2__segment")) == 3
    assert len(outcome.rows("raw_hl7v2__pid")) == (0 if code else 1)


@pytest.mark.parametrize(
    ("payload", "kinds", "codes"),
    [
        (b"", ["payload"], ["payload.empty"]),
        (b"\x00\xff garbage", ["payload"], ["payload.unrecognised_format"]),
        (b"EVN|A04|2024\rPID|1||M1\r", ["hl7.message"], ["hl7.missing_msh"]),
        (b"PID|1\rMSH|^~\\&|A||||||ADT^A04\r", ["hl7.message"] * 2, ["hl7.missing_msh", None]),
        (b"MSH|||||\rPID|1\r", ["hl7.message"], ["hl7.missing_msh"]),
        (b"MSH\rPID|1\r", ["hl7.message"], ["hl7.missing_msh"]),
    ],
)
def test_what_is_no_message_is_one_unit(payload: bytes, kinds: list[str], codes: list[str | None]) -> None:
    """Empty and foreign payloads are units themselves; segments without a usable MSH are one held message."""
    outcome = run_bytes(payload)
    assert [unit["unit_kind"] for unit in outcome.units] == kinds
    assert outcome.codes() == codes


@pytest.mark.parametrize(
    ("wrappers", "flagged"),
    [
        (("BHS|^~\\&", "BTS|2", "FTS|1"), False),
        (("BHS|^~\\&", "BTS|3", "FTS|1"), True),
        (("BHS|^~\\&", "BTS", "FTS"), False),
        (("BHS|^~\\&", "BTS|2", "FTS|4"), True),
        (("BHS|^~\\&", "BTS|two", "FTS|1"), True),
    ],
)
def test_wrappers_are_no_messages_but_their_counts_are_checked(wrappers: tuple[str, str, str], flagged: bool) -> None:
    """BTS-1 counts messages and FTS-1 batches; where either differs the messages are flagged. Wrappers stay in raw."""
    header, batch_end, file_end = wrappers
    outcome = run("FHS|^~\\&", header, MSH, PID, MSH, PID, batch_end, file_end)
    assert outcome.flags() == ["hl7.batch_count_mismatch" if flagged else None] * 2
    own = [row["segment_text"] for row in outcome.rows("raw_hl7v2__segment") if row["unit_ordinal"] == 0]
    assert own == ["FHS|^~\\&", header, batch_end, file_end]


def test_z_segments_stay_in_raw_with_a_flag() -> None:
    """A local segment is kept as sent and its message flagged."""
    outcome = run(MSH, PID, "ZPI|1|GOLD^Tier 3~SILVER")
    assert outcome.flags() == ["hl7.unregistered_z_segment"]
    assert outcome.rows("raw_hl7v2__segment")[2]["segment_text"] == "ZPI|1|GOLD^Tier 3~SILVER"


def test_a_line_that_is_no_segment_is_kept_without_a_name() -> None:
    """A stray line inside a message is raw text without a segment name."""
    rows = run(MSH, PID, "continued text").rows("raw_hl7v2__segment")
    assert "segment_name" not in rows[2]
    assert rows[2]["segment_text"] == "continued text"


def test_a_large_value_is_kept_whole() -> None:
    """Ten MiB in one field are neither cut nor held."""
    outcome = run(MSH, "OBX|1|TX|C||" + "A" * 10485760 + "||||||F")
    assert len(values(outcome, "obx")["obx_5_1"]) == 10485760


def test_blocks_of_a_socket_are_no_content() -> None:
    """MLLP marks (VT before a message, FS and CR behind) end a segment: each block is a message, none is cut, the last segment ends clean."""
    message = "\r".join([MSH, PID]).encode()
    outcome = run_bytes(b"".join(b"\x0b" + message.replace(b"C1", name) + end + b"\x1c\r" for name, end in ((b"C1", b"\r"), (b"C2", b""))))
    assert outcome.codes() == [None, None]
    assert [row["pid_8_1"] for row in outcome.rows("raw_hl7v2__pid")] == ["F", "F"]
    assert outcome.units[0]["content_hash"] == run(MSH, PID).units[0]["content_hash"]


def test_a_capture_may_begin_or_end_within_a_block() -> None:
    """The first VT or the last FS is missing: the messages are told apart all the same, and a VT within a text is data."""
    first, second = ("\r".join([MSH.replace("C1", name), PID, "OBX|1|TX|C||a\x0bb\x1cc"]).encode() for name in ("C1", "C2"))
    outcome = run_bytes(first + b"\r\x1c\r\x0b" + second + b"\x1c")
    assert outcome.codes() == [None, None]
    assert [row["obx_5_1"] for row in outcome.rows("raw_hl7v2__obx")] == ["a\x0bb\x1cc"] * 2
    assert outcome.units[0]["content_hash"] == outcome.units[1]["content_hash"]
