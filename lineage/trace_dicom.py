"""From a version row to the DICOM data element it was read from, and to the value's place in the bytes."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from pydicom.dataset import Dataset

from lineage.excerpt import Span, excerpt
from lineage.likeness import UNLIKE, likeness
from lineage.trace_result import Value
from lineage.trace_sources import Record, Sources
from lineage.trace_unit import RawField, RawTrace, charset_of, payload_step, raw_step, received_bytes, unit_rows
from transforms.decode.dicom.reading import PREAMBLE, UNREADABLE, read_instance

_PREFIX = (PREAMBLE, PREAMBLE + 4)


def trace_dicom(sources: Sources, version: Record, column: str, fields: Sequence[RawField]) -> RawTrace | None:
    """The data element that says what the column says, else the file; None where the unit is no instance."""
    rows = unit_rows(sources, "raw_dicom__element", version)
    if not rows:
        return None
    said = str(version.get(column)) if column and version.get(column) is not None else ""
    row = max(rows, key=lambda one: _worth(one, version, said))
    is_found = _like(row, said) != UNLIKE
    if not is_found:
        row = next((one for one in rows if one["record_locator"] == version["record_locator"]), rows[0])
    payload = received_bytes(sources, version)
    marked = value_place(payload, str(row["path"])) or _PREFIX
    name = f"({row['tag'][:4]},{row['tag'][4:]})"
    charset = charset_of(sources, version, payload[marked[0] : marked[1]])
    # Only the value itself is shown: what stands beside it is binary.
    found = excerpt(payload, str(version["payload_id"]), str(row["record_locator"]), marked, marked, charset)
    step = raw_step("raw_dicom__element", row, (Value(name, row["value"], is_found),), name)
    return RawTrace((step, payload_step(sources, version, found)), f"element {name}")


def value_place(payload: bytes, path: str) -> Span | None:
    """Where the value of an element lies; of one in a sequence, the sequence. None where it is not as sent in the bytes (deflated) or
    not there."""
    tag = int(path[:8], 16)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd values, which are kept as they are
            read = read_instance(payload)
    except UNREADABLE:
        return None
    data: Dataset = read.meta if tag >> 16 == 2 else read.data
    element = data.get_item(tag) if tag in data else None
    begin = getattr(element, "value_tell", None) or getattr(element, "file_tell", None)
    content = getattr(element, "value", None)
    if begin is None or not isinstance(content, bytes) or payload[begin : begin + len(content)] != content:
        return None
    return begin, begin + len(content.rstrip(b" \0")) if content.strip(b" \0") else begin + len(content)


def _like(row: Record, said: str) -> int:
    value = str(row["value"] or "")
    parts = [value, *value.replace("=", "^").split("^"), *value.split("\\")]
    return max(likeness(part, said) for part in parts) if said else UNLIKE


def _worth(row: Record, version: Record, said: str) -> tuple[int, bool, bool, bool]:
    """The element most like what the row says; one that the record bears the locator of, one of the data set, and one outside
    sequences, before others."""
    is_content = not str(row["tag"]).startswith("0002")
    return _like(row, said), row["record_locator"] == version["record_locator"], is_content, "/" not in str(row["path"])
