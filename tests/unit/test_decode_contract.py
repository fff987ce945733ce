"""The decoders' common contract: schemas, codes and independence of the company that a delivery is in."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pyarrow as pa
import pytest
from pydicom.dataset import Dataset

from tests.unit.decoding import facility, parquet
from tests.unit.dicom_files import file_of
from transforms.decode.contract import UNIT_SCHEMA, Delivered
from transforms.decode.formats import FORMATS
from transforms.decode.hl7v2.segments import SEGMENTS, field_columns, segment_table
from transforms.decode.raw_schema import LOADER_COLUMNS, RAW_SCHEMAS, raw_table_columns, raw_table_names
from transforms.facilities.source_entry import SOURCE_KINDS
from transforms.landing.payload import Payload

ROOT = Path(__file__).parents[2]
DICOM = file_of(Dataset(), instance="2.25.1.1", study="2.25.1")
CDA = (
    b'<ClinicalDocument xmlns="urn:hl7-org:v3"><id root="1.2"/><recordTarget><patientRole><id root="1.2" extension="M1"/></patientRole></recordTarget>'
    b'<component><structuredBody><component><section><entry><observation><id root="1.3"/><code code="1"/></observation></entry></section></component>'
    b'<component><section><text>x</text></section></component></structuredBody></component></ClinicalDocument>'
)
X12 = (
    b"ISA*00*          *00*          *ZZ*A              *ZZ*B              *240501*1200*^*00501*000000001*0*P*:~"
    b"GS*HS*A*B*20240501*1200*1*X*005010X279A1~ST*270*1~SE*2*1~GE*1*1~IEA*1*000000001~"
)
FEEDS = {
    "hl7v2": ("hl7v2", "", [b"MSH|^~\\&|A|B|||||ADT^A04|1\rPID|1||M1\rZ01|x\r", b"MSH#*!?%#A\rPID#1\r", b"", b"\x00"]),
    "fhir_ndjson": ("fhir", "", [b'{"resourceType":"Patient","id":"1"}\n{"id":"2"}\n{', b"", b"x"]),
    "dicom": ("dicom", "", [DICOM, DICOM[:300], DICOM[128:], b"", b"x"]),
    "ccda": ("ccda", "", [CDA, CDA.replace(b"<entry>", b"<entry><act/>", 1), b"<!DOCTYPE x><x/>", b"<x/>", b"<x", b"", b"x"]),
    "x12": ("x12", "", [X12, b"\r\n" + X12.replace(b"~", b"~\r\n"), X12[:150], b"ISA*00~", b"", b"x"]),
    "csv_extract": (
        "feed", "feed: {kind: csv_extract, resource: patient, key: [A], encoding: utf-8, columns: {A: {}, B: {}}}\n",
        [b"A,B\n1,2\n3\n", b"", b"A,B\n", b"A;B\n1;2\n"],
    ),
    "dms_s3_csv": (
        "feed", "feed: {kind: dms_s3_csv, table: t, op_column: Op}\n"
        "tables: {t: {resource: patient, primary_key: [A], columns: {A: {type: int}}}}\n",
        [b"Op,A\nI,2\nD,2\n", b"Op,A\nI\n", b""],
    ),
    "dms_s3_parquet": (
        "feed", "feed: {kind: dms_s3_parquet, table: t, op_column: Op}\n"
        "tables: {t: {resource: patient, primary_key: [A], columns: {A: {type: int}}}}\n",
        [parquet({"Op": ["I", "D"], "A": [2, None]}), parquet({"Op": [], "A": []}), b"PAR1", b""],
    ),
    "debezium_jsonl": (
        "feed",
        "feed: {kind: debezium_jsonl, resource: patient, table: dbo.P, primary_key: [A], columns: {A: {type: int}}}",
        [b'{"op": "c", "after": {"A": 1}}\n{"op": "d", "before": {"A": 1}}\n{"value": null, "key": 1}\n', b'{"op": "c"}\n', b""],
    ),
}  # fmt: skip


def test_every_registered_kind_has_a_decoder() -> None:
    """The registry's kinds and the formats are the same."""
    assert set(FORMATS) == set(SOURCE_KINDS) == set(FEEDS)


