"""The rules that a batch is read under move with what decides the reading, from the day it holds on, and with nothing else."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from assets.root import Root
from tests.unit.test_registry import TEXT
from transforms.facilities.reading_rules import ReadingRules, reading_rules
from transforms.facilities.registry import load_registry
from transforms.terminology.concept_map import MapVersion

FIRST, LATER, LAST = date(2026, 1, 5), date(2026, 2, 15), date(2026, 2, 28)
MAP = MapVersion("observation", "2026-01", date(2026, 2, 10))


def rules(text: str = TEXT, *maps: MapVersion, facility: str = "riverside") -> ReadingRules:
    """Rules of a facility of the tests' registry."""
    return reading_rules(load_registry(text), maps, facility)


def moved(text: str = TEXT, *maps: MapVersion) -> list[bool]:
    """Whether the rules of three days differ from those of the registry as it is, without maps."""
    return [rules(text, *maps).on(day) != rules().on(day) for day in (FIRST, LATER, LAST)]


@pytest.mark.parametrize(("said", "otherwise", "expected"), [
    ('delimiter: ";"', 'delimiter: "|"', [True, True, True]),
    ("charset: windows-1252", "charset: utf-8", [True, True, True]),
    ('delimiter: ";",', 'delimiter: ";", contract_changes: [{from: 2026-02-10, version: 2, drop: [E]}],', [False, True, True]),
    ("value_map: {N: other}", "value_map: {N: unknown}", [True, True, True]),
    ("code: 2345-7", "code: 2339-0", [True, True, True]),
    ("owner: labs@", "owner: other@", [False, False, False]),
])
def test_an_edit_moves_the_days_that_it_concerns(said: str, otherwise: str, expected: list[bool]) -> None:
    """A delimiter, a meaning of a column and a local code move every day of their entry, a contract change the days from its own on, an owner none."""
    assert said in TEXT
    assert moved(TEXT.replace(said, otherwise, 1)) == expected


def test_a_map_moves_the_days_from_its_first_on() -> None:
    """A general map moves every facility from its first day on; a facility's own stands in its place there."""
    assert moved(TEXT, MAP) == [False, True, True]
    own = MapVersion("observation", "own", date(2026, 2, 20), "riverside")
    assert moved(TEXT, own, MAP) == [False, False, True]
    assert rules(TEXT, own, MAP).on(LAST) == rules(TEXT, own).on(LAST)
    elsewhere = MapVersion("observation", "own", date(2026, 2, 20), "elsewhere")
    assert moved(TEXT, elsewhere) == [False, False, False]


def test_before_the_first_entry_there_are_no_rules() -> None:
    """A day that no entry covers has none."""
    assert rules().on(date(2020, 1, 1)) is None


def test_a_root_works_rules_out_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A root asked again gives the same rules without working them out, and others once a map was loaded."""
    asked: list[str] = []
    monkeypatch.setattr("assets.root.reading_rules", lambda registry, maps, facility: asked.append(facility) or reading_rules(registry, maps, facility))
    store: Any = None
    root = Root(tmp_path, store, load_registry(TEXT), TEXT, store, store)
    first = root.reading_rules(["riverside"])
    assert root.reading_rules(["riverside"]) == first == {"riverside": rules()}
    assert asked == ["riverside"]
    monkeypatch.setattr("assets.stores.terminology.TerminologyStore.versions", lambda _self: [MAP])
    assert root.reading_rules(["riverside"]) == {"riverside": rules(TEXT, MAP)} != first
