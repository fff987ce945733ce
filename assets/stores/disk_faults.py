"""Faults of the disk in the product's words: full, read-only, failing, or bytes that are not those written.

The operating system, DuckDB and SQLite say these things in fixed phrases, inside texts that may quote a value: the phrases are looked
for, the texts never shown.
"""

from __future__ import annotations

from transforms.errors import LakehouseError, UnavailableError

_REFUSED = "{0}. Remedy: {1}, then run the same command again; what was committed stands, nothing half-written is read."
_PHRASES = {
    "No space left on device": ("The disk is full", "free space"),
    "database or disk is full": ("The disk is full", "free space"),
    "Disk quota exceeded": ("The disk quota is used up", "free space"),
    "File too large": ("A file may not grow any further", "raise the limit"),
    "Read-only file system": ("The disk is read-only", "mount it for writing"),
    "readonly database": ("The catalog store may not be written", "restore its permissions"),
    "Permission denied": ("A file of the data root may not be opened", "restore its permissions"),
    "unable to open database file": ("The catalog store cannot be opened", "restore its permissions"),
    "Input/output error": ("The disk failed to read or write", "check the disk"),
    "disk I/O error": ("The disk failed to read or write", "check the disk"),
}
_CATALOG = ("The catalog store is damaged. Remedy: restore catalog/audit.sqlite from its copy; `lakehouse catalog verify` compares it "
            "with the anchors.")
_DAMAGED = {
    "database disk image is malformed": _CATALOG,
    "file is not a database": _CATALOG,
    "Computed AES tag differs": "The warehouse, or a raw file of this run, is damaged: its bytes are not those that were written. "
                                "Remedy: restore warehouse/ from its copy, or move it away and run `lakehouse materialize`.",
}


def disk_fault(message: str) -> LakehouseError | None:
    """Give the fault that an exception's text tells of: UnavailableError where trying again helps, else LakehouseError; None for others."""
    for phrase, (what, remedy) in _PHRASES.items():
        if phrase in message:
            return UnavailableError(_REFUSED.format(what, remedy))
    return next((LakehouseError(words) for phrase, words in _DAMAGED.items() if phrase in message), None)
