"""Payloads sealed in segments: what was done to their bytes is noticed, whatever it was."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from assets.stores import s3_objects
from assets.stores.envelope import seal
from assets.stores.keys import Keys
from assets.stores.landing import LandingStore
from assets.stores.objects import FolderObjects
from assets.stores.segments import HEADER, SEGMENT, TAG, open_segments, seal_segments
from tests.integration.conftest import Bucket
from transforms.errors import ConfigurationError, PayloadError
from transforms.landing.payload import Payload, payload_id

KEYS = Keys(b"k" * 32)
CONTENT = os.urandom(2 * SEGMENT + 10)
SEALED = b"".join(seal_segments(KEYS, [CONTENT], "name"))
FIRST, SECOND, LAST = (slice(HEADER + place * (SEGMENT + TAG), HEADER + (place + 1) * (SEGMENT + TAG)) for place in range(3))


def opened(sealed: bytes, identifier: str = "name", keys: Keys = KEYS) -> bytes:
    """What is given of sealed bytes that come in blocks of no particular length."""
    return b"".join(open_segments(keys, (sealed[at : at + 70_001] for at in range(0, len(sealed), 70_001)), identifier, "payload"))


@pytest.mark.parametrize("size", [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 3 * SEGMENT])
def test_what_is_sealed_is_opened(size: int) -> None:
    """Bytes of any length come back, whatever blocks they went in by, and their sealed form is as long as they with header and tags."""
    content = os.urandom(size)
    sealed = b"".join(seal_segments(KEYS, (content[at : at + 300_000] for at in range(0, size, 300_000)), "name"))
    assert opened(sealed) == content
    assert len(sealed) == HEADER + size + TAG * max(-(-size // SEGMENT), 1)


@pytest.mark.parametrize("change", [
    lambda: SEALED[: FIRST.start] + SEALED[SECOND] + SEALED[FIRST] + SEALED[LAST],
    lambda: SEALED[: SECOND.start] + SEALED[LAST],
    lambda: SEALED[: LAST.start],
    lambda: SEALED[: LAST.start + 5],
    lambda: SEALED + SEALED[LAST],
    lambda: SEALED[: FIRST.stop] + SEALED[FIRST] + SEALED[SECOND.start :],
    lambda: SEALED[:HEADER] + b"".join(seal_segments(KEYS, [CONTENT], "name"))[HEADER:],
    lambda: SEALED[: HEADER - 1] + bytes([SEALED[HEADER - 1] ^ 1]) + SEALED[HEADER:],
    lambda: SEALED[:SECOND.start + 9] + bytes([SEALED[SECOND.start + 9] ^ 1]) + SEALED[SECOND.start + 10 :],
    lambda: SEALED[:HEADER],
], ids=["exchanged", "left out", "cut at a segment", "cut inside", "last repeated", "repeated", "of another sealing", "salt", "bit", "header alone"])
def test_segments_that_were_moved_or_altered_do_not_open(change: Callable[[], bytes]) -> None:
    """Order, number and content of segments are authentic or nothing is believed."""
    with pytest.raises(PayloadError, match="payload: the sealed bytes were altered.*Remedy"):
        opened(change())


def test_a_file_in_anothers_place_does_not_open() -> None:
    """A payload is bound to its name, and to the key that is named in its header."""
    with pytest.raises(PayloadError, match="altered"):
        opened(SEALED, "other")
    with pytest.raises(ConfigurationError, match="sealed with key"):
        opened(SEALED, keys=Keys(b"o" * 32))
    with pytest.raises(PayloadError, match="not a sealed file"):
        opened(b"LHE9" + SEALED[4:])


def test_payloads_sealed_as_a_whole_are_read() -> None:
    """What was landed before payloads were sealed in segments is given back."""
    assert opened(seal(KEYS, CONTENT)) == CONTENT


def test_one_sealed_as_a_whole_in_anothers_place_is_refused(tmp_path: Path) -> None:
    """Such a file is bound to no name: its bytes are, by their hash."""
    objects = FolderObjects(tmp_path)
    objects.add(f"payload/{payload_id(b'one')[:2]}/{payload_id(b'one')}", seal(KEYS, b"two"))
    with pytest.raises(PayloadError, match="not those that were landed"):
        LandingStore(objects, KEYS).read(payload_id(b"one"))


def test_a_file_that_changes_while_it_is_landed_is_not_kept(tmp_path: Path) -> None:
    """Bytes that are no longer those that gave the name its hash take no name and are no delivery."""
    landing = LandingStore(FolderObjects(tmp_path), KEYS)
    contents = iter([b"one", b"two"])
    with pytest.raises(ConfigurationError, match="changed while it was landed"):
        landing.land(Payload(3, lambda: (next(contents),)), facility_id="f", source="s", batch_date=date(2026, 1, 5), original_name="n",
                     received_time=datetime(2026, 1, 6, tzinfo=UTC))
    assert landing.objects.names() == []


def test_a_large_payload_goes_to_a_bucket_in_parts(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts become one locked object that nobody overwrites; a landing that fails leaves no parts behind."""
    monkeypatch.setattr(s3_objects, "PART_BYTES", 5 << 20)
    store, content, asked = bucket.objects(lock_days=1), os.urandom(11 << 20), list[str]()
    # The S3 server of the tests does not lock what came in parts, so what is asked of it is looked at.
    bucket.client.meta.events.register("provide-client-params.s3.CreateMultipartUpload",
                                       lambda params, **_: asked.append(str(params.get("ObjectLockMode"))))
    landing = LandingStore(store, KEYS)
    delivery = landing.land(content, facility_id="f", source="s", batch_date=date(2026, 1, 5), original_name="n",
                            received_time=datetime(2026, 1, 6, tzinfo=UTC))
    assert landing.read(payload_id(content)) == content
    assert b"".join(landing.open(delivery.payload_id, delivery.size).blocks()) == content
    name = landing.objects.names("payload/")[0]
    assert asked == ["COMPLIANCE"]
    assert not store.add_blocks(name, iter([content]))
    assert landing.read(payload_id(content)) == content

    def broken() -> object:
        yield content
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.add_blocks("payload/other", broken())  # type: ignore[arg-type]
    assert store.get("payload/other") is None
    assert not bucket.client.list_multipart_uploads(Bucket=bucket.name).get("Uploads")
