"""A feed's contract changes from a registered date on, version by version, or the registry is refused with the reason."""

from __future__ import annotations

from datetime import date

import pytest

from tests.unit.test_registry import TEXT
from transforms.errors import ConfigurationError
from transforms.facilities.registry import Registry, load_registry
from transforms.facilities.registry_tables import registry_tables

FIRST = "{from: 2026-02-01, version: 2, rename: {A: NO, U: STAMP}, drop: [E], columns: {NEW: {}, G: {maps_to: name_family}}}"
SECOND = "{from: 2026-02-10, version: 3, drop: [NEW]}"


def registry(*changes: str) -> Registry:
    """The registry of the tests with changes of the feed `labs`."""
    return load_registry(TEXT.replace("delimiter: \";\",", f'delimiter: ";", contract_changes: [{", ".join(changes)}],'))


def columns(of: Registry, day: date) -> list[str]:
    """Contracted columns of `labs` on a date."""
    return [column.name for column in of.entry("riverside", day).sources["labs"].columns]


def test_a_contract_holds_from_its_date_on() -> None:
    """Each batch date has the columns, the key and the version column of the version in force on it; other feeds are as they were."""
    changed = registry(FIRST, SECOND)
    assert [columns(changed, date(2026, month, day)) for month, day in ((1, 31), (2, 1), (2, 9), (2, 10), (2, 28))] == [
        ["A", "B", "G", "D", "E", "U"], *[["NO", "B", "G", "D", "STAMP", "NEW"]] * 2, *[["NO", "B", "G", "D", "STAMP"]] * 2]
    labs = changed.entry("riverside", date(2026, 2, 1)).sources["labs"]
    assert (labs.key, labs.version_column, labs.contract_version) == (("B", "NO"), "STAMP", 2)
    assert {column.name: column.maps_to for column in labs.columns}["NO"] == "identifier_value"
    assert {column.name: column.maps_to for column in labs.columns}["G"] == "name_family"
    assert changed.entry("riverside", date(2026, 3, 1)).sources == {}, "the next entry has feeds of its own"
    assert [(entry.valid_from.day, entry.valid_to.day) for entry in changed.entries[:3]] == [(1, 1), (1, 10), (10, 1)]


def test_the_tables_say_which_version_is_in_force() -> None:
    """`ref.contract` has a row for each feed with columns and each stretch of time, equal digests for equal columns."""
    rows = registry_tables(registry(FIRST))["contract"].to_pylist()
    labs = [(row["valid_from"], row["contract_version"]) for row in rows if row["source"] == "labs"]
    assert labs == [(date(2026, 1, 1), "1"), (date(2026, 2, 1), "2")]
    assert len({row["digest"] for row in rows if row["source"] == "dms_patient"}) == 1
    assert len({row["digest"] for row in rows if row["source"] == "labs"}) == 2


@pytest.mark.parametrize(("changes", "message"), [
    (["{from: 2026-02-01, version: 3, drop: [E]}"], "version 3 does not follow version 1. Remedy: version: 2"),
    ([FIRST, "{from: 2026-02-01, version: 3, drop: [D]}"], "does not come after the one before it"),
    (["{from: 2026-02-01, version: 2}"], "the change changes nothing"),
    (["{from: 2026-02-01, version: 2, drop: [A]}"], "this column cannot be dropped"),
    (["{from: 2026-02-01, version: 2, drop: [Z]}"], "this column cannot be dropped"),
    (["{from: 2026-02-01, version: 2, rename: {Z: Y}}"], "column 'Z' cannot be renamed so"),
    (["{from: 2026-02-01, version: 2, rename: {D: E}}"], "column 'D' cannot be renamed so"),
    (["{from: 2026-02-01, version: 2, columns: {NEW: {maps_to: gender}}}"], "maps to what another column maps to"),
])
def test_a_change_that_cannot_be_is_refused(changes: list[str], message: str) -> None:
    """The registry names file, line and remedy of a change that follows nothing, changes nothing or names what is not there."""
    with pytest.raises(ConfigurationError, match="facilities.yaml:[0-9]+: .*" + message):
        registry(*changes)
