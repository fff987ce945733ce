"""Putting the parts of a raw table together.

Belongs here: parts -> one table of the declared schema. Does not belong here: making the parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import pyarrow as pa

from transforms.decode.raw_schema import RAW_SCHEMAS


@cache
def _empty(name: str) -> pa.Table:
    return RAW_SCHEMAS[name].empty_table()


def joined(name: str, parts: Sequence[pa.Table]) -> pa.Table:
    """One table of the parts, empty where there are none."""
    if not parts:
        return _empty(name)
    return parts[0] if len(parts) == 1 else pa.concat_tables(parts)
