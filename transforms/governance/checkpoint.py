"""Signed checkpoints: "at this size the log had this root", in the note form that transparency logs exchange.

A note is text, an empty line and one signature line (C2SP signed-note, tlog-checkpoint):

    lakehouse/audit
    4096
    <base64 of the root>

    — lakehouse/audit <base64 of key hash (4 bytes) and Ed25519 signature (64 bytes, RFC 8032)>
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from transforms.governance.merkle import HASH_SIZE

ORIGIN = "lakehouse/audit"
_SIGNATURE_MARK = "\u2014 "
_ED25519_NOTE_TYPE = b"\x01"


@dataclass(frozen=True)
class Checkpoint:
    """The state of the log at one size, as a note says it."""

    origin: str
    size: int
    root: bytes
    key_hash: str
    """The first 8 hex digits that the note gives for its key."""
    signature: bytes

    @property
    def text(self) -> bytes:
        """The signed text."""
        return _text(self.origin, self.size, self.root)


def _text(origin: str, size: int, root: bytes) -> bytes:
    return f"{origin}\n{size}\n{b64encode(root).decode()}\n".encode()


def key_hash(public_key: bytes, origin: str = ORIGIN) -> str:
    """The 8 hex digits that name a key in a note (C2SP signed-note)."""
    return sha256(origin.encode() + b"\n" + _ED25519_NOTE_TYPE + public_key).hexdigest()[:8]


def fingerprint(public_key: bytes) -> str:
    """The name of a key for people: 16 hex digits of the SHA-256 of its 32 bytes."""
    return sha256(public_key).hexdigest()[:16]


def sign_checkpoint(size: int, root: bytes, key: Ed25519PrivateKey, origin: str = ORIGIN) -> str:
    """The signed note for a log of `size` entries with `root`."""
    text = _text(origin, size, root)
    marked = bytes.fromhex(key_hash(key.public_key().public_bytes_raw(), origin)) + key.sign(text)
    return f"{text.decode()}\n{_SIGNATURE_MARK}{origin} {b64encode(marked).decode()}\n"


def parse_checkpoint(note: str) -> Checkpoint:
    """Read a note. Raises ValueError where it is not one; the signature is not yet checked."""
    text, separator, line = note.partition("\n" + _SIGNATURE_MARK)
    lines, words = text.split("\n"), line.split()
    if not separator or len(lines) != 4 or lines[3] or len(words) != 2 or not lines[1].isdecimal():
        raise ValueError("not a checkpoint note")
    try:
        root, marked = b64decode(lines[2], validate=True), b64decode(words[1], validate=True)
    except Base64Error as fault:
        raise ValueError("not a checkpoint note") from fault
    if len(root) != HASH_SIZE or words[0] != lines[0]:
        raise ValueError("not a checkpoint note")
    return Checkpoint(lines[0], int(lines[1]), root, marked[:4].hex(), marked[4:])


def signer(checkpoint: Checkpoint, public_keys: Iterable[bytes]) -> bytes | None:
    """The one of the public keys (32 bytes each) that signed the checkpoint; None where none did."""
    for public_key in public_keys:
        if key_hash(public_key, checkpoint.origin) != checkpoint.key_hash:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(public_key).verify(checkpoint.signature, checkpoint.text)
        except InvalidSignature:
            continue
        return public_key
    return None
