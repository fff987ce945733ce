"""Columns of texts -> one list of cells a row, as raw_extract__row holds them.

Belongs here: turning columns into rows without a loop over rows. Does not belong here: what the columns are.
"""

from __future__ import annotations

from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc


def rows_of_columns(columns: list[pa.Array]) -> pa.ListArray:
    """Lists of cells out of columns of texts: the cells of all columns, one behind the other, taken row by row."""
    width, count = len(columns), len(columns[0])
    column, row = (places.slice(0, count * width) for places in _places(width, 1 << count.bit_length()))
    order = pc.add(pc.multiply(column, pa.scalar(count, pa.int32())), row)
    return pa.ListArray.from_arrays(pa.arange(0, count * width + 1, width).cast(pa.int32()), pa.concat_arrays(columns).take(order))


@lru_cache(maxsize=4)
def _places(width: int, count: int) -> tuple[pa.Array, pa.Array]:
    """Column and row of each cell when `count` rows are read one after the other."""
    position = pa.arange(0, count * width).cast(pa.int32())
    row = pc.divide(position, pa.scalar(width, pa.int32()))
    return pc.subtract(position, pc.multiply(row, pa.scalar(width, pa.int32()))), row
