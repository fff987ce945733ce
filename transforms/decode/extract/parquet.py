"""An AWS DMS Parquet file as records of cells: the same rows that DMS writes as CSV, with types and nulls of their own.

Belongs here: Parquet -> texts as SQL Server's CSV shows them. Does not belong here: what columns mean (`file.py`), units (`decode.py`).
Booleans are 0 and 1, times have no zone and six digits, binary values are hexadecimal; a null stays null.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from transforms.decode.cells import row_by_row
from transforms.decode.extract.file import DUPLICATE_HEADER, ExtractFile
from transforms.decode.extract.piece import Piece
from transforms.facilities.entry import Source
from transforms.landing.payload import Payload

MAGIC = b"PAR1"


def read_parquet(payload: Payload, source: Source) -> ExtractFile | None:
    """File of a payload; None where it is empty, damaged, or names no contracted column."""
    content = payload.content()
    if not (content.startswith(MAGIC) and content.endswith(MAGIC)):
        return None
    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        table = file.read(use_threads=False)
    except (pa.ArrowException, OSError, UnicodeDecodeError):  # cut, or not what its footer says
        return None
    if table.num_rows != file.metadata.num_rows:
        return None
    names = list(table.column_names)
    if {column.name for column in source.columns}.isdisjoint(names):
        return None
    cells = row_by_row([_texts(column.combine_chunks()) for column in table.columns])
    piece = Piece(pa.arange(0, table.num_rows), cells, len(names), {}, has_marks=True)
    if len(set(names)) < len(names):
        return ExtractFile(names, lambda: iter((piece,)), code=DUPLICATE_HEADER, path="header", rows=table.num_rows)
    return ExtractFile(names, lambda: iter((piece,)))


def _texts(column: pa.Array) -> pa.Array:
    """Values of any type as text; nested ones as their Arrow rendering."""
    kind = column.type
    if pa.types.is_boolean(kind):
        return pc.cast(pc.cast(column, pa.int8()), pa.string())
    if pa.types.is_timestamp(kind):
        return pc.cast(pc.cast(column, pa.timestamp("us"), safe=False), pa.string())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return pa.array([None if value is None else value.hex() for value in column.to_pylist()], pa.string())
    if pa.types.is_nested(kind):
        return pa.array([None if value is None else str(value) for value in column.to_pylist()], pa.string())
    return pc.cast(column, pa.string())
