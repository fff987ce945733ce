"""The root's keys: one master key, from which each use derives its own.

Local roots keep the master in `keys/lakehouse.key` (mode 0600), made on first use. Derivation is HKDF-SHA-256 (RFC 5869), so
that no two uses share a key. A check value recognises a wrong key before anything is opened or overwritten.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from transforms.errors import ConfigurationError


@dataclass(frozen=True)
class Keys:
    """The master key (32 bytes) of one data root."""

    master: bytes

    def derive(self, use: str) -> bytes:
        """Derive the 32-byte key for a use: `payload`, `parquet`, `warehouse`, `audit`, `person`, `check`."""
        return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=f"lakehouse/{use}".encode()).derive(self.master)

    def mark(self, kind: str, key: str) -> str:
        """What the audit log calls a record of a kind (`patient`, an asset): HMAC-SHA-256 (hex) of its key, which may be a patient's."""
        return hmac.new(self.derive("audit"), f"{kind}|{key}".encode(), hashlib.sha256).hexdigest()

    @property
    def key_id(self) -> bytes:
        """Eight bytes that name the key without telling it."""
        return self.derive("check")[:8]


def open_keys(root: Path, key_hex: str | None = None) -> Keys:
    """Open the keys of a data root, making them where the root is new.

    `key_hex` (64 hex digits) comes from a setting and goes before the key file. Raises ConfigurationError where the key is
    malformed, readable by others, or is not the key that this root was made with.
    """
    folder = root / "keys"
    key_file, check_file = folder / "lakehouse.key", folder / "lakehouse.check"
    if key_hex is None and not key_file.exists():
        if check_file.exists():
            raise ConfigurationError(f"{key_file}: the key of this root is missing. Remedy: put it back, or set LAKEHOUSE_KEY.")
        key_hex = secrets.token_hex(32)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write_private(key_file, key_hex)
    if key_hex is None:
        if key_file.stat().st_mode & 0o077:
            raise ConfigurationError(f"{key_file}: readable by others. Remedy: chmod 600 {key_file}")
        key_hex = key_file.read_text().strip()
    keys = Keys(_parse(key_hex, key_file))
    _recognise(keys, check_file)
    return keys


def _parse(key_hex: str, key_file: Path) -> bytes:
    try:
        master = bytes.fromhex(key_hex)
    except ValueError:
        master = b""
    if len(master) != 32:
        raise ConfigurationError(f"{key_file} or LAKEHOUSE_KEY: not a key. Remedy: 64 hex digits.")
    return master


def _recognise(keys: Keys, check_file: Path) -> None:
    if not check_file.exists():
        check_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write_private(check_file, keys.key_id.hex())
    elif not hmac.compare_digest(check_file.read_text().strip(), keys.key_id.hex()):
        raise ConfigurationError(
            f"{check_file}: the key given is not the key of this root; nothing was opened or changed. "
            "Remedy: use the key that the root was made with, or another LAKEHOUSE_HOME."
        )


def _write_private(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
