"""How surely a value as sent is the one that a row says: for formats whose raw rows keep elements by place, not by meaning."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

SAME_TEXT, SAME_NUMBER, SAME_TIME, UNLIKE = 3, 2, 1, 0
_TIME = re.compile(r"\d{4}(-\d\d(-\d\d([T ]\d\d(:\d\d(:\d\d(\.\d+)?)?)?.*)?)?)?")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)")


def likeness(sent: str, said: str) -> int:
    """SAME_TEXT, SAME_NUMBER (`100` and `100.00`), SAME_TIME (`20240501` and `2024-05-01`), or UNLIKE."""
    if not sent or not said:
        return UNLIKE
    if sent == said:
        return SAME_TEXT
    if _NUMBER.fullmatch(sent) and _NUMBER.fullmatch(said) and _decimal(sent) == _decimal(said):
        return SAME_NUMBER
    day = re.sub(r"\D", "", said[:10])
    if _TIME.fullmatch(said) and len(day) >= 4 and sent[:4].isdigit() and sent[: len(day)] == day:
        return SAME_TIME
    return UNLIKE


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None
