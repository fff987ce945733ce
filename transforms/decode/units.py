"""The unit table while it is gathered, and the units that are whole payloads.

Belongs here: rows of UNIT_SCHEMA. Does not belong here: anything that knows a format.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import NamedTuple

import pyarrow as pa

from transforms.decode.contract import UNIT_SCHEMA, Delivered

EMPTY = "payload.empty"
UNRECOGNISED = "payload.unrecognised_format"
TOO_LARGE = "payload.too_large"
UNKNOWN_TYPE = "unknown"
# Units and rows that a decoder of lines gathers before it gives them: bounds memory, and keeps a text column far below Arrow's 2 GiB.
PIECE_UNITS, PIECE_BYTES = 1 << 16, 32 << 20


class Unit(NamedTuple):
    """One row of UNIT_SCHEMA; `flags` is sorted and joined when the table is made."""

    delivery_id: str
    unit_ordinal: int
    unit_kind: str
    unit_locator: str
    record_type: str
    content_hash: str
    reject_code: str | None = None
    reject_path: str | None = None
    flags: frozenset[str] | set[str] = frozenset()


@dataclass
class Units:
    """Units in the order in which they were found."""

    _units: list[Unit] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self._units)

    def add(self, unit: Unit) -> None:
        """Append a unit."""
        self._units.append(unit)

    def take(self) -> pa.Table:
        """The units since the last time as UNIT_SCHEMA."""
        units, self._units = self._units, []
        if not units:
            return UNIT_SCHEMA.empty_table()
        *columns, flags = zip(*units, strict=True)
        joined = [",".join(sorted(some)) if some else None for some in flags]
        arrays = [pa.array(values, one.type) for values, one in zip((*columns, joined), UNIT_SCHEMA, strict=True)]
        return pa.table(arrays, schema=UNIT_SCHEMA)


def content_hash(content: bytes) -> str:
    """md5 of decoded content, lower-case hex."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def payload_unit(delivery: Delivered, code: str) -> Unit:
    """The single unit of a payload that cannot be cut into units."""
    return Unit(
        delivery.delivery_id, 1, "payload", "payload", UNKNOWN_TYPE, delivery.payload.digest("md5"), code, "payload"
    )


def unreadable(delivery: Delivered) -> Unit:
    """Unit of a payload that is empty or has no form that its feed could have."""
    return payload_unit(delivery, UNRECOGNISED if delivery.payload.size else EMPTY)
