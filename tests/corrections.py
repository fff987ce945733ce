"""A file delivered again with its results corrected, as its sender would."""

from __future__ import annotations

import re

CORRECTED_AT = b"20260119120000"


def corrected(content: bytes) -> bytes:
    """Correct every result of a file: FHIR Observation.status in a newer version; HL7 v2 OBX-11 (table 0085) in messages of a later MSH-7.
    Other files stay as they are."""
    amended = re.sub(rb'"versionId":"(\d+)"([^\n]*)"status":"final"', rb'"versionId":"9\1"\2"status":"amended"', content)
    later = re.sub(rb"(MSH\|(?:[^|\r\n]*\|){5})[^|]*(\|[^|\r\n]*\|ORU)", rb"\g<1>" + CORRECTED_AT + rb"\2", amended)
    return re.sub(rb"((?:^|[\r\n])OBX\|[^\r\n]*\|)F(?=[|\r\n]|$)", rb"\1C", later)
