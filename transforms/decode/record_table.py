"""Putting the parts of a raw table together.

Belongs here: parts -> one table of the declared schema. Does not belong here: making the parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import pyarrow as pa

from transforms.decode.contract import UNIT_SCHEMA, Decoded
from transforms.decode.raw_schema import RAW_SCHEMAS


@cache
def _empty(name: str) -> pa.Table:
    return RAW_SCHEMAS[name].empty_table()


def table_of_rows(name: str, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows by column name as the raw table's schema; a column that a row leaves out is null. Read as one column of structures, which
    costs a third of reading every column by itself."""
    schema = RAW_SCHEMAS[name]
    table = pa.Table.from_batches([pa.RecordBatch.from_struct_array(pa.array(rows, pa.struct(list(schema))))])
    return table.cast(schema) if rows else _empty(name)


class RowLists:
    """Rows of raw tables under construction. A table's rows are one list of values, since an object a row costs more than filling it."""

    def __init__(self, tables: Iterable[str]) -> None:
        self._names = {name: RAW_SCHEMAS[name].names for name in tables}
        self._values: dict[str, list[Any]] = {name: [] for name in self._names}

    def add(self, table: str, first: Sequence[Any], row: Mapping[str, Any]) -> None:
        """Append a row: its first columns in the order of the schema, the others by name; one that is left out is null."""
        values = self._values[table]
        values += first
        values += map(row.get, self._names[table][len(first):])

    def take(self) -> dict[str, pa.Table]:
        """The rows since the last time as RAW_SCHEMAS."""
        values, self._values = self._values, {name: [] for name in self._names}
        return {name: self._table(name, listed) for name, listed in values.items()}

    def _table(self, name: str, values: list[Any]) -> pa.Table:
        schema, width = RAW_SCHEMAS[name], len(self._names[name])
        return pa.table([pa.array(values[place::width], one.type) for place, one in enumerate(schema)], schema=schema)


def together(tables: Iterable[str], pieces: Sequence[Decoded]) -> Decoded:
    """One piece of several, with all the raw tables named."""
    units = pa.concat_tables([piece.units for piece in pieces]) if pieces else UNIT_SCHEMA.empty_table()
    return Decoded(units, {name: joined(name, [piece.records[name] for piece in pieces if name in piece.records]) for name in tables})


def joined(name: str, parts: Sequence[pa.Table]) -> pa.Table:
    """One table of the parts, empty where there are none."""
    if not parts:
        return _empty(name)
    return parts[0] if len(parts) == 1 else pa.concat_tables(parts)
