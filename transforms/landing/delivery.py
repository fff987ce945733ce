"""A delivery: one arrival of a payload from one feed.

Belongs here: what is known of an arrival without opening the payload, and its identity. Does not belong here: storage.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any


@dataclass(frozen=True)
class Delivery:
    """One arrival. `ordinal` counts from 1 among deliveries that are equal otherwise, `received_time` is an instant in
    UTC, `size` is in bytes, `control_total` is the number of records that the source announced beside the payload.
    `token` names the arrival where the source may repeat itself (object version, journal segment)."""

    facility_id: str
    source: str
    batch_date: date
    original_name: str
    payload_id: str
    ordinal: int
    received_time: datetime
    size: int
    control_total: int | None = None
    token: str | None = None

    def __post_init__(self) -> None:
        if self.received_time.tzinfo is None:
            raise ValueError("received_time has no time zone")

    @property
    def delivery_id(self) -> str:
        """md5, lower-case hex, of the canonical text: a JSON array without spaces, non-ASCII as \\u escapes, of
        facility, source, ISO batch date, original name, payload id and ordinal; not of the time of receipt."""
        day = self.batch_date.isoformat()
        parts = [self.facility_id, self.source, day, self.original_name, self.payload_id, self.ordinal]
        canonical = json.dumps(parts, separators=(",", ":"), ensure_ascii=True)
        return hashlib.md5(canonical.encode("ascii"), usedforsecurity=False).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Values that JSON can hold, delivery_id included for the reader's sake."""
        return {
            "delivery_id": self.delivery_id,
            "facility_id": self.facility_id,
            "source": self.source,
            "batch_date": self.batch_date.isoformat(),
            "original_name": self.original_name,
            "payload_id": self.payload_id,
            "ordinal": self.ordinal,
            "received_time": self.received_time.astimezone(UTC).isoformat(timespec="microseconds"),
            "size": self.size,
            "control_total": self.control_total,
            "token": self.token,
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Delivery:
        """Inverse of `to_json`; ValueError where the recorded delivery_id is not that of the values."""
        delivery = cls(
            facility_id=values["facility_id"],
            source=values["source"],
            batch_date=date.fromisoformat(values["batch_date"]),
            original_name=values["original_name"],
            payload_id=values["payload_id"],
            ordinal=int(values["ordinal"]),
            received_time=datetime.fromisoformat(values["received_time"]),
            size=int(values["size"]),
            control_total=values["control_total"],
            token=values.get("token"),
        )
        if values.get("delivery_id", delivery.delivery_id) != delivery.delivery_id:
            raise ValueError("the recorded delivery_id is not that of the delivery")
        return delivery
