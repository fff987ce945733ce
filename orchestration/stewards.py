"""Stewards who may decide on the review page: their names, and salted scrypt hashes of the pass phrases that they were given.

What belongs here: making, checking and withdrawing a steward's access. The phrase itself is printed once and kept nowhere.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
from pathlib import Path

from transforms.errors import ConfigurationError

# RFC 7914; about 50 ms and 16 MiB a check
_COST = {"n": 2**14, "r": 8, "p": 1, "dklen": 32}
_NAME = re.compile(r"[A-Za-z0-9_.@-]{1,100}")


class Stewards:
    """The stewards of a data root, in `keys/stewards.json`."""

    def __init__(self, home: Path) -> None:
        """Nothing is read yet."""
        self.path = home / "keys" / "stewards.json"

    def admit(self, name: str) -> str:
        """Give a steward access under a new pass phrase, which an earlier one no longer opens. Raises ConfigurationError for a name that
        the audit log could not hold."""
        if not _NAME.fullmatch(name):
            raise ConfigurationError("identity steward: a name has letters, digits and . _ @ - only, as amy or amy@example.org.")
        phrase, salt = secrets.token_urlsafe(18), secrets.token_bytes(16)
        self._write(self._read() | {name: {"salt": salt.hex(), "hash": _hash(phrase, salt).hex()}})
        return phrase

    def dismiss(self, name: str) -> None:
        """Take a steward's access away. Raises ConfigurationError where there is none of that name."""
        known = self._read()
        if name not in known:
            raise ConfigurationError(f"identity steward {name!r}: not known here. Remedy: name one that was admitted.")
        self._write({one: kept for one, kept in known.items() if one != name})

    def who(self, authorization: str | None) -> str | None:
        """Give the steward whom an `Authorization` header proves (Basic, RFC 7617), or None."""
        scheme, _, credentials = (authorization or "").partition(" ")
        try:
            name, separator, phrase = base64.b64decode(credentials, validate=True).decode().partition(":")
        except ValueError:
            return None
        if scheme.lower() != "basic" or not separator:
            return None
        # an unknown name costs as much as a wrong phrase
        kept = self._read().get(name, {"salt": "00" * 16, "hash": "00" * 32})
        return name if hmac.compare_digest(_hash(phrase, bytes.fromhex(kept["salt"])).hex(), kept["hash"]) else None

    def _read(self) -> dict[str, dict[str, str]]:
        if not self.path.exists():
            return {}
        found: dict[str, dict[str, str]] = json.loads(self.path.read_text(encoding="utf-8"))
        return found

    def _write(self, stewards: dict[str, dict[str, str]]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(stewards, indent=1, sort_keys=True), encoding="utf-8")
        fresh.replace(self.path)


def _hash(phrase: str, salt: bytes) -> bytes:
    return hashlib.scrypt(phrase.encode(), salt=salt, **_COST)
