"""A Snowflake result as Arrow, typed by the service's description of its columns.

Never by the values: a column without rows, or with nulls only, has a type too, and who reads it relies on that. What belongs here: types
and their values. Not here: running statements (`snowflake_warehouse`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

# Codes of snowflake.connector.constants.FIELD_TYPES.
FIXED, REAL, TEXT, DATE, TIMESTAMP, VARIANT, TIMESTAMP_NTZ, OBJECT, ARRAY, BOOLEAN = 0, 1, 2, 3, 4, 5, 8, 9, 10, 13

TYPES: dict[int, pa.DataType] = {
    REAL: pa.float64(), TEXT: pa.string(), DATE: pa.date32(), TIMESTAMP: pa.timestamp("us"), TIMESTAMP_NTZ: pa.timestamp("us"),
    VARIANT: pa.string(), OBJECT: pa.string(), ARRAY: pa.list_(pa.string()), BOOLEAN: pa.bool_(),
}


def arrow_table(description: Sequence[Any], rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    """Give the rows of a result as Arrow, column names in lower case.

    `description` is the cursor's: name, type code, …, precision and scale. A number without decimals is int64, one with decimals a
    decimal of its precision; an array is a list of texts. Raises NotImplementedError for a type that the product does not store.
    """
    columns: Sequence[Sequence[Any]] = list(zip(*rows, strict=True)) if rows else [()] * len(description)
    arrays = [_array(column, values) for column, values in zip(description, columns, strict=True)]
    return pa.Table.from_arrays(arrays, names=[column[0].lower() for column in description])


def arrow_type(column: Any) -> pa.DataType:
    """Give the Arrow type of one described column."""
    code, precision, scale = column[1], column[4], column[5]
    if code == FIXED:
        return pa.decimal128(precision, scale) if scale else pa.int64()
    if code not in TYPES:
        raise NotImplementedError(f"column {column[0]}: Snowflake type {code} is not stored by this product")
    return TYPES[code]


def _array(column: Any, values: Sequence[Any]) -> pa.Array:
    # The connector gives arrays as JSON text.
    convert: Callable[[Any], Any] | None = json.loads if column[1] == ARRAY else None
    given = [None if value is None else convert(value) for value in values] if convert else values
    return pa.array(given, arrow_type(column))
