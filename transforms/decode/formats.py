"""The formats that a feed may have: one row each, naming decoder, counter, raw tables and version.

Belongs here: the table. Does not belong here: decoding. A decoder's `version` rises with every change of what it gives
for the same bytes, so that partitions decoded before are known to be behind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from transforms.decode.ccda import decode as ccda
from transforms.decode.contract import Decoded, Delivered
from transforms.decode.debezium import decode as debezium
from transforms.decode.dicom import decode as dicom
from transforms.decode.extract import decode as extract
from transforms.decode.fhir import decode as fhir
from transforms.decode.hl7v2 import decode as hl7v2
from transforms.decode.x12 import decode as x12
from transforms.facilities.entry import Source
from transforms.landing.received.units import count_units


@dataclass(frozen=True)
class Format:
    """One kind of feed. `count_units(payload, source)` counts without the decoder; `tables` are all it can fill.
    `empty_code` flags a delivery that is whole and holds no unit; null where the format knows no such thing."""

    kind: str
    decode: Callable[[Sequence[Delivered]], Decoded]
    count_units: Callable[[bytes, Source], int]
    tables: tuple[str, ...]
    version: str
    empty_code: str | None = None


def _counter(kind: str) -> Callable[[bytes, Source], int]:
    return lambda payload, source: count_units(kind, payload, source)


FORMATS: dict[str, Format] = {
    kind: Format(kind, decode, _counter(kind), tables, f"{kind}-{version}", empty_code)
    for kind, decode, tables, version, empty_code in (
        ("hl7v2", hl7v2.decode_hl7v2, hl7v2.TABLES, 2, None),
        ("fhir_ndjson", fhir.decode_fhir_ndjson, fhir.TABLES, 2, None),
        ("csv_extract", extract.decode_csv_extract, extract.TABLES, 2, extract.EMPTY_EXTRACT),
        ("dms_s3_csv", extract.decode_dms_s3_csv, extract.TABLES, 2, None),
        ("dms_s3_parquet", extract.decode_dms_s3_parquet, extract.TABLES, 2, None),
        ("debezium_jsonl", debezium.decode_debezium_jsonl, debezium.TABLES, 2, None),
        ("ccda", ccda.decode_ccda, ccda.TABLES, 2, None),
        ("dicom", dicom.decode_dicom, dicom.TABLES, 2, None),
        ("x12", x12.decode_x12, x12.TABLES, 2, None),
    )
}
