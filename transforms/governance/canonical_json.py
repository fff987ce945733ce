"""Canonical JSON: one text per value, so that a hash of it means something.

The subset of RFC 8785 (JSON Canonicalization Scheme) without floating point: text, integers, booleans, null, lists
and objects. Keys are ASCII, so that sorting them by code point is the sorting by UTF-16 unit that s3.2.3 asks for.
"""

from __future__ import annotations

import json

MAX_INTEGER = 2**53 - 1  # RFC 8785 s3.2.2.3: beyond it, other readers lose digits

_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def canonical_text(value: object) -> str:
    """The canonical JSON text of a value.

    Raises ValueError for floats, integers beyond 2^53, keys that are not ASCII text and lone surrogates; the message
    names the kind of fault, never the value.
    """
    _refuse_ambiguous(value)
    text = _ENCODER.encode(value)
    try:
        text.encode()
    except UnicodeEncodeError as fault:
        raise ValueError("text holds a lone surrogate") from fault
    return text


def _refuse_ambiguous(value: object) -> None:
    if value is None or isinstance(value, (str, bool)):
        return
    if isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise ValueError("integer beyond 2^53 - 1")
    elif isinstance(value, dict):
        for key, member in value.items():
            if not isinstance(key, str) or not key.isascii():
                raise ValueError("object key is not ASCII text")
            _refuse_ambiguous(member)
    elif isinstance(value, (list, tuple)):
        for member in value:
            _refuse_ambiguous(member)
    else:
        raise ValueError(f"{type(value).__name__} has no canonical form")
