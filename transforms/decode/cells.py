"""Texts row after row, as raw_extract__row holds them: out of bytes, or out of columns.

Belongs here: arrays of texts without a loop over them. Does not belong here: what they mean, where they lie in a payload.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

NumberArray = npt.NDArray[np.integer]
FlagArray = npt.NDArray[np.bool_]


def texts_of(content: bytes | NumberArray, lengths: NumberArray) -> pa.StringArray:
    """Texts of these lengths, which follow one another in bytes."""
    offsets = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    return pa.StringArray.from_buffers(len(lengths), pa.py_buffer(offsets), pa.py_buffer(content))


def row_by_row(columns: list[pa.Array]) -> pa.StringArray:
    """Cells of all columns, row after row."""
    count = len(columns[0])
    order = np.arange(count * len(columns), dtype=np.int32).reshape(len(columns), count).T
    return pa.concat_arrays(columns).take(pa.array(order.ravel()))


def rows_of(cells: pa.StringArray, width: int) -> pa.ListArray:
    """Lists of `width` cells each."""
    return pa.ListArray.from_arrays(pa.array(np.arange(0, len(cells) + 1, width, dtype=np.int32)), cells)


def rows_of_columns(columns: list[pa.Array]) -> pa.ListArray:
    """Lists of the cells of columns."""
    return rows_of(row_by_row(columns), len(columns))
