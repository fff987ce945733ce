"""The extract decoder: CSV and DMS files become rows of cells, or are held by row or whole."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.decoding import Outcome, decode, facility, parquet

CSV = """
feed: {kind: csv_extract, resource: patient, key: [MRN], encoding: utf-8, columns: {MRN: {}, Name: {}, Phone: {}}}
"""
TRAILER = CSV.replace("key:", "trailer: {prefix: TRL, row_count_field: 2}, key:")
DMS = """
feed: {kind: dms_s3_csv, table: dbo.Patient, op_column: Op, sequence_column: SEQ, header: true, before_image_prefix: BI_}
tables: {dbo.Patient: {resource: patient, primary_key: [ID], columns: {ID: {type: int}, Name: {type: varchar(50)}}}}
"""


def run(payload: str | bytes, feed: str = CSV) -> Outcome:
    """Decode a payload; both counts of units must agree."""
    outcome = decode(facility(feed), "feed", payload if isinstance(payload, bytes) else payload.encode())
    assert outcome.received == len(outcome.units)
    return outcome


def cells(outcome: Outcome) -> list[list[str]]:
    """Cells of the rows in order."""
    rows = sorted(outcome.rows("raw_extract__row"), key=lambda row: int(row["row_number"]))
    return [row["cells"] for row in rows]


def test_a_row_is_not_a_line() -> None:
    """RFC 4180: quoted line ends, delimiters and doubled quotes are data; a byte order mark is none."""
    outcome = run('\ufeffMRN,Name,Phone\r\n1,"a\r\nb, ""c""",\r\n\r\n2,x"y,"z"')
    assert cells(outcome) == [["1", 'a\r\nb, "c"', ""], ["2", 'x"y', "z"]]
    assert [row["column_name"] for row in outcome.rows("raw_extract__column")] == ["MRN", "Name", "Phone"]
    assert [unit["unit_locator"] for unit in outcome.units] == ["row/1", "row/2"]
    assert {unit["record_type"] for unit in outcome.units} == {"feed"}


def test_ragged_rows_are_held_singly() -> None:
    """Too few or too many cells hold that row; the others keep their row numbers."""
    outcome = run("MRN,Name,Phone\n1,a,b\n2,a\n3,a,b,c\n4,a,b\n")
    assert outcome.codes() == [None, "csv.ragged_row", "csv.ragged_row", None]
    assert [unit["reject_path"] for unit in outcome.units] == [None, "row/2", "row/3", None]
    assert [row["row_number"] for row in outcome.rows("raw_extract__row")] == [1, 4]


@pytest.mark.parametrize(
    ("tail", "codes"),
    [
        ('2,"a,b\n3,a,b\n', [None, "csv.unterminated_quote"]),
        ('2,a,"b\n3,a,b', [None, "csv.unterminated_quote"]),
        ('2,5"x,"b\n3,a,b\n', [None, "csv.unterminated_quote"]),
        ('2,5"x,b\n3,a,b\n', [None, None, None]),
        ('2,a,"b"', [None, None]),
        ('"', [None, "csv.unterminated_quote"]),
    ],
)
def test_an_open_quote_holds_the_rest_of_the_file(tail: str, codes: list[str | None]) -> None:
    """Rows before it are good; the rest is one unit. A quote inside an unquoted cell opens nothing."""
    assert run("MRN,Name,Phone\n1,a,b\n" + tail).codes() == codes


