"""Projections: shape checks, scopes, and rows as SQLite holds them."""

from __future__ import annotations

import sqlite3
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assets.stores.catalog import CatalogStore
from transforms.governance.projection_rows import Projection, replacement
from transforms.governance.projections import TABLES

HOLD = {
    "facility_id": "riverside", "batch_date": date(2026, 1, 2), "asset": "canonical.encounter_version",
    "reason": "null_rate", "since": datetime(2026, 1, 3, 4, 5, tzinfo=timezone(timedelta(hours=-5))), "released": None,
}


def test_values_are_stored_in_one_form() -> None:
    """Dates become ISO text and instants UTC text with Z, whatever zone they came in."""
    item = replacement(Projection("hold", [HOLD], {"facility_id": "riverside"}))
    assert item.rows == ((
        "riverside", "2026-01-02", "canonical.encounter_version", "null_rate", "2026-01-03T09:05:00.000000Z", None),)


@pytest.mark.parametrize(("row", "scope", "fault"), [
    ({**HOLD, "since": "yesterday"}, {}, r"hold\.since"),
    ({**HOLD, "since": None}, {}, r"hold\.since"),
    ({**HOLD, "extra": 1}, {}, "extra"),
    (HOLD, {"facility_id": "lakeside"}, "outside the scope"),
    (HOLD, {"colour": "red"}, "no column colour"),
    (HOLD, [{"facility_id": "riverside", "batch_date": "2026-01-03"}], "outside the scope"),
])
def test_refusals(row: dict[str, object], scope: dict[str, object], fault: str) -> None:
    """Another form, another column, or a row outside its scope is refused by table and column."""
    with pytest.raises(ValueError, match=fault):
        replacement(Projection("hold", [row], scope))


def test_several_scopes() -> None:
    """A run over several partitions replaces them all in one projection."""
    scope = [{"facility_id": f, "batch_date": date(2026, 1, d)} for f in ("lakeside", "riverside") for d in (1, 2)]
    item = replacement(Projection("hold", [HOLD], scope))
    assert len(item.scopes) == 4
    assert item.scopes[0] == (("batch_date", "facility_id"), ("2026-01-01", "lakeside"))


def test_keys_are_columns() -> None:
    """Every table's key consists of its own columns."""
    for table in TABLES.values():
        assert set(table.key) <= set(table.column_names)
        assert len(set(table.column_names)) == len(table.columns)


def test_projections_survive_reopening(tmp_path: Path) -> None:
    """What was projected is still there when the store is opened again."""
    key = Ed25519PrivateKey.generate()
    row = {"facility_id": "f", "name": "F", "region": "r", "owner": "o", "timezone": "UTC", "source_system": "s"}
    with CatalogStore(tmp_path / "audit.sqlite", key) as catalog:
        catalog.project("facility", [row], {})
    with CatalogStore(tmp_path / "audit.sqlite", key):
        pass
    connection = sqlite3.connect(tmp_path / "audit.sqlite")
    assert connection.execute("select count(*) from facility").fetchone() == (1,)
    connection.close()
