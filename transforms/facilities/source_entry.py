"""One feed of the registry: the keys of `sources.<name>`, by kind.

Belongs here: which keys each kind of feed has and how its columns are contracted. Does not belong here: what a facility
is (`registry.py`).
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable

from transforms.facilities.datetime_formats import (
    SUPPORTED_DATETIME_FORMATS,
    base_type,
    resolve_datetime_format,
)
from transforms.facilities.entry import Source, SourceColumn, Trailer
from transforms.facilities.located_yaml import Located
from transforms.facilities.mappable import MAPPABLE_RESOURCES, mappable, mappable_dates

_COMMON = {"kind", "owner"}
_EXTRACT = _COMMON | {
    "resource", "delimiter", "encoding", "header", "date_format", "datetime_format", "null_markers", "columns",
}  # fmt: skip
_KEYS: dict[str, set[str]] = {
    "hl7v2": _COMMON,
    "fhir_ndjson": _COMMON,
    "csv_extract": _EXTRACT | {"mode", "key", "version_column", "trailer"},
    "dms_s3_csv": _EXTRACT
    | {"table", "op_column", "sequence_column", "null_value", "primary_key", "before_image_prefix"},
}
_REQUIRED: dict[str, set[str]] = {
    "hl7v2": {"kind"},
    "fhir_ndjson": {"kind"},
    "csv_extract": {"kind", "resource", "columns", "key"},
    "dms_s3_csv": {"kind", "resource", "table", "columns", "primary_key"},
}
SOURCE_KINDS = frozenset(_KEYS)

_EXTRACT_TYPES = frozenset({"string", "integer", "decimal", "date", "datetime", "boolean"})
_SQL_SERVER_TYPES = frozenset(
    {
        "bit", "tinyint", "smallint", "int", "bigint", "decimal", "numeric", "money", "float", "real", "char", "nchar",
        "varchar", "nvarchar", "text", "ntext", "uniqueidentifier", "date", "time", "smalldatetime", "datetime",
        "datetime2", "datetimeoffset",
    }
)  # fmt: skip
_TYPE = re.compile(r"[a-z0-9]+(\((max|[0-9]+(, ?[0-9]+)?)\))?")
_DATE_TYPES = frozenset({"date", "datetime", "datetime2", "smalldatetime", "datetimeoffset"})


def read_source(
    source: str, place: Located, owner: str, charset: str, read_zone: Callable[[Located], str]
) -> Source:
    """The feed called `source`; owner and charset are its facility's, for where it names none."""
    keys = place.mapping()
    if "kind" not in keys:
        place.fail(f"source {source!r} has no 'kind'", "one of " + ", ".join(sorted(SOURCE_KINDS)))
    kind = keys["kind"].one_of(SOURCE_KINDS)
    keys = place.mapping(_KEYS[kind], _REQUIRED[kind])
    owner = keys["owner"].text() if "owner" in keys else owner
    if "columns" not in keys:
        return Source(source=source, kind=kind, owner=owner)
    resource = keys["resource"].one_of(MAPPABLE_RESOURCES)
    date_format, datetime_format = _datetime_format(keys, "date_format"), _datetime_format(keys, "datetime_format")
    columns = tuple(
        _column(name, value, kind, date_format, datetime_format, read_zone)
        for name, value in keys["columns"].whole_mapping().items()
    )
    if not columns:
        keys["columns"].fail(f"source {source!r} has no columns", "at least its key column")
    _check_targets(resource, columns, keys["columns"])
    contracted = {column.name for column in columns}
    return Source(
        source=source,
        kind=kind,
        owner=owner,
        resource=resource,
        table=_optional_text(keys, "table"),
        delimiter=_delimiter(keys),
        encoding=_encoding(keys, kind, charset),
        header=keys["header"].flag() if "header" in keys else True,
        mode=keys["mode"].one_of({"delta", "full"}) if "mode" in keys else None,
        key=_key(keys["key"] if kind == "csv_extract" else keys["primary_key"], contracted),
        version_column=keys["version_column"].one_of(contracted) if "version_column" in keys else None,
        op_column=_optional_text(keys, "op_column"),
        sequence_column=_optional_text(keys, "sequence_column"),
        before_image_prefix=_optional_text(keys, "before_image_prefix"),
        null_value=_optional_text(keys, "null_value"),
        null_markers=keys["null_markers"].texts() if "null_markers" in keys else (),
        date_format=date_format,
        datetime_format=datetime_format,
        trailer=_trailer(keys.get("trailer")),
        columns=columns,
    )


def _optional_text(keys: dict[str, Located], key: str) -> str | None:
    return keys[key].text() if key in keys else None


