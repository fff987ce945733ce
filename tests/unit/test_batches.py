"""Tables come in batches that threads share, with the rows that they have."""

from __future__ import annotations

import pyarrow as pa

from transforms.batches import ROWS, in_batches


def test_a_table_of_one_batch_becomes_many_and_stays_what_it_is() -> None:
    """Rows, order and types are the same, with columns cut at other places and without rows."""
    table = pa.table({"number": pa.array(range(2 * ROWS + 1)), "text": pa.chunked_array([["a"] * ROWS, [None] * (ROWS + 1)], pa.string())})
    found = in_batches(table)
    assert found == table
    assert max(chunk.num_rows for chunk in found.to_batches()) <= ROWS
    assert in_batches(table.slice(0, 0)).schema == table.schema
