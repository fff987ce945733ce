"""Landing: payloads kept once under their SHA-256 and never changed, deliveries beside them, all sealed.

`payload/<2 hex>/<sha256>` holds the bytes; `delivery/<facility>/<batch date>/<delivery_id>` one arrival. The sender's file
name is inside the sealed delivery, never a name in the store: it may be a patient's.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from itertools import groupby

from assets.stores.crash_points import reach
from assets.stores.envelope import seal, unseal
from assets.stores.keys import Keys
from assets.stores.objects import ObjectStore
from assets.stores.segments import open_segments, seal_segments
from transforms.errors import ConfigurationError, PayloadError
from transforms.landing.delivery import Delivery
from transforms.landing.payload import Payload


@dataclass(frozen=True)
class LandingStore:
    """Payloads and deliveries in an object store."""

    objects: ObjectStore
    keys: Keys = field(repr=False)

    def land(self, content: bytes | Payload, *, facility_id: str, source: str, batch_date: date, original_name: str,
             received_time: datetime, token: str | None = None) -> Delivery:
        """Keep a payload and record its arrival; durable when this returns.

        The same file landed twice is two deliveries, told apart by their ordinal. A source that repeats itself passes a
        `token` (object version, journal segment): a repeated token is the same delivery.
        """
        payload = content if isinstance(content, Payload) else Payload.of(content)
        identifier = payload.payload_id
        # The payload comes first: a crash in between leaves bytes that nobody delivered, never a delivery without bytes.
        self.objects.add_blocks(_payload(identifier), seal_segments(self.keys, _unchanged(payload, identifier), identifier))
        reach("landing.payload")
        ordinal = 0
        while True:
            ordinal += 1
            delivery = Delivery(
                facility_id=facility_id, source=source, batch_date=batch_date, original_name=original_name, payload_id=identifier,
                ordinal=ordinal, received_time=received_time, size=payload.size, token=token,
            )
            name = _folder(facility_id, batch_date) + delivery.delivery_id
            # The id follows from what was delivered and its ordinal: a name that is taken is an equal arrival, whoever recorded it.
            if self.objects.add(name, seal(self.keys, json.dumps(delivery.to_json()).encode())):
                reach("landing.delivery")
                return delivery
            known = self._delivery(name)
            if token is not None and known.token == token:
                return known

    def deliveries(self, facility_id: str, batch_date: date) -> Sequence[Delivery]:
        """Give the arrivals of one partition, in the order of their ids."""
        return [self._delivery(name) for name in self.objects.names(_folder(facility_id, batch_date))]

    def partitions(self) -> Iterator[tuple[str, date, tuple[str, ...]]]:
        """Walk all partitions that have deliveries: facility, batch date, delivery ids."""
        found = (name.split("/")[1:] for name in self.objects.names("delivery/"))
        for (facility_id, day), group in groupby(found, key=lambda parts: (parts[0], parts[1])):
            yield facility_id, date.fromisoformat(day), tuple(parts[2] for parts in group)

    def open(self, identifier: str, size: int) -> Payload:
        """Give a payload of `size` bytes, to be read from its beginning as often as asked.

        Reading raises PayloadError where it is missing or altered; that its bytes are those that were landed is known at their end.
        """
        return Payload(size, partial(self._opened, identifier))

    def read(self, identifier: str) -> bytes:
        """Give a payload's bytes. Raises PayloadError where they are missing or are no longer those that were landed."""
        return b"".join(self._opened(identifier))

    def _opened(self, identifier: str) -> Iterator[bytes]:
        sealed = self.objects.blocks(_payload(identifier))
        if sealed is None:
            raise PayloadError(f"payload {identifier}: its file is missing. Remedy: restore it from a copy of the landing folder.")
        found = hashlib.sha256()
        for block in open_segments(self.keys, sealed, identifier, f"payload {identifier}"):
            found.update(block)
            yield block
        if found.hexdigest() != identifier:
            raise PayloadError(f"payload {identifier}: the bytes are not those that were landed. Remedy: restore it from a copy.")

    def _delivery(self, name: str) -> Delivery:
        sealed, delivery_id = self.objects.get(name), name.rpartition("/")[2]
        if sealed is None:
            raise PayloadError(f"delivery {delivery_id}: its file is missing. Remedy: restore it from a copy of the landing folder.")
        return Delivery.from_json(json.loads(unseal(self.keys, sealed, f"delivery {delivery_id}")))


def _unchanged(payload: Payload, identifier: str) -> Iterator[bytes]:
    """The payload's bytes. Raises ConfigurationError at their end where they are no longer those that gave it its name."""
    found, size = hashlib.sha256(), 0
    for block in payload.blocks():
        found.update(block)
        size += len(block)
        yield block
    if found.hexdigest() != identifier or size != payload.size:
        raise ConfigurationError("A file changed while it was landed, and was not kept. Remedy: land it again when its sender is done.")


def _payload(identifier: str) -> str:
    return f"payload/{identifier[:2]}/{identifier}"


def _folder(facility_id: str, batch_date: date) -> str:
    return f"delivery/{facility_id}/{batch_date.isoformat()}/"