@pytest.mark.parametrize(
    ("text", "feed", "code", "path", "units"),
    [
        ("MRN;Name;Phone\n1;a;b\n2;a;b\n", CSV, "csv.delimiter_mismatch", "header", 2),
        ("MRN,Name,Name\n1,a,b\n", CSV, "csv.duplicate_header", "header", 1),
        ("MRN,Name,Phone\n1,a,b\n2\nTRL,3\n", TRAILER, "csv.control_total_mismatch", "trailer", 2),
        ("MRN,Name,Phone\n1,a,b\n", TRAILER, "csv.control_total_mismatch", "trailer", 1),
        ("MRN,Name,Phone\n1,a,b\nTRL,one,x\n", TRAILER, "csv.control_total_mismatch", "trailer", 1),
        ("MRN,Name,Phone\nTRL,3\n", TRAILER, "csv.control_total_mismatch", "payload", 1),
        ("", CSV, "payload.empty", "payload", 1),
        ("\n \n", CSV, "payload.unrecognised_format", "payload", 1),
        ("MRN;Name;Phone\n", CSV, "csv.delimiter_mismatch", "payload", 1),
        ("MRN,Name,Name\n", CSV, "csv.duplicate_header", "payload", 1),
        ("X,Y,Z\n1,a,b\n", CSV, "payload.unrecognised_format", "payload", 1),
        ("PK\x03\x04\n1\n", CSV, "payload.unrecognised_format", "payload", 1),
    ],
)
def test_a_file_that_breaks_its_promise_is_held_whole(text: str, feed: str, code: str, path: str, units: int) -> None:
    """Wrong delimiter, repeated names, a missing or wrong trailer: every row is held with the file's code."""
    outcome = run(text, feed)
    assert outcome.codes() == [code] * units
    assert {unit["reject_path"] for unit in outcome.units} == {path}
    assert outcome.rows("raw_extract__row") == []


@pytest.mark.parametrize(("tail", "units"), [("1,a,b\n2,a,b\nTRL,2\n", 2), ("1,a,b\n2,a,b\nTRL,2,\n", 2), ("TRL,0", 0)])
def test_a_right_trailer_is_no_row(tail: str, units: int) -> None:
    """The last record that begins with the prefix counts the rows and is none itself."""
    assert run("MRN,Name,Phone\n" + tail, TRAILER).codes() == [None] * units


def test_a_header_alone_is_a_file_without_rows() -> None:
    """No unit, but the columns are there."""
    outcome = run("MRN,Name,Phone\n")
    assert (outcome.units, len(outcome.rows("raw_extract__column"))) == ([], 3)


def test_the_registered_encoding_counts() -> None:
    """Latin-1 bytes are read as Latin-1 where registered; where they do not fit, their row alone is held."""
    payload = "MRN,Name,Phone\n1,MUÑOZ,b\n2,a,b\n3,Ñ\n".encode("latin-1")
    assert cells(run(payload, CSV.replace("utf-8", "iso-8859-1")))[0] == ["1", "MUÑOZ", "b"]
    outcome = run(payload)
    assert outcome.codes() == ["payload.unrecognised_format", None, "payload.unrecognised_format"]
    assert cells(outcome) == [["2", "a", "b"]]


@pytest.mark.parametrize("payload", [b"MRN,Name,\xd1\n1,a,b\n", "MRN,Name,Phone\n1,\U0010ffd1,b\n".encode() + b"2,\xd1,b\n"])
def test_damage_that_cannot_be_told_apart_holds_the_payload(payload: bytes) -> None:
    """Unknown bytes in the header, or beside characters that stand for them, hold the payload."""
    assert run(payload).codes() == ["payload.unrecognised_format"]


def test_columns_are_bound_by_name_for_content_too() -> None:
    """The order of columns is no content; a value under another name is."""
    first = run("MRN,Name,Phone\n1,a,b\n").units[0]["content_hash"]
    assert run("Phone,MRN,Name\nb,1,a\n").units[0]["content_hash"] == first
    assert run("MRN,Name,Phone\n1,b,a\n").units[0]["content_hash"] != first
    assert run("MRN,Name,Phone,More\n1,a,b,\n").units[0]["content_hash"] != first


def test_marks_between_values_cannot_be_forged() -> None:
    """Cells that hold the mark between values do not make different rows equal."""
    texts = ["1,a\x1fb,c", "1,a,b\x1fc", "1,a\x1e1b,c", "1,a\x1e,b"]
    hashes = [unit["content_hash"] for unit in run("MRN,Name,Phone\n" + "\n".join(texts)).units]
    assert len(set(hashes)) == 4


def test_change_rows_carry_operation_and_sequence() -> None:
    """DMS rows have op and sequence beside all cells as sent; NULL and empty stay what they are."""
    outcome = run("Op,SEQ,ID,Name\nI,20240501100000000000000000000000001,1,NULL\nU,,2,\n", DMS)
    rows = outcome.rows("raw_extract__row")
    assert [(row["op"], row["sequence"], row["cells"][3]) for row in rows] == [
        ("I", "20240501100000000000000000000000001", "NULL"), ("U", "", ""),
    ]  # fmt: skip
    assert {(unit["unit_kind"], unit["record_type"]) for unit in outcome.units} == {("cdc.row", "dbo.Patient")}


