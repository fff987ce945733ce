"""A contracted column of an extract: the keys of `sources.<name>.columns.<column>`.

Belongs here: types, patterns, formats and targets of columns. Does not belong here: the feed around them
(`source_entry.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from transforms.facilities.datetime_formats import (
    SUPPORTED_DATETIME_FORMATS,
    base_type,
    resolve_datetime_format,
)
from transforms.facilities.entry import SourceColumn
from transforms.facilities.located_yaml import Located
from transforms.facilities.mappable import mappable, mappable_dates

_EXTRACT_TYPES = frozenset({"string", "integer", "decimal", "date", "datetime", "boolean"})
_SQL_SERVER_TYPES = frozenset(
    {
        "bit", "tinyint", "smallint", "int", "bigint", "decimal", "numeric", "money", "smallmoney", "float", "real", "char",
        "nchar", "varchar", "nvarchar", "text", "ntext", "binary", "varbinary", "image", "xml", "uniqueidentifier", "rowversion",
        "date", "time", "smalldatetime", "datetime", "datetime2", "datetimeoffset",
    }
)  # fmt: skip
_TYPE = re.compile(r"[a-z0-9]+(\((max|[0-9]+(, ?[0-9]+)?)\))?")
_DATE_TYPES = frozenset({"date", "datetime", "datetime2", "smalldatetime", "datetimeoffset"})


def read_datetime_format(keys: dict[str, Located], key: str) -> str | None:
    """Format under a key, out of the supported ones; null where it is left out."""
    if key not in keys:
        return None
    value = keys[key].text()
    if value not in SUPPORTED_DATETIME_FORMATS:
        keys[key].fail(f"unsupported {key}", "one of " + ", ".join(sorted(SUPPORTED_DATETIME_FORMATS)))
    return value


def read_column(
    name: str,
    place: Located,
    kind: str,
    date_format: str | None,
    datetime_format: str | None,
    read_zone: Callable[[Located], str],
) -> SourceColumn:
    """Column `name` of a feed of this kind; the formats are its feed's, for where it has none of its own."""
    if place.is_null:
        return SourceColumn(name=name)
    keys = place.mapping({"maps_to", "type", "pattern", "value_map", "code_system", "date_format", "timezone"})
    column_type = _type(keys["type"], kind) if "type" in keys else "string"
    own_format = read_datetime_format(keys, "date_format")
    resolved = resolve_datetime_format(kind, column_type, own_format, date_format, datetime_format)
    if kind == "csv_extract" and column_type in {"date", "datetime"} and resolved is None:
        place.fail(f"column {name!r} is a {column_type} without a format", "date_format here or in the source")
    return SourceColumn(
        name=name,
        maps_to=keys["maps_to"].text() if "maps_to" in keys else None,
        type=column_type,
        pattern=_pattern(keys.get("pattern")),
        value_map={value: target.text() for value, target in keys["value_map"].mapping().items()}
        if "value_map" in keys
        else {},
        code_system=keys["code_system"].text() if "code_system" in keys else None,
        date_format=own_format,
        timezone=_zone(keys.get("timezone"), read_zone),
        datetime_format=resolved,
    )


def _type(place: Located, kind: str) -> str:
    value = place.text().lower()
    allowed = _EXTRACT_TYPES if kind == "csv_extract" else _SQL_SERVER_TYPES
    if not _TYPE.fullmatch(value) or base_type(value) not in allowed:
        place.fail("unknown column type", "one of " + ", ".join(sorted(allowed)))
    return value


def check_targets(resource: str, columns: tuple[SourceColumn, ...], places: Mapping[str, Located]) -> None:
    """Refuse a target that staging does not read, one that two columns share, and a date without a type of dates. `places` says where
    each column is registered."""
    known, dates = mappable(resource), mappable_dates(resource)
    taken: set[str] = set()
    for column in columns:
        if column.maps_to is None:
            continue
        target = places[column.name]
        if column.maps_to not in known:
            target.fail(f"{resource} has nothing to which column {column.name!r} could map so", "one of " + ", ".join(sorted(known)))
        if column.maps_to in taken:
            target.fail(f"column {column.name!r} maps to what another column maps to", "one column for each target")
        if column.maps_to in dates and base_type(column.type) not in _DATE_TYPES:
            target.fail(f"{column.maps_to!r} is a date and column {column.name!r} is not", "type: date or type: datetime")
        taken.add(column.maps_to)


def _pattern(place: Located | None) -> str | None:
    if place is None:
        return None
    value = place.text()
    try:
        pc.match_substring_regex(pa.array([""]), value)  # RE2, as the engine's: no look-around, no back references
    except pa.ArrowInvalid:
        place.fail("the pattern is no regular expression of RE2", "for example ^[0-9]{8}$")
    return value


def _zone(place: Located | None, read_zone: Callable[[Located], str]) -> str | None:
    """Time zone of a column; `facility` is the facility's own, which is also meant where none is given."""
    if place is None or place.text() == "facility":
        return None
    return read_zone(place)
