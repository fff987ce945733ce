"""Encryption at rest of one small file, a delivery: AES-256-GCM with the key's id in the clear before it. Payloads: `segments`.

Layout: magic `LHE1`, key id (8 bytes), nonce (12 bytes), ciphertext with tag. The magic and key id are authenticated.
"""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from assets.stores.keys import Keys
from transforms.errors import ConfigurationError, PayloadError

MAGIC = b"LHE1"
HEADER = len(MAGIC) + 8
NONCE = 12


def seal(keys: Keys, content: bytes) -> bytes:
    """Encrypt bytes into an envelope."""
    header = MAGIC + keys.key_id
    nonce = os.urandom(NONCE)
    return header + nonce + AESGCM(keys.derive("payload")).encrypt(nonce, content, header)


def unseal(keys: Keys, sealed: bytes, name: str) -> bytes:
    """Decrypt an envelope; `name` is its coordinate for messages.

    Raises ConfigurationError where another key sealed it, PayloadError where the bytes were altered.
    """
    header, nonce, body = sealed[:HEADER], sealed[HEADER : HEADER + NONCE], sealed[HEADER + NONCE :]
    check_header(keys, header, name)
    try:
        return AESGCM(keys.derive("payload")).decrypt(nonce, body, header)
    except InvalidTag:
        raise PayloadError(f"{name}: the sealed bytes were altered. Remedy: restore the file from a copy.") from None


def check_header(keys: Keys, header: bytes, name: str, magic: bytes = MAGIC) -> None:
    """Raise PayloadError where a file does not begin with `magic`, ConfigurationError where another key sealed it."""
    if header[: len(magic)] != magic:
        raise PayloadError(f"{name}: not a sealed file; it was altered or never completed. Remedy: restore it from a copy.")
    named = header[len(magic) : HEADER]
    if named != keys.key_id:
        raise ConfigurationError(f"{name}: sealed with key {named.hex()}, not {keys.key_id.hex()}. Remedy: use that key.")
