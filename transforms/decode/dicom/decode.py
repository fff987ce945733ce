"""DICOM files -> units and raw_dicom__element.

Belongs here: what is an instance and why it is refused. Does not belong here: reading (`reading.py`), values (`elements.py`),
meaning (dbt).
One file is one unit. Locators: `element/0020000D`, in a sequence `element/00081140[1]/00081150`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from transforms.decode.contract import Decoded, Delivered
from transforms.decode.record_table import table_of_rows
from transforms.decode.units import PIECE_UNITS, UNKNOWN_TYPE, Unit, Units, content_hash, unreadable

TABLES = ("raw_dicom__element",)
NOT_PART_10 = "dicom.not_part10"
MISSING_SOP = "dicom.missing_sop_uid"
MISSING_STUDY = "dicom.missing_study_uid"
_SOP_CLASS, _SOP_INSTANCE, _STUDY = "00080016", "00080018", "0020000D"


def decode_dicom(deliveries: Sequence[Delivered]) -> Iterator[Decoded]:
    """Units `dicom.instance` (or `payload`) and raw_dicom__element."""
    units, rows = Units(), list[dict[str, Any]]()
    for delivery in deliveries:
        if delivery.payload.size:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of odd values, which are kept as they are
                _instance(delivery, units, rows)
        else:
            units.add(unreadable(delivery))
        if len(rows) > PIECE_UNITS:
            yield Decoded(units.take(), {"raw_dicom__element": table_of_rows("raw_dicom__element", rows)})
            rows = []
    yield Decoded(units.take(), {"raw_dicom__element": table_of_rows("raw_dicom__element", rows)})


def _instance(delivery: Delivered, units: Units, rows: list[dict[str, Any]]) -> None:
    # pydicom takes 0.2 s to import, and most runs hold no DICOM file.
    from transforms.decode.dicom.elements import element_rows
    from transforms.decode.dicom.reading import UNREADABLE, is_part_10, read_instance

    payload = delivery.payload.content()
    try:
        read = read_instance(payload) if is_part_10(payload) else None
        found = list(element_rows(read.data, read.is_little_endian)) if read else []
    except UNREADABLE:
        read = None
    if read is None:
        units.add(_unit(delivery, UNKNOWN_TYPE, content_hash(payload), NOT_PART_10, "file"))
        return
    top = {row["path"]: row["value"] for row in found}
    # Names of the transmission (file meta information) are no content; a value too long to be kept is among the bytes that follow.
    said = "\x1e".join(f"{row['path']}\x1f{row['value']}\x1f{row['length'] if row['value'] is None else ''}" for row in found)
    code = MISSING_SOP if not top.get(_SOP_INSTANCE) else MISSING_STUDY if not top.get(_STUDY) else None
    path = f"element/{_SOP_INSTANCE if code == MISSING_SOP else _STUDY}" if code else None
    hashed = content_hash(f"{said}\x1e{read.rest_hash}".encode("utf-8", "surrogatepass"))
    units.add(_unit(delivery, top.get(_SOP_CLASS) or UNKNOWN_TYPE, hashed, code, path))
    if code is None:
        for row in (*element_rows(read.meta, True), *found):
            row["delivery_id"], row["unit_ordinal"], row["record_locator"] = delivery.delivery_id, 1, f"element/{row['path']}"
            rows.append(row)


def _unit(delivery: Delivered, record_type: str, hashed: str, code: str | None, path: str | None) -> Unit:
    return Unit(delivery.delivery_id, 1, "dicom.instance", "file", record_type, hashed, code, path)
