"""A payload: bytes as received, named by what they are.

Belongs here: the name of bytes. Does not belong here: where they are kept, who sent them (`delivery.py`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


def payload_id(content: bytes) -> str:
    """SHA-256 of the bytes, lower-case hex: the payload's name."""
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True)
class Payload:
    """Bytes as received; they are never changed."""

    content: bytes

    @property
    def payload_id(self) -> str:
        """Name of the payload."""
        return payload_id(self.content)

    @property
    def size(self) -> int:
        """Length in bytes."""
        return len(self.content)
