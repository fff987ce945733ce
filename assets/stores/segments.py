"""Encryption at rest of a payload of any size: sealed and opened segment by segment, so that memory does not depend on it.

The STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár: Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance,
CRYPTO 2015, section 7) over AES-256-GCM. Layout: magic `LHE2`, key id (8 bytes), salt (32 bytes), then segments of 1 MiB of plaintext,
the last one shorter or equal, each with its tag. A payload has a key of its own, derived from the salt; a segment's nonce is its index
(11 bytes) and whether it is the last; header and payload id are authenticated with each. So segments that are altered, exchanged, left
out, repeated or cut off, and a file put in another's place, do not open. Payloads sealed as a whole (`envelope`, `LHE1`) are read too.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from assets.stores import envelope
from assets.stores.keys import Keys
from transforms.errors import PayloadError

MAGIC = b"LHE2"
SALT = 32
HEADER = envelope.HEADER + SALT
SEGMENT = 1 << 20
TAG = 16


def seal_segments(keys: Keys, blocks: Iterable[bytes], identifier: str) -> Iterator[bytes]:
    """Encrypt the bytes of the payload named `identifier` as they come."""
    header = MAGIC + keys.key_id + os.urandom(SALT)
    cipher, bound = _cipher(keys, header), header + identifier.encode()
    yield header
    for index, (segment, is_last) in enumerate(_marked(_cut(blocks, SEGMENT))):
        yield cipher.encrypt(_nonce(index, is_last), segment, bound)


def open_segments(keys: Keys, sealed: Iterable[bytes], identifier: str, name: str) -> Iterator[bytes]:
    """Decrypt what `seal_segments` or `envelope.seal` made; `name` is its coordinate for messages.

    Nothing is given that is not authentic; what is missing at the end is told when the end is reached. Raises ConfigurationError where
    another key sealed it, PayloadError where the bytes were altered.
    """
    pieces = iter(sealed)
    begin = b""
    while len(begin) < HEADER and (piece := next(pieces, b"")):
        begin += piece
    if begin.startswith(envelope.MAGIC):
        yield envelope.unseal(keys, b"".join((begin, *pieces)), name)
        return
    envelope.check_header(keys, begin, name, MAGIC)
    header = begin[:HEADER]
    cipher, bound = _cipher(keys, header), header + identifier.encode()
    try:
        for index, (segment, is_last) in enumerate(_marked(_cut(_after(begin[HEADER:], pieces), SEGMENT + TAG))):
            yield cipher.decrypt(_nonce(index, is_last), segment, bound)
    except InvalidTag:
        raise PayloadError(f"{name}: the sealed bytes were altered. Remedy: restore the file from a copy.") from None


def _cipher(keys: Keys, header: bytes) -> AESGCM:
    derived = HKDF(algorithm=hashes.SHA256(), length=32, salt=header[-SALT:], info=b"lakehouse/segments").derive(keys.derive("payload"))
    return AESGCM(derived)


def _nonce(index: int, is_last: bool) -> bytes:
    return index.to_bytes(11, "big") + bytes([is_last])


def _after(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _cut(blocks: Iterable[bytes], length: int) -> Iterator[bytes]:
    """The same bytes in pieces of a length, the last one shorter or equal; one empty piece where there are none."""
    held = bytearray()
    for block in blocks:
        held += block
        while len(held) > length:
            yield bytes(held[:length])
            del held[:length]
    yield bytes(held)


def _marked(pieces: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each piece and whether it is the last."""
    held = next(pieces)
    for piece in pieces:
        yield held, False
        held = piece
    yield held, True
