"""Landing: payloads kept once under their SHA-256 and never changed, deliveries beside them, all sealed.

`payload/<2 hex>/<sha256>` holds the bytes; `delivery/<facility>/<batch date>/<delivery_id>` one arrival. The sender's file
name is inside the sealed delivery, never a name in the store: it may be a patient's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby

from assets.stores.crash_points import reach
from assets.stores.envelope import seal, unseal
from assets.stores.keys import Keys
from assets.stores.objects import ObjectStore
from transforms.errors import PayloadError
from transforms.landing.delivery import Delivery
from transforms.landing.payload import payload_id


@dataclass(frozen=True)
class LandingStore:
    """Payloads and deliveries in an object store."""

    objects: ObjectStore
    keys: Keys = field(repr=False)

    def land(self, content: bytes, *, facility_id: str, source: str, batch_date: date, original_name: str,
             received_time: datetime, token: str | None = None) -> Delivery:
        """Keep a payload and record its arrival; durable when this returns.

        The same file landed twice is two deliveries, told apart by their ordinal. A source that repeats itself passes a
        `token` (object version, journal segment): a repeated token is the same delivery.
        """
        identifier = payload_id(content)
        # The payload comes first: a crash in between leaves bytes that nobody delivered, never a delivery without bytes.
        self._keep(identifier, content)
        reach("landing.payload")
        while True:
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
            # Another process may have taken this ordinal meanwhile: count again.
            if self.objects.add(_folder(facility_id, batch_date) + delivery.delivery_id, sealed):
                reach("landing.delivery")
                return delivery

    def deliveries(self, facility_id: str, batch_date: date) -> Sequence[Delivery]:
        """Give the arrivals of one partition, in the order of their ids."""
        return [self._delivery(name) for name in self.objects.names(_folder(facility_id, batch_date))]

    def partitions(self) -> Iterator[tuple[str, date, tuple[str, ...]]]:
        """Walk all partitions that have deliveries: facility, batch date, delivery ids."""
        found = (name.split("/")[1:] for name in self.objects.names("delivery/"))
        for (facility_id, day), group in groupby(found, key=lambda parts: (parts[0], parts[1])):
            yield facility_id, date.fromisoformat(day), tuple(parts[2] for parts in group)

    def read(self, identifier: str) -> bytes:
        """Give a payload's bytes. Raises PayloadError where they are missing or are no longer those that were landed."""
        sealed = self.objects.get(_payload(identifier))
        if sealed is None:
            raise PayloadError(f"payload {identifier}: its file is missing. Remedy: restore it from a copy of the landing folder.")
        content = unseal(self.keys, sealed, f"payload {identifier}")
        if payload_id(content) != identifier:
            raise PayloadError(f"payload {identifier}: the bytes are not those that were landed. Remedy: restore it from a copy.")
        return content

    def _keep(self, identifier: str, content: bytes) -> None:
        self.objects.add(_payload(identifier), seal(self.keys, content))

    def _delivery(self, name: str) -> Delivery:
        sealed, delivery_id = self.objects.get(name), name.rpartition("/")[2]
        if sealed is None:
            raise PayloadError(f"delivery {delivery_id}: its file is missing. Remedy: restore it from a copy of the landing folder.")
        return Delivery.from_json(json.loads(unseal(self.keys, sealed, f"delivery {delivery_id}")))


def _payload(identifier: str) -> str:
    return f"payload/{identifier[:2]}/{identifier}"


def _folder(facility_id: str, batch_date: date) -> str:
    return f"delivery/{facility_id}/{batch_date.isoformat()}/"
