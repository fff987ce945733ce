"""Contracts of feeds as the warehouse knows them, against those of the registry: what has changed since the last run.

Belongs here: the comparison and its entry in the audit log. Not here: what a contract says (`transforms/facilities`), what a
file that breaks one comes to (dbt).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from assets.stores.warehouse import Warehouse, existing_tables
from transforms.facilities.registry import Registry
from transforms.facilities.registry_tables import registry_tables
from transforms.governance.events import Event


@dataclass(frozen=True)
class ChangedContract:
    """A feed whose columns from a batch date on are others than before. `old` is null for a feed that had none; a version is its
    number with the digest of the columns, so that an edit that forgot the number shows."""

    facility_id: str
    source: str
    valid_from: date
    old: str | None
    new: str


def contract_changes(warehouse: Warehouse, registry: Registry) -> list[ChangedContract]:
    """Contracts of the registry that differ from those in `ref.contract`; none where the warehouse is new."""
    if "ref.contract" not in existing_tables(warehouse):
        return []
    known = warehouse.query(
        "select facility_id, valid_from, valid_to, source, contract_version, digest from LAKE.ref.contract").to_pylist()
    return list(_changes(known, registry_tables(registry)["contract"].to_pylist())) if known else []


def change_event(changed: ChangedContract, run_id: str) -> Event:
    """Give the log's entry of a changed contract."""
    product = f"{changed.facility_id}|{changed.source}|{changed.valid_from.isoformat()}"
    versions = {"new_version": changed.new} | ({"old_version": changed.old} if changed.old else {})
    return Event("contract.change", f"contract|{changed.facility_id}|{changed.source}", {"product": product, **versions}, run_id=run_id)


def _changes(known: list[dict[str, Any]], registered: list[dict[str, Any]]) -> Iterator[ChangedContract]:
    for row in registered:
        before = next((_version(one) for one in known if (one["facility_id"], one["source"]) == (row["facility_id"], row["source"])
                       and _day(one["valid_from"]) <= row["valid_from"] < _day(one["valid_to"])), None)
        if before != _version(row):
            yield ChangedContract(row["facility_id"], row["source"], row["valid_from"], before, _version(row))


def _version(row: dict[str, Any]) -> str:
    return f"{row['contract_version']}+{row['digest']}"


def _day(value: date | datetime) -> date:
    return value.date() if isinstance(value, datetime) else value
