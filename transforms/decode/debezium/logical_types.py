"""Kafka Connect's wire forms of database values -> the text that the database itself would show.

Belongs here: logical types of Debezium and Kafka Connect (Debezium reference, SQL Server connector, "Data type mappings"), by the
name in an event's schema, else by the contracted SQL Server type under the connector's default precision mode. Does not belong
here: what a value means; a wall-clock time stays one, since `datetime` and `datetime2` have no zone and are sent as if they were UTC.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

_DECIMAL = "org.apache.kafka.connect.data.Decimal"
# SQL Server's decimal has up to 38 digits, before or behind the point. More would be the sender's choice of our memory.
_DECIMAL_DIGITS, _DECIMAL_BYTES = 38, 17
_SCALE = re.compile("[0-9]{1,2}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Units of a second of the time types; dates count days.
_PER_SECOND = {
    "io.debezium.time.Timestamp": 10**3, "io.debezium.time.MicroTimestamp": 10**6, "io.debezium.time.NanoTimestamp": 10**9,
    "org.apache.kafka.connect.data.Timestamp": 10**3,
}
_DATES = frozenset({"io.debezium.time.Date", "org.apache.kafka.connect.data.Date"})
_ADAPTIVE = {"date": "io.debezium.time.Date", "datetime": "io.debezium.time.Timestamp", "smalldatetime": "io.debezium.time.Timestamp"}


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


def shown(value: str, is_number: bool, wire: WireType) -> str:
    """Text of a value: a number or string as it stands in the JSON. What does not have its type's form stays as sent."""
    if is_number and (wire.name in _DATES or wire.name in _PER_SECOND):
        return _moment(value, wire)
    if not is_number and wire.name == _DECIMAL:
        return _decimal(value, wire.scale)
    return value


def _moment(value: str, wire: WireType) -> str:
    try:
        number = int(value)
        if wire.name in _DATES:
            return (_EPOCH + timedelta(days=number)).date().isoformat()
        moment = _EPOCH + timedelta(microseconds=number * 10**6 // _PER_SECOND[wire.name])
    except (ValueError, OverflowError):
        return value
    return moment.replace(tzinfo=None).isoformat(sep=" ")


def _decimal(value: str, scale: int) -> str:
    """Big-endian two's complement of the unscaled value, in base64."""
    try:
        content = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return value
    if not content or len(content) > _DECIMAL_BYTES or scale > _DECIMAL_DIGITS:
        return value
    unscaled = int.from_bytes(content, "big", signed=True)
    digits = tuple(map(int, str(abs(unscaled))))
    return f"{Decimal((int(unscaled < 0), digits, -scale)):f}"
