"""Kafka Connect's wire forms of database values -> the text that the database itself would show.

Belongs here: logical types of Debezium and Kafka Connect (Debezium reference, SQL Server connector, "Data type mappings"), by the
name in an event's schema, else by the contracted SQL Server type under the connector's default precision mode. Does not belong
here: what a value means; a wall-clock time stays one, since `datetime` and `datetime2` have no zone and are sent as if they were UTC.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

_DECIMAL, _VARIABLE_DECIMAL = "org.apache.kafka.connect.data.Decimal", "io.debezium.data.VariableScaleDecimal"
_ZONED = "io.debezium.time.ZonedTimestamp"
# ISO 8601 with an offset, and how SQL Server shows it; digits beyond its seven are cut.
_ISO = r"^([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.][0-9]{1,7})?)[0-9]{0,2}([+-][0-9]{2}:[0-9]{2})$"
_ZONED_SHOWN = r"\1 \2 \3"
# SQL Server's decimal has up to 38 digits, before or behind the point. More would be the sender's choice of our memory.
_DECIMAL_DIGITS, _DECIMAL_BYTES = 38, 17
_SCALE = re.compile("[0-9]{1,2}")
# The years 1 to 9999, from the first to before the end: what a date of SQL Server can be.
_SECONDS = (int(datetime(1, 1, 1, tzinfo=UTC).timestamp()), int(datetime(9999, 12, 31, tzinfo=UTC).timestamp()) + 86_400)
_DAYS = (_SECONDS[0] // 86_400, _SECONDS[1] // 86_400)
# Units of a second of the time types; dates count days.
_PER_SECOND = {
    "io.debezium.time.Timestamp": 10**3, "io.debezium.time.MicroTimestamp": 10**6, "io.debezium.time.NanoTimestamp": 10**9,
    "org.apache.kafka.connect.data.Timestamp": 10**3,
}
_DATES = frozenset({"io.debezium.time.Date", "org.apache.kafka.connect.data.Date"})
_ADAPTIVE = {"date": "io.debezium.time.Date", "datetime": "io.debezium.time.Timestamp", "smalldatetime": "io.debezium.time.Timestamp",
             "datetimeoffset": _ZONED}


@dataclass(frozen=True)
class WireType:
    """Logical type of a column, empty for a plain one, and the scale of a decimal."""

    name: str = ""
    scale: int = 0


def wire_type_of_schema(field: Mapping[str, object]) -> WireType:
    """Type of one field of an event's schema; a plain one where its scale is none that SQL Server has."""
    parameters = field.get("parameters")
    scale = str(parameters.get("scale", "0")) if isinstance(parameters, dict) else "0"
    return WireType(str(field.get("name") or ""), int(scale)) if _SCALE.fullmatch(scale) else WireType()


def wire_type_of_contract(column_type: str) -> WireType:
    """Type that the connector sends for a SQL Server type where an event has no schema."""
    name, _, size = column_type.lower().removesuffix(")").partition("(")
    if name in ("decimal", "numeric", "money", "smallmoney"):
        scale = size.partition(",")[2].strip()
        return WireType(_DECIMAL, int(scale) if scale.isdigit() else 4 if name.endswith("money") else 0)
    if name == "datetime2":
        precision = int(size) if size.isdigit() else 7
        unit = "Timestamp" if precision <= 3 else "MicroTimestamp" if precision <= 6 else "NanoTimestamp"
        return WireType(f"io.debezium.time.{unit}")
    return WireType(_ADAPTIVE.get(name, ""))


def shown(texts: pa.Array, are_numbers: pa.Array, wire: WireType) -> pa.Array:
    """Texts of values: a number or string as it stands in the JSON. What does not have its type's form stays as sent; null stays null."""
    if wire.name in _DATES or wire.name in _PER_SECOND:
        return _moments(texts, are_numbers, wire)
    if wire.name in (_DECIMAL, _VARIABLE_DECIMAL):
        encoded = pc.dictionary_encode(texts)
        distinct = pa.array([_decimal(text.as_py(), wire) for text in encoded.dictionary], pa.string())
        return pc.if_else(are_numbers, texts, distinct.take(encoded.indices))
    if wire.name == _ZONED:
        return pc.replace_substring_regex(pc.replace_substring_regex(texts, "Z$", "+00:00"), _ISO, _ZONED_SHOWN)
    return texts


def _moments(texts: pa.Array, are_numbers: pa.Array, wire: WireType) -> pa.Array:
    is_whole = pc.and_(are_numbers, pc.match_substring_regex(texts, "^-?[0-9]{1,19}$"))
    sent = pc.cast(pc.if_else(is_whole, texts, None), pa.decimal128(38, 0))  # nineteen digits may be more than 64 bits hold
    first, last = (bound * _PER_SECOND.get(wire.name, 1) for bound in (_DAYS if wire.name in _DATES else _SECONDS))
    is_moment = pc.and_(pc.greater_equal(sent, pa.scalar(first, sent.type)), pc.less(sent, pa.scalar(min(last, 2**63), sent.type)))
    number = pc.cast(pc.if_else(is_moment, sent, None), pa.int64())
    if wire.name in _DATES:
        return pc.coalesce(pc.cast(pc.cast(pc.cast(number, pa.int32()), pa.date32()), pa.string()), texts)
    return pc.coalesce(_texts(_microseconds(number, _PER_SECOND[wire.name])), texts)


def _microseconds(number: pa.Array, per_second: int) -> pa.Array:
    """Microseconds since 1970, what is below one cut off towards the past."""
    if per_second <= 10**6:
        return pc.multiply(number, 10**6 // per_second)
    part = per_second // 10**6
    return pc.divide(pc.if_else(pc.less(number, 0), pc.subtract(number, part - 1), number), part)


def _texts(microseconds: pa.Array) -> pa.Array:
    """Times as text, with six digits of the second where it has a fraction."""
    moment = pc.cast(microseconds, pa.timestamp("us"))
    second = pc.floor_temporal(moment, unit="second")
    whole = pc.cast(pc.cast(second, pa.timestamp("s")), pa.string())
    return pc.if_else(pc.equal(moment, second), whole, pc.cast(moment, pa.string()))


def _decimal(text: str, wire: WireType) -> str:
    """Big-endian two's complement of the unscaled value, in base64; one of variable scale has its scale beside it."""
    value, scale = _scaled(text) if wire.name == _VARIABLE_DECIMAL else (text, wire.scale)
    try:
        content = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return text
    if not content or len(content) > _DECIMAL_BYTES or scale > _DECIMAL_DIGITS:
        return text
    unscaled = int.from_bytes(content, "big", signed=True)
    digits = tuple(map(int, str(abs(unscaled))))
    return f"{Decimal((int(unscaled < 0), digits, -scale)):f}"


def _scaled(text: str) -> tuple[str, int]:
    """Value and scale of a structure, shown as canonical JSON; no value where it is none."""
    try:
        found = json.loads(text)
        value, scale = found["value"], str(found["scale"])
    except (ValueError, TypeError, LookupError):
        return "", 0
    return (value, int(scale)) if isinstance(value, str) and _SCALE.fullmatch(scale) else ("", 0)
