"""One Debezium change event: where its envelope says what, and what it says.

Belongs here: the envelope (Debezium reference, SQL Server connector, "Change events"), with or without `schema`, alone or beside its key.
Does not belong here: units and raw rows (`decode.py`), types (`logical_types.py`), many events at once (`shape.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from transforms.decode.debezium.logical_types import WireType, wire_type_of_contract, wire_type_of_schema
from transforms.decode.json_text import canonical
from transforms.facilities.entry import Source

OPERATIONS = frozenset({"r", "c", "u", "d"})
POSITION = ("commit_lsn", "change_lsn", "event_serial_no", "ts_ms")  # of an event's origin, in the order of `Said.position`
_NUMBER = "\0"

Path = tuple[str, ...]


@dataclass(frozen=True)
class Layout:
    """Where an event says what, by the names that lead there; `op` is null for a tombstone, `key` and `origin` where it has none.
    `types` of the row image's columns are those of its schema, else of the contract. `schemas` lead to what describes and says nothing,
    `decisive` to what decides all this: the operation first."""

    key: Path | None
    op: str | None = None
    image: Path = ()
    origin: Path | None = None
    types: tuple[tuple[str, WireType], ...] = ()
    schemas: tuple[Path, ...] = ()
    decisive: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Said:
    """What one event says. `key` is the canonical text of the message key; `position` has the texts at `POSITION`; `image` is column ->
    text or null of the row image (before a deletion, after any other change), `numbers` the columns whose value is a JSON number."""

    key: str
    position: tuple[str | None, ...] = (None,) * len(POSITION)
    image: Mapping[str, str | None] = field(default_factory=dict)
    numbers: frozenset[str] = frozenset()


class EventReader:
    """Reads parsed lines of one feed."""

    def __init__(self, source: Source) -> None:
        self._schema, _, self._table = (source.table or "").rpartition(".")
        self._contracted = {column.name: wire_type_of_contract(column.type) for column in source.columns}
        self._types = tuple(self._contracted.items())

    def layout(self, value: Any) -> Layout | None:
        """Layout of a parsed line; null where it is no change of the feed's table."""
        is_beside = isinstance(value, dict) and "value" in value
        key, key_schemas = _unwrapped(value, ("key",)) if is_beside and "key" in value else (None, ())
        body: Path = ("value",) if is_beside else ()
        if at(value, body) is None:
            return Layout(key, schemas=key_schemas, decisive=((*body, "op"),))
        envelope, schemas = _unwrapped(value, body)
        said = at(value, envelope)
        op = said.get("op") if isinstance(said, dict) else None
        if op not in OPERATIONS:
            return None
        origin = (*envelope, "source") if isinstance(said.get("source"), dict) else None
        part = "before" if op == "d" else "after"
        image: Path | None = (*envelope, part) if isinstance(said.get(part), dict) else key if op == "d" else None
        if image is None or not isinstance(at(value, image), dict) or not self._is_of_table(at(value, origin) if origin else {}):
            return None
        stated = _schema_types(at(value, body).get("schema"), part)
        types = tuple({**self._contracted, **stated}.items()) if stated else self._types
        decisive = ((*envelope, "op"), (*envelope, "source", "table"), (*envelope, "source", "schema"))
        return Layout(key, op, image, origin, types, key_schemas + schemas, decisive)

    def _is_of_table(self, origin: dict[str, Any]) -> bool:
        """Does the event's origin, where it states one, name the feed's table? A contract may leave the schema out."""
        return origin.get("table", self._table) == self._table and (not self._schema or origin.get("schema") in (self._schema, None))


def said(value: Any, layout: Layout) -> Said:
    """What a parsed line of a layout says. UnicodeEncodeError for a lone surrogate, which is no text."""
    key = canonical(None if layout.key is None else at(value, layout.key)).decode("utf-8")
    if layout.op is None:
        return Said(key)
    origin = {} if layout.origin is None else at(value, layout.origin)
    image = at(value, layout.image)
    position, texts = tuple([_text(origin.get(name)) for name in POSITION]), {name: _text(one) for name, one in image.items()}
    "".join([*texts, *filter(None, texts.values()), *filter(None, position)]).encode("utf-8")
    return Said(key, position, texts, frozenset([name for name, one in image.items() if _is_number(one)]))


def at(value: Any, path: Path) -> Any:
    """The value that names lead to."""
    for name in path:
        value = value[name]
    return value


def _unwrapped(value: Any, path: Path) -> tuple[Path, tuple[Path, ...]]:
    """Where a message is, without the schema that the converter may have wrapped around it, and where that schema is."""
    found = at(value, path)
    if isinstance(found, dict) and set(found) == {"schema", "payload"}:
        return (*path, "payload"), ((*path, "schema"),)
    return path, ()


def _schema_types(schema: Any, part: str) -> dict[str, WireType]:
    """Types by column that the schema gives for one part of the envelope; none where it has no such part."""
    images = [one for one in _fields(schema) if one.get("field") == part]
    return {str(column["field"]): wire_type_of_schema(column) for one in images for column in _fields(one) if "field" in column}


def _fields(schema: Any) -> list[dict[str, Any]]:
    fields = schema.get("fields") if isinstance(schema, dict) else None
    return [one for one in fields if isinstance(one, dict)] if isinstance(fields, list) else []


def _is_number(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(_NUMBER)


def _text(value: Any) -> str | None:
    """Text of a JSON value: numbers as written, true and false as words, anything deeper as canonical JSON."""
    if value is None:
        return None
    if isinstance(value, str):
        return value.removeprefix(_NUMBER)
    if isinstance(value, bool):
        return "true" if value else "false"
    return canonical(value).decode("utf-8").replace("\\u0000", "")