def _delimiter(keys: dict[str, Located]) -> str:
    if "delimiter" not in keys:
        return ","
    value = keys["delimiter"].text().replace("\\t", "\t")
    if len(value) != 1 or not value.isascii() or value in '"\r\n' or value.isalnum():
        keys["delimiter"].fail("the delimiter is not one ASCII mark", "one of , ; | ^ or \\t")
    return value


def _encoding(keys: dict[str, Located], kind: str, charset: str) -> str:
    if "encoding" not in keys:
        return "utf-8" if kind == "dms_s3_csv" else charset  # DMS writes UTF-8, whatever the source's code page
    value = keys["encoding"].text()
    try:
        codecs.lookup(value)
    except LookupError:
        keys["encoding"].fail(f"unknown encoding {value!r}", "a codec name such as utf-8, windows-1252 or iso-8859-1")
    return value


def _key(place: Located, contracted: set[str]) -> tuple[str, ...]:
    parts = place.items()
    if not parts:
        place.fail("the key is empty", "the names of the columns that identify a row")
    for part in parts:
        if part.text() not in contracted:
            part.fail(f"key column {part.text()!r} is not among the columns", "a name listed under columns")
    return tuple(part.text() for part in parts)


def _trailer(place: Located | None) -> Trailer | None:
    if place is None:
        return None
    keys = place.mapping((), ("prefix", "row_count_field"))
    return Trailer(prefix=keys["prefix"].text(), row_count_field=keys["row_count_field"].integer(1))


def _datetime_format(keys: dict[str, Located], key: str) -> str | None:
    if key not in keys:
        return None
    value = keys[key].text()
    if value not in SUPPORTED_DATETIME_FORMATS:
        keys[key].fail(f"unsupported {key} {value!r}", "one of " + ", ".join(sorted(SUPPORTED_DATETIME_FORMATS)))
    return value


def _column(
    name: str,
    place: Located,
    kind: str,
    date_format: str | None,
    datetime_format: str | None,
    read_zone: Callable[[Located], str],
) -> SourceColumn:
    if place.is_null:
        return SourceColumn(name=name)
    keys = place.mapping({"maps_to", "type", "pattern", "value_map", "code_system", "date_format", "timezone"})
    column_type = _type(keys["type"], kind) if "type" in keys else "string"
    own_format = _datetime_format(keys, "date_format")
    resolved = resolve_datetime_format(kind, column_type, own_format, date_format, datetime_format)
    if kind == "csv_extract" and column_type in {"date", "datetime"} and resolved is None:
        place.fail(f"column {name!r} is a {column_type} without a format", "date_format here or in the source")
    return SourceColumn(
        name=name,
        maps_to=_optional_text(keys, "maps_to"),
        type=column_type,
        pattern=_pattern(keys.get("pattern")),
        value_map={value: target.text() for value, target in keys["value_map"].mapping().items()}
        if "value_map" in keys
        else {},
        code_system=_optional_text(keys, "code_system"),
        date_format=own_format,
        timezone=_zone(keys.get("timezone"), read_zone),
        datetime_format=resolved,
    )


def _type(place: Located, kind: str) -> str:
    value = place.text().lower()
    allowed = _EXTRACT_TYPES if kind == "csv_extract" else _SQL_SERVER_TYPES
    if not _TYPE.fullmatch(value) or base_type(value) not in allowed:
        place.fail(f"unknown column type {value!r}", "one of " + ", ".join(sorted(allowed)))
    return value


def _check_targets(resource: str, columns: tuple[SourceColumn, ...], place: Located) -> None:
    """Refuse a target that staging does not read, one that two columns share, and a date without a type of dates."""
    places = place.whole_mapping()
    known, dates = mappable(resource), mappable_dates(resource)
    taken: set[str] = set()
    for column in columns:
        if column.maps_to is None:
            continue
        target = places[column.name].mapping()["maps_to"]
        if column.maps_to not in known:
            target.fail(f"{resource} has no {column.maps_to!r}", "one of " + ", ".join(sorted(known)))
        if column.maps_to in taken:
            target.fail(f"two columns map to {column.maps_to!r}", "one column for each target")
        if column.maps_to in dates and base_type(column.type) not in _DATE_TYPES:
            target.fail(f"{column.maps_to!r} is a date and column {column.name!r} is not", "type: date or type: datetime")
        taken.add(column.maps_to)


def _pattern(place: Located | None) -> str | None:
    if place is None:
        return None
    value = place.text()
    try:
        re.compile(value)
    except re.error:
        place.fail("the pattern is no regular expression", "for example ^[0-9]{8}$")
    return value


def _zone(place: Located | None, read_zone: Callable[[Located], str]) -> str | None:
    """Time zone of a column; `facility` is the facility's own, which is also meant where none is given."""
    if place is None or place.text() == "facility":
        return None
    return read_zone(place)
