"""A file delivered again with what it says corrected, as its sender would; each format by its own means."""

from __future__ import annotations

import json
import re
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq

from tests.correction_x12 import corrected_interchange

CORRECTED_AT = b"20260119120000"


def corrected(content: bytes) -> bytes:
    """Correct every result of a file: FHIR Observation.status in a newer version; HL7 v2 OBX-11 (table 0085) in messages of a later MSH-7.
    X12: claims are replaced, payments taken back, answers changed, in an interchange of its own. C-CDA: a new document, in which no
    statement is active any more. Debezium and DMS Parquet: later changes of the status. Other files stay as they are, DICOM instances
    by their nature."""
    if content.startswith(b"ISA"):
        return corrected_interchange(content.decode(), CORRECTED_AT[:8].decode()).encode()
    if content.startswith(b"<?xml"):
        return _document(content)
    if content.startswith(b'{"key"'):
        return b"".join(_event(line) for line in content.splitlines())
    if content.startswith(b"PAR1"):
        return _rows(content)
    if content[128:132] == b"DICM":
        return content
    amended = re.sub(rb'"versionId":"(\d+)"([^\n]*)"status":"final"', rb'"versionId":"9\1"\2"status":"amended"', content)
    later = re.sub(rb"(MSH\|(?:[^|\r\n]*\|){5})[^|]*(\|[^|\r\n]*\|ORU)", rb"\g<1>" + CORRECTED_AT + rb"\2", amended)
    return re.sub(rb"((?:^|[\r\n])OBX\|[^\r\n]*\|)F(?=[|\r\n]|$)", rb"\1C", later)


def _document(content: bytes) -> bytes:
    """A document under an id of its own, written later."""
    named = re.sub(rb'(<id root="[^"]*\.9" extension=")', rb"\1C", content, count=1)
    written = re.sub(rb'(<effectiveTime value=")[^"]*', rb"\g<1>" + CORRECTED_AT, named, count=1)
    return written.replace(b'<statusCode code="active"/>', b'<statusCode code="completed"/>')


def _event(line: bytes) -> bytes:
    """A later update of the row that a change event leaves behind; nothing of a deletion, a tombstone or what is no event."""
    try:
        event = json.loads(line)
    except ValueError:
        return b""
    value = event["value"]
    if not value or not value["after"] or "Status" not in value["after"]:
        return b""
    value["before"], value["after"], value["op"] = value["after"], {**value["after"], "Status": "S"}, "u"
    position = f"ffffffff:{int(next(iter(event['key'].values()))):08x}"
    value["source"] |= {"snapshot": "false", "change_lsn": f"{position}:0002", "commit_lsn": f"{position}:0005", "event_serial_no": 1}
    return json.dumps(event).encode() + b"\n"


def _rows(content: bytes) -> bytes:
    """Later updates of the rows of a Parquet file."""
    table = pq.read_table(BytesIO(content))
    count = table.num_rows
    changed = {"Op": ["U"] * count, "AR_H_CHANGE_SEQ": [f"{CORRECTED_AT.decode()}{place:021}" for place in range(count)], "Status": ["E"] * count}
    for name, values in changed.items():
        table = table.set_column(table.column_names.index(name), name, pa.array(values, pa.string()))
    out = BytesIO()
    pq.write_table(table, out)
    return out.getvalue()
