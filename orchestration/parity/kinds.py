"""What a column holds, and the text by which its values are compared: the type rules of parity.

A column has a *kind* on each side, and kinds must be equal. A row is the texts of its columns, each led by its length (so that no two
rows share a text), a null without a length; the row's hash is the md5 of that.

    text       VARCHAR                            as it is
    whole      any integer width; NUMBER(p, 0)    in digits
    decimal s  DECIMAL(p, s); NUMBER(p, s)        with s decimals; s is part of the kind, p is not
    double     DOUBLE; FLOAT                      to nine decimals
    boolean                                       true, false
    date                                          YYYY-MM-DD
    timestamp  without zone                       to the nanosecond, which DuckDB has none of
    texts      VARCHAR[]; ARRAY                   as a JSON array
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

# Kind -> SQL of a value's text; what is missing is cast. `{}` stands for the column.
BOTH = {
    "text": "{}",
    "boolean": "case when {0} then 'true' when not {0} then 'false' end",
    "double": "cast(cast({} as decimal(38, 9)) as varchar)",
}
TEXTS: Mapping[str, Mapping[str, str]] = {
    "local": {**BOTH, "date": "strftime({}, '%Y-%m-%d')", "timestamp": "strftime({}, '%Y-%m-%d %H:%M:%S.%n')",
              "texts": "cast(to_json({}) as varchar)"},
    "cloud": {**BOTH, "date": "to_char({}, 'YYYY-MM-DD')", "timestamp": "to_char({}, 'YYYY-MM-DD HH24:MI:SS.FF9')", "texts": "to_json({})"},
}


def kind(type_: pa.DataType) -> str:
    """Give the kind of an Arrow type. Raises TypeError for one that no rule speaks of."""
    if pa.types.is_decimal(type_):
        return f"decimal {type_.scale}" if type_.scale else "whole"
    rules = (
        ("text", pa.types.is_string), ("text", pa.types.is_large_string), ("whole", pa.types.is_integer), ("boolean", pa.types.is_boolean),
        ("double", pa.types.is_floating), ("date", pa.types.is_date32), ("texts", pa.types.is_list),
    )
    for name, holds in rules:
        if holds(type_):
            return name
    if pa.types.is_timestamp(type_) and type_.tz is None:
        return "timestamp"
    raise TypeError(f"no rule compares {type_}")


def value_text(target: str, column: str, kind_: str) -> str:
    """Give SQL of one column's text: its length, a colon and the value; `-` for null."""
    text = TEXTS[target].get(kind_, "cast({} as varchar)").format(column)
    return f"coalesce(length({text}) || ':' || {text}, '-')"


def row_hash(target: str, columns: Mapping[str, str]) -> str:
    """Give SQL of a row's hash: md5 over the texts of all columns (name -> kind), in their order."""
    return f"md5({' || '.join(value_text(target, name, kind_) for name, kind_ in columns.items())})"
