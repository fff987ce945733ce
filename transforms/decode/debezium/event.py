"""One Debezium change event: its envelope read, its row image as texts.

Belongs here: the envelope (Debezium reference, SQL Server connector, "Change events"), with or without `schema`, alone or beside its key.
Does not belong here: units and raw rows (`decode.py`), types (`logical_types.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from transforms.decode.debezium.logical_types import WireType, shown, wire_type_of_contract, wire_type_of_schema
from transforms.decode.json_text import canonical
from transforms.facilities.entry import Source

OPERATIONS = frozenset({"r", "c", "u", "d"})
_NUMBER = "\0"


@dataclass(frozen=True)
class ChangeEvent:
    """What one line says. `cells`: column -> text or null of the row image (before a deletion, after any other change);
    `sequence` sorts as text, a missing part first, empty for a snapshot without position; `changed_ms` is the source's commit time in
    milliseconds since 1970 as sent; `key` is the canonical text of the message key."""

    is_tombstone: bool
    key: bytes
    op: str | None = None
    sequence: str = ""
    changed_ms: str | None = None
    cells: dict[str, str | None] = field(default_factory=dict)


def read_event(value: Any, source: Source) -> ChangeEvent | None:
    """Event of a parsed line; null where it is no change of the feed's table."""
    body, key = (value["value"], value.get("key")) if isinstance(value, dict) and "value" in value else (value, None)
    key = _payload(key)
    if body is None:
        return ChangeEvent(True, canonical(key))
    schema = body.get("schema") if isinstance(body, dict) else None
    envelope = _payload(body)
    if not isinstance(envelope, dict) or envelope.get("op") not in OPERATIONS:
        return None
    origin = envelope.get("source")
    origin = origin if isinstance(origin, dict) else {}
    if not _is_of_table(origin, source):
        return None
    op = str(envelope["op"])
    image = envelope.get("before" if op == "d" else "after")
    if not isinstance(image, dict):
        image = key if op == "d" and isinstance(key, dict) else None
    if image is None:
        return None
    cells = _cells(image, schema, op, source)
    return ChangeEvent(False, canonical(key), op, _sequence(origin), _text(origin.get("ts_ms")), cells)


def _payload(value: Any) -> Any:
    """A message without the schema that the converter may have wrapped around it."""
    return value["payload"] if isinstance(value, dict) and set(value) == {"schema", "payload"} else value


def _is_of_table(origin: dict[str, Any], source: Source) -> bool:
    """Does the event's origin, where it states one, name the feed's table? A contract may leave the schema out."""
    schema, _, table = (source.table or "").rpartition(".")
    return origin.get("table", table) == table and (not schema or origin.get("schema") in (schema, None))


def _sequence(origin: dict[str, Any]) -> str:
    """Position in the log. The separator sorts before every character of a part, so that a missing part comes first."""
    serial = _text(origin.get("event_serial_no"))
    parts = [_text(origin.get("commit_lsn")) or "", _text(origin.get("change_lsn")) or "", serial.zfill(20) if serial else ""]
    return " ".join(parts).lower() if parts[0] or parts[1] else ""


def _cells(image: dict[str, Any], schema: Any, op: str, source: Source) -> dict[str, str | None]:
    types = {column.name: wire_type_of_contract(column.type) for column in source.columns}
    types |= _schema_types(schema, "before" if op == "d" else "after")
    return {
        name: None if value is None else shown(_text(value) or "", _is_number(value), types.get(name, WireType()))
        for name, value in image.items()
    }


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
