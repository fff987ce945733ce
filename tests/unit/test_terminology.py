"""Concept maps: what a file says, which version holds where and when, and that a version never changes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from assets.stores.terminology import TerminologyStore
from tests.conftest import PROJECT
from transforms.errors import ConfigurationError
from transforms.facilities.registry import load_registry
from transforms.terminology.concept_map import CONCEPT_MAP, MapVersion, read_concept_map
from transforms.terminology.in_force import code_map

SAMPLES = PROJECT / "docs" / "samples"
LOINC = "http://loinc.org"
HEAD = "source_code,target_system,target_code,equivalence\n"
REGISTRY = load_registry("""
registry_version: 1
first_batch_date: 2026-01-01
facilities:
  - &north {facility_id: north, valid_from: 2026-01-01, name: N, region: r, owner: o@x.example, timezone: UTC, charset: utf-8, source_system: s,
     code_maps: {observation: {OWN: {system: "http://loinc.org", code: "1-1"}}}}
  - {facility_id: north, valid_from: 2026-06-01, name: N, region: r, owner: o@x.example, timezone: UTC, charset: utf-8, source_system: s}
  - {facility_id: south, valid_from: 2026-01-01, name: S, region: r, owner: o@x.example, timezone: UTC, charset: utf-8, source_system: s}
""")
START, MARCH, JUNE, END = date(2026, 1, 1), date(2026, 3, 1), date(2026, 6, 1), date(9999, 12, 31)


def version(name: str, first: date, facility: str | None = None, map_name: str = "observation") -> MapVersion:
    """A version of a map."""
    return MapVersion(map_name, name, first, facility)


def mapped(*maps: tuple[MapVersion, str]) -> set[tuple[str, str, str, date, date]]:
    """Facility, local code, code and days of everything that holds, the maps given as lines of CSV."""
    tables = [read_concept_map(HEAD + text, "map.csv", one) for one, text in maps]
    rows = code_map(REGISTRY, pa.concat_tables([CONCEPT_MAP.empty_table(), *tables])).to_pylist()
    return {(row["facility_id"], row["local_code"], row["code"], row["valid_from"], row["valid_to"]) for row in rows}


def test_the_samples_are_read_in_both_forms() -> None:
    """CSV and a FHIR ConceptMap give the same columns; an element without a target is unmatched."""
    rows = read_concept_map((SAMPLES / "observation_map.csv").read_text(), "observation_map.csv", version("1", START)).to_pylist()
    assert [(row["source_code"], row["target_code"], row["equivalence"]) for row in rows][2:] == [
        ("GLUC-POC", "2345-7", "wider"), ("PANEL-9", "24323-8", "narrower"), ("HOUSE-1", None, "unmatched")]
    table = read_concept_map((SAMPLES / "encounter_class_map.json").read_text(), "map.json", version("1", START, map_name="encounter_class"))
    assert table.schema == CONCEPT_MAP
    assert [(row["source_code"], row["target_code"], row["equivalence"]) for row in table.to_pylist()] == [
        ("12", "IMP", "equivalent"), ("77", "AMB", "wider"), ("99", None, "unmatched")]


@pytest.mark.parametrize(("text", "place"), [
    ("", "map.csv:1"), ("a,b\n1,2\n", "map.csv:1"), (HEAD, "map.csv"), (HEAD + "A,http://loinc.org,1-1,same\n", "map.csv:2"),
    (HEAD + "A,http://loinc.org,1-1,equal\n,http://loinc.org,1-2,equal\n", "map.csv:3"), (HEAD + "A,http://loinc.org,,equal\n", "map.csv:2"),
    (HEAD + "A,http://loinc.org,1-1,equal\nA,http://loinc.org,1-2,wider\n", "map.csv:3"), ('{"resourceType": "Patient"}', "map.csv"),
    ('{"resourceType": "ConceptMap", "group": [{"target": "u:x", "element": [{"code": "A", "target": [{"code": "1", "equivalence": "equal"}, '
     '{"code": "2", "equivalence": "equal"}]}]}]}', "group[0].element[0].target[1]"),
])
def test_a_wrong_line_is_named(text: str, place: str) -> None:
    """Header, code, equivalence, target, and a code for which two targets would stand: each is refused with its place."""
    with pytest.raises(ConfigurationError, match="Remedy") as refused:
        read_concept_map(text, "map.csv", version("1", START))
    assert place in str(refused.value)


def test_only_a_target_that_says_no_more_stands_for_a_code() -> None:
    """Equal, equivalent, wider and subsuming targets map; narrower, inexact and unmatched ones do not (FHIR R4 ConceptMapEquivalence)."""
    text = f"A,{LOINC},1,equal\nB,{LOINC},2,wider\nC,{LOINC},3,narrower\nD,{LOINC},4,inexact\nE,,,unmatched\n"
    assert {row[1] for row in mapped((version("1", START), text)) if row[0] == "south"} == {"A", "B"}


def test_a_version_holds_until_the_next_one_begins() -> None:
    """The days of two versions do not overlap, and a code that the next one leaves out is mapped no more."""
    found = mapped((version("2", MARCH), f"A,{LOINC},2-2,equal\n"), (version("1", START), f"A,{LOINC},1-1,equal\nB,{LOINC},1-9,equal\n"))
    assert {row for row in found if row[0] == "south"} == {
        ("south", "A", "1-1", START, MARCH), ("south", "B", "1-9", START, MARCH), ("south", "A", "2-2", MARCH, END)}


def test_the_registry_and_a_facilitys_own_map_come_first() -> None:
    """The registry's line counts as long as its entry holds; a map of one facility stands there in place of the general one."""
    general = (version("1", START), f"OWN,{LOINC},9-9,equal\nA,{LOINC},1-1,equal\n")
    assert mapped(general) == {
        ("north", "OWN", "1-1", START, JUNE), ("north", "OWN", "9-9", JUNE, END), ("north", "A", "1-1", START, JUNE), ("north", "A", "1-1", JUNE, END),
        ("south", "OWN", "9-9", START, END), ("south", "A", "1-1", START, END)}
    special = (version("s", START, "south"), f"A,{LOINC},5-5,equal\n")
    assert {row for row in mapped(general, special) if row[0] == "south"} == {("south", "A", "5-5", START, END)}


