"""How many units a payload holds: the payload side of the ledger.

Belongs here: counting by bytes, lines, paths and well-kept libraries, written apart from the decoders on purpose: the ledger
compares the two, and shared code would share its mistakes. Does not belong here: judging units.

What counts: HL7 v2, one from each MSH to the next, and one for each run of segments that no MSH leads; FHIR, one for
each line or Bundle entry; X12, one for each CLM of an 837 and CLP of an 835, and for each transaction set without; C-CDA,
one for each entry of a section, section without entries, or nonXMLBody; DICOM, one file; extracts, one for each row
besides header and trailer; change events, one for each line that is not blank. A payload that is empty, has no recognisable form or is
larger than what may be held as a whole is one unit itself. Formats of lines are counted as they are read, whatever their size.
"""

from __future__ import annotations

from transforms.facilities.entry import Source
from transforms.landing.payload import WHOLE_LIMIT, Payload
from transforms.landing.received.ccda import count_entries
from transforms.landing.received.fhir import count_resources
from transforms.landing.received.hl7v2 import count_messages
from transforms.landing.received.rows import count_parquet_rows, count_rows
from transforms.landing.received.x12 import count_claims

_UTF8_BOM = b"\xef\xbb\xbf"
_READ = {"hl7v2": count_messages, "fhir_ndjson": count_resources, "csv_extract": count_rows, "dms_s3_csv": count_rows}
_HELD = {"x12": count_claims, "ccda": count_entries, "dms_s3_parquet": count_parquet_rows}


def count_units(kind: str, payload: Payload, source: Source) -> int:
    """Units of a payload of a feed of this kind. KeyError for a kind that is not registered."""
    if kind in _HELD:
        return _HELD[kind](payload.content(), source) if 0 < payload.size <= WHOLE_LIMIT else 1
    count = {**_READ, "debezium_jsonl": _count_events, "dicom": _count_file}[kind]
    return count(payload, source) if payload.size else 1


def _count_events(payload: Payload, source: Source) -> int:
    count, recognised = 0, False
    for number, line in enumerate(payload.lines()):
        event = (line if number else line.removeprefix(_UTF8_BOM)).strip(b" \t\r")
        count += event != b""
        recognised = recognised or event.startswith(b"{")
    return count if recognised else 1


def _count_file(payload: Payload, source: Source) -> int:
    return 1
