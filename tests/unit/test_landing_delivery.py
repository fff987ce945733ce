"""Payloads and deliveries: their names, and that JSON keeps them."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from transforms.landing.delivery import Delivery
from transforms.landing.payload import Payload, payload_id

DELIVERY = Delivery(
    facility_id="riverside", source="adt", batch_date=date(2026, 1, 5), original_name="adt|é.hl7",
    payload_id=payload_id(b"abc"), ordinal=1, received_time=datetime(2026, 1, 6, 1, 2, 3, 4, tzinfo=UTC), size=3, control_total=7,
)  # fmt: skip


def test_a_payload_is_named_by_its_sha256() -> None:
    """The name of a payload is the SHA-256 of FIPS 180-4's example."""
    assert payload_id(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert (Payload.of(b"abc").payload_id, Payload.of(b"abc").size) == (payload_id(b"abc"), 3)


def test_delivery_id_is_md5_of_the_documented_text() -> None:
    """The identity of a delivery can be worked out by hand (md5sum of the JSON array)."""
    # printf '["riverside","adt","2026-01-05","adt|\\u00e9.hl7","ba78…15ad",1]' | md5sum
    assert DELIVERY.delivery_id == "cba38a1c1c7889964d1f4f131414afbd"


@pytest.mark.parametrize(
    "change",
    [{"facility_id": "x"}, {"source": "x"}, {"batch_date": date(2026, 1, 6)}, {"original_name": "x"}, {"payload_id": "x"}, {"ordinal": 2}],
)
def test_each_part_of_the_identity_counts(change: dict[str, object]) -> None:
    """Another facility, source, batch date, name, payload or ordinal is another delivery."""
    assert dataclasses.replace(DELIVERY, **change).delivery_id != DELIVERY.delivery_id  # type: ignore[arg-type]


def test_receipt_plays_no_part_in_the_identity() -> None:
    """When a delivery was received and what its source announced do not make it another."""
    later = dataclasses.replace(DELIVERY, received_time=DELIVERY.received_time + timedelta(days=1), control_total=None)
    assert later.delivery_id == DELIVERY.delivery_id


def test_json_keeps_a_delivery() -> None:
    """A delivery comes back from JSON as it went, its time in UTC."""
    local = dataclasses.replace(DELIVERY, received_time=datetime(2026, 1, 5, 20, 2, 3, 4, tzinfo=timezone(timedelta(hours=-5))))
    assert Delivery.from_json(local.to_json()) == DELIVERY
    assert local.to_json()["received_time"] == "2026-01-06T01:02:03.000004+00:00"


def test_a_changed_record_is_noticed() -> None:
    """A recorded delivery whose parts no longer make its id is refused."""
    with pytest.raises(ValueError, match="delivery_id"):
        Delivery.from_json(DELIVERY.to_json() | {"source": "oru"})


def test_a_time_without_zone_is_refused() -> None:
    """A received time is an instant."""
    with pytest.raises(ValueError, match="time zone"):
        dataclasses.replace(DELIVERY, received_time=datetime(2026, 1, 5))  # noqa: DTZ001 - the point of the test
