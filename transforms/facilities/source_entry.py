"""One feed of the registry: the keys of `sources.<name>`, by kind.

Belongs here: which keys each kind of feed has and how its columns are contracted. Does not belong here: what a facility
is (`registry.py`).
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import time

from transforms.facilities.contract_change import read_contract_changes
from transforms.facilities.entry import Schedule, Source, SourceColumn, Trailer
from transforms.facilities.located_yaml import Located
from transforms.facilities.mappable import MAPPABLE_RESOURCES
from transforms.facilities.source_column import check_targets, read_column, read_datetime_format

_CLOCK_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_COMMON = {"kind", "owner", "schedule"}
_EXTRACT = _COMMON | {
    "resource", "delimiter", "encoding", "header", "date_format", "datetime_format", "null_markers", "columns", "contract_version",
    "contract_changes",
}  # fmt: skip
_KEYS: dict[str, set[str]] = {
    "hl7v2": _COMMON,
    "fhir_ndjson": _COMMON,
    "ccda": _COMMON,
    "dicom": _COMMON,
    "x12": _COMMON,
    "csv_extract": _EXTRACT | {"mode", "key", "version_column", "trailer"},
    "dms_s3_csv": _EXTRACT
    | {"table", "op_column", "sequence_column", "null_value", "primary_key", "before_image_prefix"},
    # Parquet has types and nulls of its own and no delimiter.
    "dms_s3_parquet": _COMMON
    | {"contract_version", "contract_changes", "resource", "columns", "table", "op_column", "sequence_column", "primary_key",
       "before_image_prefix"},
    # The envelope names operation and position, JSON its nulls: an event needs the contract alone.
    "debezium_jsonl": _COMMON | {"contract_version", "contract_changes", "resource", "table", "columns", "primary_key"},
}
_REQUIRED: dict[str, set[str]] = {
    "hl7v2": {"kind"},
    "fhir_ndjson": {"kind"},
    "ccda": {"kind"},
    "dicom": {"kind"},
    "x12": {"kind"},
    "csv_extract": {"kind", "resource", "columns", "key"},
    "dms_s3_csv": {"kind", "resource", "table", "columns", "primary_key"},
    "dms_s3_parquet": {"kind", "resource", "table", "columns", "primary_key"},
    "debezium_jsonl": {"kind", "resource", "table", "columns", "primary_key"},
}
SOURCE_KINDS = frozenset(_KEYS)


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
    schedule = _schedule(keys.get("schedule"))
    if "columns" not in keys:
        return Source(source=source, kind=kind, owner=owner, schedule=schedule)
    resource = keys["resource"].one_of(MAPPABLE_RESOURCES)
    date_format, datetime_format = read_datetime_format(keys, "date_format"), read_datetime_format(keys, "datetime_format")

    def column(name: str, value: Located) -> SourceColumn:
        return read_column(name, value, kind, date_format, datetime_format, read_zone)

    columns = tuple(column(name, value) for name, value in keys["columns"].whole_mapping().items())
    if not columns:
        keys["columns"].fail(f"source {source!r} has no columns", "at least its key column")
    check_targets(resource, columns, keys["columns"].whole_mapping())
    contracted = {column.name for column in columns}
    agreed = Source(
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
        schedule=schedule,
        contract_version=keys["contract_version"].integer(1) if "contract_version" in keys else 1,
    )

    def check(changed: tuple[SourceColumn, ...], change: Located) -> None:
        check_targets(resource, changed, {one.name: change for one in changed})

    changes = read_contract_changes(keys.get("contract_changes"), agreed, column, check)
    return replace(agreed, contract_changes=changes)


def _schedule(place: Located | None) -> Schedule | None:
    if place is None:
        return None
    keys = place.mapping((), ("every", "deadline"))
    deadline = keys["deadline"].text()
    if not _CLOCK_TIME.fullmatch(deadline):
        keys["deadline"].fail("the deadline is no time of day", 'quoted HH:MM, such as "06:00"')
    return Schedule(every=keys["every"].one_of({"day"}), deadline=time.fromisoformat(deadline))


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
        return "utf-8" if kind != "csv_extract" else charset  # DMS writes UTF-8, whatever the source's code page
    value = keys["encoding"].text()
    try:
        codecs.lookup(value)
    except LookupError:
        keys["encoding"].fail("unknown encoding", "a codec name such as utf-8, windows-1252 or iso-8859-1")
    return value


def _key(place: Located, contracted: set[str]) -> tuple[str, ...]:
    parts = place.items()
    if not parts:
        place.fail("the key is empty", "the names of the columns that identify a row")
    for part in parts:
        if part.text() not in contracted:
            part.fail("a key column is not among the columns", "a name listed under columns")
    return tuple(part.text() for part in parts)


def _trailer(place: Located | None) -> Trailer | None:
    if place is None:
        return None
    keys = place.mapping((), ("prefix", "row_count_field"))
    return Trailer(prefix=keys["prefix"].text(), row_count_field=keys["row_count_field"].integer(1))
