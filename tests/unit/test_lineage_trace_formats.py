"""Trace of X12, C-CDA and DICOM: from what a row says to the bytes that say it, on raw rows of the real decoders."""

from __future__ import annotations

import hashlib
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import DeflatedExplicitVRLittleEndian

from lineage.likeness import SAME_NUMBER, SAME_TEXT, SAME_TIME, UNLIKE, likeness
from lineage.trace_dicom import value_place
from lineage.trace_raw import trace_raw
from lineage.trace_result import Excerpt
from lineage.trace_sources import Sources
from lineage.x12_span import segment_span
from lineage.xml_span import element_span
from tests.unit.decoding import decode, facility
from tests.unit.dicom_files import file_of
from tests.unit.x12_text import HEADER, PARTNERS, claim, simple
from transforms.decode.raw_schema import RAW_SCHEMAS
from transforms.errors import ContractError

X12 = simple("837", [*HEADER, *claim("A1", "100.00"), *claim("B2", "250", None, "11:B:1", "REF*D9*X7")])
CDA = """<?xml version="1.0" encoding="utf-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3"><id root="1.2" extension="D1"/><effectiveTime value="20240501"/><recordTarget><patientRole>
<id root="2.999" extension="M1"/><patient><name><given>Zoë</given><family>ALDER</family></name></patient></patientRole></recordTarget><component>
<structuredBody><component><section><code code="11450-4"/><text>none</text></section></component><component><section><code code="30954-2"/>
<entry><observation classCode="OBS"><id root="2.999.4" extension="o1"/><code code="2345-7"/><value value="95"/></observation></entry>
<entry><observation classCode="OBS"><id root="2.999.4" extension="o2"/><code code='718-7'/><effectiveTime value="20240502"/></observation></entry>
</section></component></structuredBody></component></ClinicalDocument>""".encode()


def dicom() -> bytes:
    """An instance with a name, a sequence and a private element."""
    item, data = Dataset(), Dataset()
    item.ReferencedSOPInstanceUID = "2.25.77"
    data.PatientName, data.PatientID, data.StudyDate, data.Modality = "ALDER^ROWAN", "M4001", "20240501", "CT"
    data.ReferencedImageSequence = Items([item])
    return file_of(data)


def traced(source: str, payload: bytes, unit: int, column: str, said: str, locator: str = "") -> Excerpt:
    """The excerpt that a version row of one unit leads to, when its column says this."""
    outcome = decode(facility(PARTNERS), source, payload)
    db = duckdb.connect()
    db.execute("attach ':memory:' as LAKE; create schema LAKE.raw; create schema LAKE.ref")
    payload_id = hashlib.sha256(payload).hexdigest()
    for name, schema in RAW_SCHEMAS.items():
        rows = outcome.decoded.records.get(name, schema.empty_table())
        db.register("decoded", rows)
        db.execute(f"create table LAKE.raw.{name} as select *, 'u' || unit_ordinal as unit_id, record_locator as record_id from decoded")
        db.unregister("decoded")
    db.execute("create table LAKE.raw.raw_delivery (delivery_id varchar, received_time timestamp, source varchar)")
    db.execute("create table LAKE.ref.facility as select 'north_general' as facility_id, 'latin-1' as charset, date '2000-01-01' as valid_from")

    def query(sql: str, values: Any) -> list[dict[str, Any]]:
        found: pa.Table = db.execute(sql, list(values)).to_arrow_table()
        return found.to_pylist()

    version = {"unit_id": f"u{unit}", "delivery_id": "d" * 32, "payload_id": payload_id, "facility_id": "north_general", "record_locator": locator,
               "record_id": locator, column: said}
    steps = trace_raw(Sources(query, lambda _: payload, lambda *_: [], lambda _: None), "any", version, column).steps
    assert [step.layer for step in steps] == ["raw", "landing"]
    found = steps[-1].excerpt
    assert found is not None
    return found


