"""How many units a payload holds, against counts made by hand."""

from __future__ import annotations

import pytest

from tests.unit.decoding import facility
from transforms.landing.payload import Payload
from transforms.landing.received.units import count_units

CSV = """
feed: {kind: csv_extract, resource: patient, key: [A], encoding: utf-8, columns: {A: {}, B: {}}}
"""
TRAILER = CSV.replace("key:", "trailer: {prefix: TRL, row_count_field: 2}, key:")
HEADERLESS = CSV.replace("key:", "header: false, key:")


@pytest.mark.parametrize(
    ("payload", "units"),
    [
        (b"", 1),
        (b"MSH|^~\\&|A\rPID|1\r", 1),
        (b"MSH|^~\\&|A\nPID|1\n\nMSH|^~\\&|B\r\nPID|1", 2),
        (b"\xef\xbb\xbfMSH|^~\\&|A\r", 1),
        (b"FHS|^~\\&\rBHS|^~\\&\rMSH|^~\\&|A\rBTS|1\rFTS|1\r", 1),
        (b"FHS|^~\\&\rFTS|0\r", 0),
        (b"EVN|A01\rPID|1\r", 1),
        (b"PID|1\rMSH|^~\\&|A\rBTS|1\rPID|1\rNTE|1\rMSH|^~\\&|B\r", 4),
        (b"MSHX|^~\\&\r\x00\x01", 1),
        (b"\x00\x01\x02\xff", 1),
    ],
)
def test_hl7_messages_are_counted_by_their_msh(payload: bytes, units: int) -> None:
    """One unit from each MSH to the next, one for each run of segments that none leads, wrappers are none."""
    assert count_units("hl7v2", Payload.of(payload), facility().sources["hl7v2"]) == units


@pytest.mark.parametrize(
    ("payload", "units"),
    [
        (b"", 1),
        (b'{"resourceType":"Patient"}\n\n  \n{"id":\n', 2),
        (b'{"resourceType":"Bundle","entry":[{},{}]}\n{"resourceType":"Patient"}', 3),
        (b'{"resourceType":"Bundle"}', 0),
        (b'{\n "resourceType": "Bundle",\n "entry": [\n  {},\n  {}\n ]\n}\n', 2),
        (b'{\n "resourceType": "Bundle",\n "entry": [\n  {},\n', 1),
        (b'{"resourceType":"Bundle","entry":[{}],"entry":[{},{}]}', 1),
        (b'{"resourceType":"Bundle","meta":{"a":1,"a":2},"entry":[{},{}]}', 1),
        (b'{"resourceType":"Bundle","entry":' + b"[" * 200 + b"]" * 200 + b"}", 1),
        (b'{"resourceType":"Bundle","entry":{}}', 1),
        (b"hello", 1),
        (b" \n \n", 1),
    ],
)
def test_fhir_lines_and_entries_are_counted(payload: bytes, units: int) -> None:
    """One unit for each line, or for each entry of a Bundle; a Bundle that cannot be cut is one."""
    assert count_units("fhir_ndjson", Payload.of(payload), facility().sources["fhir"]) == units


@pytest.mark.parametrize(
    ("feed", "payload", "units"),
    [
        (CSV, b"", 1),
        (CSV, b"A,B\n1,2\n3,4\n", 2),
        (CSV, b'A,B\r\n1,"x\r\ny"\r\n\r\n3\r\n', 2),
        (CSV, b'A,B\n1,2\n3,"4\n5,6\n', 2),
        (CSV, b"A,B\n", 0),
        (CSV, b"\n\n", 1),
        (CSV, b"X,Y\n1,2\n", 1),
        (CSV, b"A;B\n1;2\n", 1),
        (CSV, b'""\n1\n2\n', 1),
        (CSV, b"A,\xff\n1,2\n", 1),
        (TRAILER, b"A,B\n1,2\nTRL,1\n", 1),
        (TRAILER, b"A,B\nTRL,0\n", 0),
        (TRAILER, b"A,B\nTRL,3\n", 1),
        (TRAILER, b"A,B\n", 1),
        (HEADERLESS, b"1,2\r3,4\r", 2),
    ],
)
def test_rows_are_counted_besides_header_and_trailer(feed: str, payload: bytes, units: int) -> None:
    """One unit for each record besides header and trailer; a file without a usable header is one unit itself."""
    assert count_units("csv_extract", Payload.of(payload), facility(feed).sources["feed"]) == units