def test_without_header_the_contract_names_the_columns() -> None:
    """DMS without header: op, sequence, then the contract's order; another width is held."""
    outcome = run('I,1,1,"O""NEIL, JR"\nI,2,2\n', DMS.replace("header: true", "header: false"))
    assert [row["column_name"] for row in outcome.rows("raw_extract__column")] == ["Op", "SEQ", "ID", "Name"]
    assert cells(outcome) == [["I", "1", "1", 'O"NEIL, JR']]
    assert outcome.codes() == [None, "csv.ragged_row"]


def test_content_of_a_change_is_the_row_and_whether_it_is_gone() -> None:
    """Sequence, before image and I against U are no content; a deletion is."""
    text = "Op,SEQ,ID,Name,BI_ID\nI,1,7,a,NULL\nU,2,7,a,7\nD,3,7,a,7\nU,4,7,b,7\n"
    hashes = [unit["content_hash"] for unit in run(text, DMS).units]
    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 3


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=6)


def written(cell: str, quoted: bool) -> str:
    """A cell by RFC 4180, quoted where it must be or always."""
    if quoted or any(mark in cell for mark in ',"\r\n'):
        return '"' + cell.replace('"', '""') + '"'
    return cell


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(CELL, min_size=3, max_size=3), max_size=6), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
def test_raw_rebuilds_every_cell(rows: list[list[str]], end: str, quoted: bool) -> None:
    """Each cell of a well-formed file comes back out of raw as it was written."""
    lines = [",".join(written(cell, quoted) for cell in row) for row in [["MRN", "Name", "Phone"], *rows]]
    outcome = run(end.join(lines) + end)
    assert cells(outcome) == rows
    assert set(outcome.codes()) <= {None}


def test_many_rows_hash_like_few() -> None:
    """The engine that hashes large files gives the md5 that small ones get."""
    header = "MRN,Name,Phone\n"
    rows = [f"{i},é{i % 7},x" for i in range(12_000)]
    many = {unit["content_hash"] for unit in run(header + "\n".join(rows)).units}
    few: list[dict[str, Any]] = run(header + "\n".join(rows[:50])).units
    assert {unit["content_hash"] for unit in few} <= many
    assert len(many) == 12_000


def test_a_senders_own_private_use_character_is_no_damage() -> None:
    """The characters that stand in for damaged bytes may be sent as such: in a header that is sound UTF-8 they refuse nothing."""
    assert run("MRN,Na\U0010ff80me,Phone\n1,A,2\n").codes() == [None]


def test_a_parquet_file_says_what_the_same_rows_say_as_csv() -> None:
    """Types come as SQL Server's CSV writes them, a null stays apart from an empty text, and damage refuses the file."""
    contract = "tables: {t: {resource: observation, primary_key: [A], columns: {A: {}, T: {type: datetime}, N: {type: 'decimal(9,2)'}, F: {type: bit}, S: {}}}}"
    entry = facility("feed: {kind: dms_s3_parquet, table: t, op_column: Op, sequence_column: Q}\n" + contract)
    content = parquet({"Op": ["I", "D"], "Q": ["2024", None], "A": [1, 2], "T": [datetime(2024, 5, 10, 10, 0, 0, 1234), None],
                       "N": [Decimal("1.10"), None], "F": [True, None], "S": ["", None]})
    outcome = decode(entry, "feed", content)
    assert [row["cells"] for row in outcome.rows("raw_extract__row")] == [
        ["I", "2024", "1", "2024-05-10 10:00:00.001234", "1.10", "1", ""], ["D", None, "2", None, None, None, None]]
    assert outcome.received == 2
    for damaged in (content[:-9], content[:40] + b"\x00" * 20 + content[60:], b"PAR1PAR1"):
        assert decode(entry, "feed", damaged).codes() == ["payload.unrecognised_format"] * decode(entry, "feed", damaged).received
