"""Excerpts: the bytes of a record, a field, a cell or a JSON value cut out of a payload by their locator."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.excerpt import cell_span, excerpt, hl7_field_span, json_value_span, record_span, row_span
from lineage.json_span import json_spans
from transforms.errors import ContractError

HL7 = (b"MSH|^~\\&|ADT|LAK|||20260105||ADT^A01|1|P|2.5.1\rPID|1||40^^^LAK^MR~77^^^LAK^PI||Lee^James||19510905|M\r"
       b"MSH|^~\\&|ADT|LAK|||20260106||ADT^A08|2|P|2.5.1\rPID|1||40^^^LAK^MR||Lee^Jim||19510905|M\rPV1|1|I|4E^401^A\r")


def said(payload: bytes, span: tuple[int, int]) -> bytes:
    """The bytes of a span."""
    return payload[span[0] : span[1]]


@pytest.mark.parametrize(("locator", "expected"), [
    ("message/1/segment/2", b"PID|1||40^^^LAK^MR~77^^^LAK^PI||Lee^James||19510905|M"),
    ("message/2/segment/3", b"PV1|1|I|4E^401^A"),
    ("message/2", HL7[HL7.index(b"MSH", 5) :]),
])
def test_hl7_segments(locator: str, expected: bytes) -> None:
    """A segment's locator leads to its bytes, in the right message of several."""
    assert said(HL7, record_span(HL7, locator)) == expected


@pytest.mark.parametrize(("column", "repetition", "expected"), [
    ("pid_5_1", 1, b"Lee"), ("pid_5_2", 1, b"James"), ("pid_5", 1, b"Lee^James"), ("pid_7_1", 1, b"19510905"), ("pid_3_1", 1, b"40"),
    ("pid_3_1", 2, b"77"), ("pid_3_5", 2, b"PI"), ("pid_99", 1, b"PID|1||40^^^LAK^MR~77^^^LAK^PI||Lee^James||19510905|M"),
])
def test_hl7_fields(column: str, repetition: int, expected: bytes) -> None:
    """A raw column's name leads to field, component and repetition; what is not there marks the whole segment."""
    segment = record_span(HL7, "message/1/segment/2")
    assert said(HL7, hl7_field_span(HL7, segment, column, repetition)) == expected


def test_msh_counts_its_separator_as_a_field() -> None:
    """MSH-1 is the separator itself, so MSH-7 stands one place further left than in other segments."""
    segment = record_span(HL7, "message/2/segment/1")
    assert said(HL7, hl7_field_span(HL7, segment, "msh_7_1")) == b"20260106"


CSV = b'ID;NAME;NOTE\r\n1;"Lee; James";x\r\n\r\n2;"two\nlines";y\r\n3;Z;'


@pytest.mark.parametrize(("row", "cell", "expected"), [(1, 2, b'"Lee; James"'), (2, 2, b'"two\nlines"'), (2, 3, b"y"), (3, 3, b""), (3, 1, b"3")])
def test_cells(row: int, cell: int, expected: bytes) -> None:
    """Rows and cells are found with quotes, separators and line ends inside quotes; empty lines are none."""
    span = row_span(CSV, row, has_header=True)
    assert span is not None
    assert said(CSV, cell_span(CSV, span, cell, b";")) == expected


def test_rows_that_are_not_there() -> None:
    """A row beyond the file is none."""
    assert row_span(CSV, 4, has_header=True) is None


NDJSON = b'{"id":"a"}\n  {"id":"b","name":[{"family":"M\xc3\xbcller"},{"family":"X"}]}\n'


def test_json_lines() -> None:
    """A line's locator leads to the text without the space around it; a path to the value, after characters of two bytes too."""
    record = record_span(NDJSON, "line/2")
    assert said(NDJSON, record).startswith(b'{"id":"b"')
    assert said(NDJSON, json_value_span(NDJSON, record, "/name/1/family", None)) == b'"X"'
    assert said(NDJSON, json_value_span(NDJSON, record, "/name/*/family", "X")) == b'"X"'
    assert said(NDJSON, json_value_span(NDJSON, record, "/name/*/family", "nobody")) == "\"M\u00fcller\"".encode()


@settings(max_examples=60, deadline=None)
@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(exclude_characters="/*"), min_size=1, max_size=3), inner,
                                                                max_size=3), max_leaves=12), st.sampled_from([None, 1]))
def test_json_spans_are_the_values(value: Any, indent: int | None) -> None:
    """For every path of a document, the characters of the span read back to the value at the path."""
    text = json.dumps(value, indent=indent)

    def walk(part: Any, path: str) -> None:
        begin, end = json_spans(text, path)[0]
        assert json.loads(text[begin:end]) == part
        for name, inner in part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ():
            walk(inner, f"{path}/{name}")

    walk(value, "")


def test_excerpt_marks_what_was_asked() -> None:
    """The marked bytes stand between what is around them in the record, and nothing of other records is shown."""
    segment = record_span(HL7, "message/1/segment/2")
    found = excerpt(HL7, "p", "message/1/segment/2", segment, hl7_field_span(HL7, segment, "pid_5_1"))
    assert (found.marked, found.length) == ("Lee", 3)
    assert HL7[found.offset : found.offset + found.length] == b"Lee"
    assert "MSH" not in found.before + found.after


def test_payload_and_row_that_do_not_belong_together() -> None:
    """A locator that the payload does not have is an error, never an empty excerpt."""
    with pytest.raises(ContractError, match="message/3/segment/1"):
        record_span(HL7, "message/3/segment/1")
