"""Comparison of two warehouses, on tables written by hand in each one's own SQL: every kind of value, every kind of difference."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestration.parity.compare import Compared, Side, compare
from orchestration.parity.sides import open_sides
from orchestration.settings import Settings
from tests.snowflake.conftest import MARKS, Double
from transforms.errors import ConfigurationError

pytestmark = MARKS
COLUMNS = (
    "record_id varchar, facility_id varchar, name varchar, n bigint, price decimal(18,2), score double, is_new boolean, born date, "
    "seen {timestamp}, cells {texts}"
)
TYPES = {
    "local": {"timestamp": "timestamp", "texts": "varchar[]"},
    "cloud": {"timestamp": "timestamp_ntz", "texts": "array"},
}
LISTS = {"local": ("['a', null, 'ü\"']", "cast([] as varchar[])"), "cloud": ("array_construct('a', null, 'ü\"')", "array_construct()")}
ROWS = (
    "select 'r1', 'f', 'Zoë', 1, 1.5, 0.1, true, cast('2026-01-05' as date), cast('2026-01-05 06:07:08.000009' as {timestamp}), {full}",
    "select 'r2', 'f', '', -9007199254740993, -0.01, -26.534425, false, cast('1899-12-31' as date), cast('2026-01-05 00:00:00' as {timestamp}), {empty}",
    "select 'r3', 'f', null, null, null, null, null, null, null, null",
    "select 'r4', 'g', '-', 0, 0, 0, null, null, null, null",
)


@pytest.fixture
def sides(double: Double, open_test_root: Callable[..., Any], tmp_path: Path) -> Iterator[tuple[Side, Side]]:
    """Schema `proof` with the same four rows on DuckDB and on the double."""
    local, _ = open_test_root(tmp_path / "local")
    cloud, _ = open_test_root(tmp_path / "cloud", **double.settings())
    with local.warehouse.open() as left, cloud.warehouse.open() as right:
        given = (Side("DuckDB", "local", left), Side("Snowflake", "cloud", right))
        for side in given:
            kinds, (full, empty) = TYPES[side.target], LISTS[side.target]
            side.warehouse.execute("drop schema if exists LAKE.proof cascade")
            side.warehouse.execute("create schema LAKE.proof")
            side.warehouse.execute(f"create table LAKE.proof.t ({COLUMNS.format(**kinds)})")
            for row in ROWS:
                side.warehouse.execute(f"insert into LAKE.proof.t {row.format(full=full, empty=empty, **kinds)}")
        yield given
        given[1].warehouse.execute("drop schema LAKE.proof cascade")


def compared(sides: tuple[Side, Side]) -> Compared:
    """The comparison of the one table."""
    (one,) = compare(*sides, ["proof"])
    return one


def test_equal_values_of_every_kind_are_equal(sides: tuple[Side, Side]) -> None:
    """Text beyond ASCII, numbers beyond a double's, microseconds, nulls, empty texts and lists compare equal on both."""
    assert compared(sides) == Compared("proof.t", 4, 4)


@pytest.mark.parametrize(("change", "columns"), [
    ("name = 'Zoe' where record_id = 'r1'", ("name",)),
    ("name = null where record_id = 'r2'", ("name",)),
    ("n = -9007199254740992 where record_id = 'r2'", ("n",)),
    ("price = 1.51 where record_id = 'r1'", ("price",)),
    ("score = 0.100000001 where record_id = 'r1'", ("score",)),
    ("is_new = null where record_id = 'r2'", ("is_new",)),
    ("born = cast('2026-01-06' as date) where record_id = 'r1'", ("born",)),
    ("seen = cast('2026-01-05 06:07:08.000010' as timestamp) where record_id = 'r1'", ("seen",)),
    ("cells = array_construct('a', '', 'ü\"') where record_id = 'r1'", ("cells",)),
    ("name = '', facility_id = 'f-' where record_id = 'r4'", ("facility_id", "name")),
])
def test_changed_value_is_found_and_its_row_named(sides: tuple[Side, Side], change: str, columns: tuple[str, ...]) -> None:
    """One changed value on one side is found, its column told, its row named on both sides by its key, and no value shown."""
    sides[1].warehouse.execute(f"update LAKE.proof.t set {change}")
    found = compared(sides)
    assert (found.difference, found.columns) == ("differs", columns)
    record_id = change.rsplit("'", 2)[1]
    assert [(row.side, row.key["record_id"]) for row in found.rows] == [("DuckDB", record_id), ("Snowflake", record_id)]
    assert set(found.rows[0].key) == {"facility_id", "record_id"}


def test_row_that_occurs_twice_is_found(sides: tuple[Side, Side]) -> None:
    """Two rows doubled on one side and two others on the other differ, though their counts and their exclusive or do not."""
    for side, names in zip(sides, ("'r1', 'r2'", "'r3', 'r4'"), strict=True):
        for _ in range(2):
            side.warehouse.execute(f"insert into LAKE.proof.t select distinct * from LAKE.proof.t where record_id in ({names})")
    found = compared(sides)
    assert (found.rows_left, found.rows_right, found.difference) == (8, 8, "differs")
    assert {(row.side, row.key["record_id"]) for row in found.rows} == {
        ("DuckDB", "r1"), ("DuckDB", "r2"), ("Snowflake", "r3"), ("Snowflake", "r4"),
    }


def test_proof_without_an_account_is_refused(tmp_path: Path) -> None:
    """Without a Snowflake account there is nothing to prove: exit code 2 with the remedy, before a file is made."""
    with pytest.raises(ConfigurationError, match="No Snowflake account.*Remedy") as refused:
        open_sides(Settings(home=tmp_path / "root"))
    assert refused.value.exit_code == 2
    assert not (tmp_path / "root").exists()


def test_shape_differences_are_told(sides: tuple[Side, Side]) -> None:
    """A table, a column or a kind of column that one side has alone is told before any row is looked at."""
    sides[0].warehouse.execute("create table LAKE.proof.alone (a varchar)")
    sides[0].warehouse.execute("create table LAKE.proof.column_alone (a varchar, b varchar)")
    sides[1].warehouse.execute("create table LAKE.proof.column_alone (a varchar, c varchar)")
    sides[0].warehouse.execute("create table LAKE.proof.kind_alone (a varchar, b decimal(9,2))")
    sides[1].warehouse.execute("create table LAKE.proof.kind_alone (a varchar, b decimal(9,3))")
    found = {one.table: (one.difference, one.columns) for one in compare(*sides, ["proof"])}
    assert found == {
        "proof.alone": ("is in DuckDB only", ()), "proof.column_alone": ("has columns on one side only", ("b", "c")),
        "proof.kind_alone": ("has columns of different kinds", ("b",)), "proof.t": (None, ()),
    }
