"""The formats that a feed may have: one row each, naming decoder, counter, raw tables and version.

Belongs here: the table, and what holds for all formats alike: pieces put together, payloads that are too large to be held. Does not
belong here: decoding. A decoder's `version` rises with every change of what it gives for the same bytes, so that partitions decoded
before are known to be behind.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from transforms.decode.ccda import decode as ccda
from transforms.decode.contract import Decoded, Decoder, Delivered
from transforms.decode.debezium import decode as debezium
from transforms.decode.dicom import decode as dicom
from transforms.decode.extract import decode as extract
from transforms.decode.fhir import decode as fhir
from transforms.decode.hl7v2 import decode as hl7v2
from transforms.decode.record_table import together
from transforms.decode.units import TOO_LARGE, Units, payload_unit
from transforms.decode.x12 import decode as x12
from transforms.facilities.entry import Source
from transforms.landing.payload import WHOLE_LIMIT, Payload
from transforms.landing.received.units import count_units


@dataclass(frozen=True)
class Format:
    """One kind of feed. `tables` are all it can fill. `has_lines`: its decoder reads line by line, else it holds each payload whole.
    `empty_code` flags a delivery that is whole and holds no unit; null where the format knows no such thing."""

    kind: str
    decoder: Decoder
    tables: tuple[str, ...]
    version: str
    has_lines: bool = False
    empty_code: str | None = None

    def pieces(self, deliveries: Sequence[Delivered]) -> Iterator[Decoded]:
        """Decode deliveries piece by piece; a payload that is too large for its format is one unit, refused."""
        large = [one for one in deliveries if one.payload.size > WHOLE_LIMIT and not self.has_lines]
        yield from self.decoder([one for one in deliveries if one not in large] if large else deliveries)
        if large:
            units = Units()
            for one in large:
                units.add(payload_unit(one, TOO_LARGE))
            yield together(self.tables, [Decoded(units.take(), {})])

    def decode(self, deliveries: Sequence[Delivered]) -> Decoded:
        """Decode deliveries into one piece with all tables of the format."""
        return together(self.tables, list(self.pieces(deliveries)))

    def count_units(self, payload: Payload, source: Source) -> int:
        """Count a payload's units without the decoder."""
        return count_units(self.kind, payload, source)


FORMATS: dict[str, Format] = {
    kind: Format(kind, decoder, tables, f"{kind}-{version}", has_lines, empty_code)
    for kind, decoder, tables, version, has_lines, empty_code in (
        ("hl7v2", hl7v2.decode_hl7v2, hl7v2.TABLES, 3, True, None),
        ("fhir_ndjson", fhir.decode_fhir_ndjson, fhir.TABLES, 3, True, None),
        ("csv_extract", extract.decode_csv_extract, extract.TABLES, 2, True, extract.EMPTY_EXTRACT),
        ("dms_s3_csv", extract.decode_dms_s3_csv, extract.TABLES, 2, True, None),
        ("dms_s3_parquet", extract.decode_dms_s3_parquet, extract.TABLES, 2, False, None),
        ("debezium_jsonl", debezium.decode_debezium_jsonl, debezium.TABLES, 3, True, None),
        ("ccda", ccda.decode_ccda, ccda.TABLES, 3, False, None),
        ("dicom", dicom.decode_dicom, dicom.TABLES, 3, False, None),
        ("x12", x12.decode_x12, x12.TABLES, 3, False, None),
    )
}
