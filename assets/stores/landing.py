"""Landing: payloads kept once under their SHA-256 and never changed, deliveries beside them, all sealed.

`payload/<2 hex>/<sha256>` holds the bytes; `delivery/<facility>/<batch date>/<delivery_id>` one arrival. The sender's file
name is inside the sealed delivery, never a name on disk: it may be a patient's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from assets.stores.durable import write_durable
from assets.stores.envelope import seal, unseal
from assets.stores.keys import Keys
from transforms.errors import PayloadError
from transforms.landing.delivery import Delivery
from transforms.landing.payload import payload_id


@dataclass(frozen=True)
class LandingStore:
    """The landing folder of a data root."""

    root: Path
    keys: Keys = field(repr=False)

    def land(self, content: bytes, *, facility_id: str, source: str, batch_date: date, original_name: str,
             received_time: datetime, token: str | None = None) -> Delivery:
        """Keep a payload and record its arrival; durable when this returns.

        The same file landed twice is two deliveries, told apart by their ordinal. A source that repeats itself passes a
        `token` (object version, journal segment): a repeated token is the same delivery.
        """
        identifier = payload_id(content)
        self._keep(identifier, content)
        equals = [
            known for known in self.deliveries(facility_id, batch_date)
            if (known.source, known.original_name, known.payload_id) == (source, original_name, identifier)
        ]
        for known in equals:
            if token is not None and known.token == token:
                return known
        delivery = Delivery(
            facility_id=facility_id, source=source, batch_date=batch_date, original_name=original_name, payload_id=identifier,
            ordinal=len(equals) + 1, received_time=received_time, size=len(content), token=token,
        )
        sealed = seal(self.keys, json.dumps(delivery.to_json()).encode())
        write_durable(self._folder(facility_id, batch_date) / delivery.delivery_id, sealed)
        return delivery

    def deliveries(self, facility_id: str, batch_date: date) -> Sequence[Delivery]:
        """Give the arrivals of one partition, in the order of their ids."""
        folder = self._folder(facility_id, batch_date)
        if not folder.is_dir():
            return []
        paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
        return [Delivery.from_json(json.loads(unseal(self.keys, path.read_bytes(), f"delivery {path.name}"))) for path in paths]

    def partitions(self) -> Iterator[tuple[str, date, tuple[str, ...]]]:
        """Walk all partitions that have deliveries: facility, batch date, delivery ids."""
        base = self.root / "landing" / "delivery"
        for facility in sorted(base.iterdir()) if base.is_dir() else []:
            for folder in sorted(facility.iterdir()):
                names = tuple(sorted(path.name for path in folder.iterdir() if not path.name.startswith(".")))
                if names:
                    yield facility.name, date.fromisoformat(folder.name), names

    def read(self, identifier: str) -> bytes:
        """Give a payload's bytes. Raises PayloadError where they are missing or are no longer those that were landed."""
        path = self._payload_path(identifier)
        if not path.exists():
            raise PayloadError(f"payload {identifier}: its file is missing. Remedy: restore it from a copy of the landing folder.")
        content = unseal(self.keys, path.read_bytes(), f"payload {identifier}")
        if payload_id(content) != identifier:
            raise PayloadError(f"payload {identifier}: the bytes are not those that were landed. Remedy: restore it from a copy.")
        return content

    def _keep(self, identifier: str, content: bytes) -> None:
        path = self._payload_path(identifier)
        if not path.exists():
            write_durable(path, seal(self.keys, content))

    def _payload_path(self, identifier: str) -> Path:
        return self.root / "landing" / "payload" / identifier[:2] / identifier

    def _folder(self, facility_id: str, batch_date: date) -> Path:
        return self.root / "landing" / "delivery" / facility_id / batch_date.isoformat()
