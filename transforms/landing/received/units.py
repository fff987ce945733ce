"""How many units a payload holds: the payload side of the ledger.

Belongs here: counting by bytes, lines, paths and well-kept libraries, written apart from the decoders on purpose: the ledger
compares the two, and shared code would share its mistakes. Does not belong here: judging units.

What counts: HL7 v2, one from each MSH to the next, and one for each run of segments that no MSH leads; FHIR, one for
each line or Bundle entry; X12, one for each CLM of an 837 and CLP of an 835, and for each transaction set without; C-CDA,
one for each entry of a section, section without entries, or nonXMLBody; DICOM, one file; extracts, one for each row
besides header and trailer; change events, one for each line that is not blank. A payload that is empty or has no recognisable form is one
unit itself.
"""

from __future__ import annotations

from transforms.facilities.entry import Source
from transforms.landing.received.ccda import count_entries
from transforms.landing.received.fhir import count_resources
from transforms.landing.received.hl7v2 import count_messages
from transforms.landing.received.rows import count_parquet_rows, count_rows
from transforms.landing.received.x12 import count_claims

_UTF8_BOM = b"\xef\xbb\xbf"


def count_units(kind: str, payload: bytes, source: Source) -> int:
    """Units of a payload of a feed of this kind. KeyError for a kind that is not registered."""
    count = {
        "hl7v2": count_messages,
        "fhir_ndjson": count_resources,
        "csv_extract": count_rows,
        "dms_s3_csv": count_rows,
        "x12": count_claims,
        "ccda": count_entries,
        "dms_s3_parquet": count_parquet_rows,
        "debezium_jsonl": _count_events,
        "dicom": _count_file,
    }[kind]
    return count(payload, source) if payload else 1


def _count_events(payload: bytes, source: Source) -> int:
    lines = [line for line in payload.removeprefix(_UTF8_BOM).split(b"\n") if line.strip(b" \t\r")]
    return len(lines) if any(line.lstrip(b" \t\r").startswith(b"{") for line in lines) else 1


def _count_file(payload: bytes, source: Source) -> int:
    return 1
