"""A file delivered again with what it says corrected, as its sender would; each format by its own means."""

from __future__ import annotations

import re

from tests.correction_x12 import corrected_interchange

CORRECTED_AT = b"20260119120000"


def corrected(content: bytes) -> bytes:
    """Correct every result of a file: FHIR Observation.status in a newer version; HL7 v2 OBX-11 (table 0085) in messages of a later MSH-7.
    X12: claims are replaced, payments taken back, answers changed, in an interchange of its own. Other files stay as they are."""
    if content.startswith(b"ISA"):
        return corrected_interchange(content.decode(), CORRECTED_AT[:8].decode()).encode()
    amended = re.sub(rb'"versionId":"(\d+)"([^\n]*)"status":"final"', rb'"versionId":"9\1"\2"status":"amended"', content)
    later = re.sub(rb"(MSH\|(?:[^|\r\n]*\|){5})[^|]*(\|[^|\r\n]*\|ORU)", rb"\g<1>" + CORRECTED_AT + rb"\2", amended)
    return re.sub(rb"((?:^|[\r\n])OBX\|[^\r\n]*\|)F(?=[|\r\n]|$)", rb"\1C", later)