@pytest.mark.parametrize(("source", "payload", "unit", "said", "marked", "locator"), [
    ("x12", X12, 1, "A1", "A1", "segment/11"), ("x12", X12, 2, "B2", "B2", "segment/16"), ("x12", X12, 1, "100", "100.00", "segment/11"),
    ("x12", X12, 2, "X7", "X7", "segment/17"), ("x12", X12, 1, "2024-04-15", "20240415", "segment/15"), ("x12", X12, 1, "E119", "E119", "segment/12"),
    ("x12", X12, 1, "MB1", "MB1", "segment/9"), ("x12", X12, 2, "1234567893", "1234567893", "segment/6"),
    ("x12", X12, 2, "nobody said so", "CLM*B2*250***11:B:1*Y*A*Y*Y", "segment/16"),
    ("ccda", CDA, 2, "2345-7", "2345-7", "/ClinicalDocument/component/structuredBody/component[2]/section/entry[1]#1/code[1]"),
    ("ccda", CDA, 3, "718-7", "718-7", "/ClinicalDocument/component/structuredBody/component[2]/section/entry[2]#1/code[1]"),
    ("ccda", CDA, 3, "2024-05-02", "20240502", "/ClinicalDocument/component/structuredBody/component[2]/section/entry[2]#1"),
    ("ccda", CDA, 2, "Zoë", "Zoë", "/ClinicalDocument/recordTarget#1"), ("ccda", CDA, 2, "D1", "D1", "/ClinicalDocument"),
    ("dicom", dicom(), 1, "ROWAN", "ALDER^ROWAN", "element/00100010"), ("dicom", dicom(), 1, "2024-05-01", "20240501", "element/00080020"),
    ("dicom", dicom(), 1, "M4001", "M4001", "element/00100020"), ("dicom", dicom(), 1, "2.25.1.1", "2.25.1.1", "element/00080018"),
])
def test_a_value_leads_to_its_bytes(source: str, payload: bytes, unit: int, said: str, marked: str, locator: str) -> None:
    """The marked bytes are those that say the value, cut out of the payload at the offset that is shown, in the unit's own record."""
    found = traced(source, payload, unit, "asked", said)
    assert (found.marked, found.locator) == (marked, locator)
    assert payload[found.offset : found.offset + found.length].decode() == marked


def test_the_records_own_statement_comes_first() -> None:
    """Of two places that say the same, the one in the record that the row bears the locator of is shown; nothing of other entries is."""
    twice = CDA.replace(b'<code code="2345-7"/>', b'<code code="718-7"/>')
    where = "/ClinicalDocument/component/structuredBody/component[2]/section/entry[2]"
    found = traced("ccda", twice, 3, "code", "718-7", f"{where}#1")
    assert found.offset == twice.index(b"'718-7'") + 1
    assert "o1" not in found.before + found.after


@pytest.mark.parametrize("end", ["~", "~\r\n", "\n"])
def test_every_segment_is_found(end: str) -> None:
    """Segment by segment the spans are the text between the terminators, through several interchanges and before bytes that are none."""
    text = X12.decode().replace("~", end)
    whole = (text + text + "rest").encode()
    wanted = [one for one in X12.decode().split("~") if one] * 2
    for number, segment in enumerate(wanted, 1):
        span = segment_span(whole, number, "utf-8")
        assert span is not None
        assert whole[slice(*span)].decode() == segment
    assert segment_span(whole, len(wanted) + 1, "utf-8") is None


def test_an_element_is_found_by_its_path() -> None:
    """A path leads to the element with its tags; one that is not there, or a document that is none, to nothing."""
    path = "/ClinicalDocument/component/structuredBody/component[2]/section/entry[2]"
    span = element_span(CDA, path)
    assert span is not None
    assert CDA[slice(*span)].startswith(b"<entry><observation") and CDA[slice(*span)].endswith(b"</observation></entry>")  # noqa: PT018
    assert element_span(CDA, path.replace("entry[2]", "entry[3]")) is None
    assert element_span(b"<a", "/a") is None


def test_elements_that_are_not_in_the_bytes_mark_nothing() -> None:
    """A deflated data set has no place for its values; an element of a sequence is not marked as if it stood outside."""
    data = Dataset()
    data.PatientID = "M1"
    assert value_place(file_of(data, syntax=DeflatedExplicitVRLittleEndian), "00100020") is None
    assert value_place(dicom(), "00100030") is None


def test_a_payload_of_another_unit_is_refused() -> None:
    """A raw row whose place the payload does not have is an error, never an excerpt of something else."""
    with pytest.raises(ContractError, match="gone"):
        traced("x12", X12, 9, "asked", "A1")


@pytest.mark.parametrize(("sent", "said", "expected"), [
    ("A1", "A1", SAME_TEXT), ("100.00", "100", SAME_NUMBER), ("20240501", "2024-05-01", SAME_TIME), ("202405011000", "2024-05-01 10:00:00", SAME_TIME),
    ("20240502", "2024-05-01", UNLIKE), ("1", "1e0", UNLIKE), ("", "", UNLIKE), ("2024", "20240501", UNLIKE)])
def test_likeness(sent: str, said: str, expected: int) -> None:
    """Texts, numbers and times are alike however they are written; different ones never are."""
    assert likeness(sent, said) == expected
