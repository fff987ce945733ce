"""The log's own keys, as events of the log: the first key, and each change signed by the key before it."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from transforms.governance.checkpoint import fingerprint
from transforms.governance.events import Event

_CONTEXT = b"lakehouse/audit key rotation\n"


def key_created(public_key: bytes) -> Event:
    """The first entry of a log: the key (32 bytes) that signs it."""
    body = {"public_key": b64encode(public_key).decode(), "fingerprint": fingerprint(public_key)}
    return Event("key.create", f"key:{body['fingerprint']}", body)


def key_rotated(old_key: Ed25519PrivateKey, public_key: bytes) -> Event:
    """The change to a new key, with the old key's signature over it."""
    body = {
        "old_fingerprint": fingerprint(old_key.public_key().public_bytes_raw()),
        "public_key": b64encode(public_key).decode(),
        "fingerprint": fingerprint(public_key),
        "proof": b64encode(old_key.sign(_CONTEXT + public_key)).decode(),
    }
    return Event("key.rotate", f"key:{body['fingerprint']}", body)


def rotated_key(old_public_key: bytes, body: Mapping[str, str]) -> bytes | None:
    """The new public key that a `key.rotate` body brings; None where the old key did not sign it."""
    try:
        public_key = b64decode(body["public_key"], validate=True)
        Ed25519PublicKey.from_public_bytes(old_public_key).verify(b64decode(body["proof"]), _CONTEXT + public_key)
    except (KeyError, ValueError, InvalidSignature):
        return None
    return public_key
