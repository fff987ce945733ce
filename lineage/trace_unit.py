"""What the traces of all raw formats share: the rows of a unit, the payload hashed again, the cards of a trace."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from lineage.trace_result import Excerpt, Step, Value
from lineage.trace_sources import Record, Sources
from transforms.errors import ContractError


@dataclass(frozen=True)
class RawField:
    """A raw column that feeds a field, and the place in its JSON document."""

    table: str
    column: str
    path: str


@dataclass(frozen=True)
class RawTrace:
    """The steps below a version row, and in a few words where they end."""

    steps: tuple[Step, ...]
    origin: str


def raw_fields(sources: Sources, asset: str, column: str, depth: int = 8) -> list[RawField]:
    """Raw columns that the value of a column comes from, nearest first."""
    found: dict[RawField, None] = {}
    front, seen = [(asset, column)], {(asset, column)}
    for _ in range(depth):
        beyond = []
        for link in (link for key in front for link in sources.links_into(*key) if link.type == "DIRECT"):
            key = (link.src_asset, link.src_col)
            if link.src_asset.startswith("raw."):
                found.setdefault(RawField(link.src_asset.removeprefix("raw."), link.src_col, link.path))
            elif key not in seen:
                seen.add(key)
                beyond.append(key)
        front = beyond
    return list(found)


def unit_rows(sources: Sources, table: str, version: Record) -> list[dict[str, Any]]:
    """The rows of a unit in one raw table."""
    rows = sources.query(
        f"select raw.* from LAKE.raw.{table} raw where raw.unit_id = ? order by raw.record_locator", [version["unit_id"]])
    return [{name.lower(): value for name, value in row.items()} for row in rows]


def received_bytes(sources: Sources, version: Record) -> bytes:
    """The bytes, hashed again: what is shown is what was received, or nothing is."""
    payload = sources.read_payload(str(version["payload_id"]))
    if sha256(payload).hexdigest() != version["payload_id"]:
        raise ContractError("the payload is not the one that was received: its hash differs from its name")
    return payload


def charset_of(sources: Sources, version: Record, text: bytes) -> str:
    """The character set that a record's bytes are shown in: UTF-8 where they are, else the facility's own."""
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        rows = sources.query(
            "select facility.charset from LAKE.ref.facility facility where facility.facility_id = ? order by facility.valid_from desc",
            [version["facility_id"]])
        return str(rows[0]["charset"]) if rows else "latin-1"
    return "utf-8"


def raw_step(table: str, row: Record, values: tuple[Value, ...], name: str | None) -> Step:
    """The card of a raw row."""
    key = (("record_id", str(row["record_id"])), ("record_locator", str(row["record_locator"])))
    return Step("raw", f"As decoded: {name}", f"raw.{table}", key, values, "decoded without interpretation; text as sent")


def payload_step(sources: Sources, version: Record, found: Excerpt) -> Step:
    """The card of the payload, with the bytes."""
    rows = sources.query(
        "select cast(delivery.received_time as varchar) as received_time, delivery.source from LAKE.raw.raw_delivery delivery "
        "where delivery.delivery_id = ?", [version["delivery_id"]])
    arrived = rows[0] if rows else {}
    key = (
        ("payload_id", str(version["payload_id"])), ("delivery_id", str(version["delivery_id"])),
        ("source", str(arrived.get("source", ""))))
    received = arrived.get("received_time")
    return Step("landing", "As received", "landing.payload", key,
                rule="kept under the SHA-256 of its bytes, hashed again before it was shown",
                time=str(received).replace(" ", "T") + "+00:00" if received else "", excerpt=found)
