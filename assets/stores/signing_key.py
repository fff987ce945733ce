"""The audit log's signing key in a file: private half with mode 0600, public half beside it for auditors."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from transforms.errors import ConfigurationError


def signing_key(path: Path) -> Ed25519PrivateKey:
    """The key in `path` (PKCS#8 PEM), made on first use together with `<path>.pub` (the 32 bytes in hexadecimal).

    Raises ConfigurationError where others may read the file or it holds no Ed25519 key.
    """
    if not path.exists():
        _create(path)
    if path.stat().st_mode & 0o077:
        raise ConfigurationError(f"{path}: the signing key is readable by others. Remedy: chmod 600 {path}")
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError) as fault:
        raise ConfigurationError(f"{path}: not a private key in PEM form. Remedy: restore it from its backup.") from fault
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigurationError(f"{path}: not an Ed25519 key. Remedy: restore it from its backup.")
    return key


def public_key(file: Path) -> bytes:
    """The public half (32 bytes) from its own file (`<private>.pub`), for verifying without the private key.

    Raises ConfigurationError where the file is missing or holds no key.
    """
    try:
        found = bytes.fromhex(file.read_text().strip())
    except (FileNotFoundError, ValueError) as fault:
        raise ConfigurationError(f"{file}: no public key. Remedy: restore it from its backup.") from fault
    if len(found) != 32:
        raise ConfigurationError(f"{file}: not a public key of 32 bytes. Remedy: restore it from its backup.")
    return found


def _create(path: Path) -> None:
    """Write a new key whole or not at all; where two processes race, the first one's key stands."""
    key = Ed25519PrivateKey.generate()
    path.parent.mkdir(parents=True, exist_ok=True)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    try:
        path.hardlink_to(part)
    except FileExistsError:
        return
    finally:
        part.unlink()
    public = key.public_key().public_bytes_raw()
    path.with_name(path.name + ".pub").write_text(public.hex() + "\n")
