"""Arrow tables in batches, as DuckDB's threads share them.

A thread takes whole batches. Of a table that is one batch one thread reads and computes, and the others wait at full speed: half of the
processor time is spent for nothing.
"""

from __future__ import annotations

import pyarrow as pa

ROWS = 20_480


def in_batches(table: pa.Table) -> pa.Table:
    """Give the same rows in batches of at most ROWS; nothing is copied."""
    return pa.Table.from_batches(table.to_batches(max_chunksize=ROWS), schema=table.schema)