@pytest.mark.parametrize("kind", sorted(FEEDS))
def test_decoders_give_the_declared_schemas_and_all_their_tables(kind: str) -> None:
    """Units are UNIT_SCHEMA, records are RAW_SCHEMAS, also where nothing arrived."""
    source, feed, payloads = FEEDS[kind]
    entry = facility(feed)
    for chosen in ([], payloads):
        decoded = FORMATS[kind].decode([Delivered(f"{i:032d}", Payload.of(p), entry.sources[source], entry) for i, p in enumerate(chosen)])
        assert decoded.units.schema == UNIT_SCHEMA
        assert set(decoded.records) == set(FORMATS[kind].tables)
        assert all(table.schema == RAW_SCHEMAS[name] for name, table in decoded.records.items())


@pytest.mark.parametrize("kind", sorted(FEEDS))
def test_a_delivery_decodes_the_same_alone_and_in_company(kind: str) -> None:
    """What comes of a delivery depends on its bytes and its feed alone."""
    source, feed, payloads = FEEDS[kind]
    entry = facility(feed)
    deliveries = [Delivered(f"{i:032d}", Payload.of(p), entry.sources[source], entry) for i, p in enumerate(payloads)]
    together = FORMATS[kind].decode(deliveries)
    for delivery in deliveries:
        alone = FORMATS[kind].decode([delivery])
        for name, table in {"units": alone.units, **alone.records}.items():
            whole = together.units if name == "units" else together.records[name]
            own = whole.filter(pa.compute.equal(whole["delivery_id"], delivery.delivery_id))
            key = lambda row: (row["unit_ordinal"], row.get("record_locator", ""))  # noqa: E731 - one use, in place
            assert sorted(own.to_pylist(), key=key) == sorted(table.to_pylist(), key=key)


@pytest.mark.parametrize("kind", sorted(FEEDS))
def test_keys_are_unique_and_units_count_from_one(kind: str) -> None:
    """In a delivery, locators are unique within a table, and unit ordinals run from 1 without a gap."""
    source, feed, payloads = FEEDS[kind]
    entry = facility(feed)
    for payload in payloads:
        decoded = FORMATS[kind].decode([Delivered("d" * 32, Payload.of(payload), entry.sources[source], entry)])
        ordinals = sorted(decoded.units["unit_ordinal"].to_pylist())
        assert ordinals == list(range(1, len(ordinals) + 1))
        for table in decoded.records.values():
            locators = table["record_locator"].to_pylist()
            assert len(set(locators)) == len(locators)
            assert set(table["unit_ordinal"].to_pylist()) <= {0, *ordinals}


def test_decoders_use_codes_of_the_vocabulary_only() -> None:
    """Every code that is written in a decoder is in the seed of reason codes, with an owner where it holds a unit."""
    with (ROOT / "transforms/dbt/seeds/reason_code.csv").open(encoding="utf-8", newline="") as seed:
        codes = {row["code"]: row for row in csv.DictReader(seed)}
    used = {
        code
        for path in (ROOT / "transforms/decode").rglob("*.py")
        for code in re.findall(r'^[A-Z_]+ = "((?:payload|hl7|fhir|csv|cdc)\.[a-z_]+)"', path.read_text("utf-8"), re.MULTILINE)
        if "," not in code and not code.endswith(("row", "message", "resource"))
    }
    assert len(used) >= 15
    assert used <= set(codes)
    assert all(row["owner"] for row in codes.values() if row["kind"] != "ignore")
    assert {row["kind"] for row in codes.values()} == {"quarantine", "ignore", "flag"}


def test_raw_columns_are_declared_once() -> None:
    """Each raw table's columns are those of its schema and the loader's, without repetition."""
    for name in raw_table_names():
        columns = raw_table_columns(name)
        if name in RAW_SCHEMAS:
            assert list(columns) == [*RAW_SCHEMAS[name].names, *LOADER_COLUMNS]
        assert {"delivery_id", "facility_id", "batch_date", "received_time", "source"} <= set(columns)


def test_segment_columns_are_named_by_the_standard() -> None:
    """A field's columns are the whole field, its components and their subcomponents, in that order."""
    assert field_columns("PID", 8) == ["pid_8", "pid_8_1", "pid_8_2", "pid_8_3"]
    assert field_columns("PID", 7) == ["pid_7_1"]
    assert field_columns("MRG", 2) == [
        "mrg_2", "mrg_2_1", "mrg_2_2", "mrg_2_3", "mrg_2_4", "mrg_2_4_1", "mrg_2_4_2", "mrg_2_4_3", "mrg_2_5",
    ]  # fmt: skip
    assert {segment_table(segment) for segment in SEGMENTS} <= set(RAW_SCHEMAS)