def test_a_version_never_changes(tmp_path: Path) -> None:
    """The same content again is nothing new; other content under its name, and a second version of the same day, are refused."""
    store, first = TerminologyStore(tmp_path), version("1", START)
    rows = read_concept_map(HEAD + f"A,{LOINC},1-1,equal\n", "map.csv", first)
    empty = store.digest
    assert (store.add(first, rows), store.add(first, rows)) == (True, False)
    assert store.digest != empty
    with pytest.raises(ConfigurationError, match="never changes"):
        store.add(first, read_concept_map(HEAD + f"A,{LOINC},2-2,equal\n", "map.csv", first))
    later = version("2", START)
    with pytest.raises(ConfigurationError, match="valid-from"):
        store.add(later, read_concept_map(HEAD + f"A,{LOINC},2-2,equal\n", "map.csv", later))
    assert store.concept_maps().to_pylist() == rows.to_pylist()
    assert store.versions() == [first]


# Written for this test in the layout that CMS publishes: codes without points, target, five flags.
GEM = "4019  I10     10000\n25001 E109    00000\n37700 H4710   10000\n37700 H4711   10000\nE8000 V812XXA 00000\n36616 NoDx    11000\n99664 T8351XA 10111\n"


def test_a_gem_file_is_a_map() -> None:
    """Exact only targets are equivalent, others inexact, no map is unmatched, and codes have their points."""
    table = read_concept_map(GEM, "gem.txt", version("2018", START, map_name="condition"))
    said = [(row["source_code"], row["target_code"], row["equivalence"]) for row in table.to_pylist()]
    assert said == [
        ("401.9", "I10", "inexact"), ("250.01", "E10.9", "equivalent"), ("377.00", "H47.10", "inexact"), ("377.00", "H47.11", "inexact"),
        ("E800.0", "V81.2XXA", "equivalent"), ("366.16", None, "unmatched"), ("996.64", "T83.51XA", "inexact")]
    systems = {(row["source_system"], row["target_system"]) for row in table.to_pylist() if row["target_code"]}
    assert systems == {("http://hl7.org/fhir/sid/icd-9-cm", "http://hl7.org/fhir/sid/icd-10-cm")}
    back = read_concept_map("A000    0010  00000\nY9289   E8498 10000\n", "gem.txt", version("2018", START)).to_pylist()
    assert [(row["source_code"], row["target_code"], row["equivalence"]) for row in back] == [
        ("A00.0", "001.0", "equivalent"), ("Y92.89", "E849.8", "inexact")]
    with pytest.raises(ConfigurationError, match="gem.txt:2: no line of a GEM file.*Remedy"):
        read_concept_map("4019  I10     10000\nnonsense\n", "gem.txt", version("2018", START))
