"""The facilities registry: what it accepts, what it refuses and how it says so, and its tables."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from transforms.errors import ConfigurationError
from transforms.facilities.datetime_formats import SUPPORTED_DATETIME_FORMATS
from transforms.facilities.mappable import MAPPABLE_RESOURCES, mappable, mappable_dates
from transforms.facilities.registry import load_registry, shipped_registry_text
from transforms.facilities.registry_tables import registry_schema, registry_tables

TEXT = """\
registry_version: 1
first_batch_date: 2026-01-01
facilities:
  - facility_id: riverside
    valid_from: 2026-01-01
    name: Riverside Hospital
    region: north
    owner: riverside-data@northstar.example
    timezone: America/New_York
    charset: windows-1252
    source_system: cerner
    default_authority: RIV
    authorities: {RIV: https://riverside.example.org/id/mrn}
    fhir_base_urls: [https://fhir.riverside.example.org/r4/]
    known_extensions: [https://example.org/race]
    modifier_extensions: {https://example.org/simulated: {when: true, set_status: entered-in-error}}
    extraction_window: {from: "01:00", to: "05:00"}
    code_maps:
      observation: {GLU: {system: http://loinc.org, code: 2345-7}}
    sources:
      adt: {kind: hl7v2}
      labs:
        {kind: csv_extract, resource: patient, delimiter: ";", mode: delta, key: [B, A], version_column: U,
         date_format: "%m/%d/%Y", datetime_format: "%m/%d/%Y %H:%M:%S", null_markers: ["NULL", \\N],
         trailer: {prefix: TRL, row_count_field: 2}, owner: labs@northstar.example,
         columns: {A: {maps_to: identifier_value, pattern: "^[0-9]+$"}, B: , G: {maps_to: gender, value_map: {N: other}},
                   D: {type: date}, E: {type: date, date_format: "%d-%b-%Y"},
                   U: {type: datetime, maps_to: source_time, timezone: UTC}}}
      dms_patient:
        {kind: dms_s3_csv, table: dbo.Patient, resource: patient, op_column: Op, sequence_column: SEQ,
         before_image_prefix: BI_, null_value: "NULL", primary_key: [PatientID],
         columns: {PatientID: {type: int}, Seen: {type: datetime2(7), timezone: facility}}}
  - facility_id: riverside
    valid_from: 2026-03-01
    name: Riverside Hospital
    region: south
    owner: riverside-data@northstar.example
    timezone: America/Chicago
    charset: utf-8
    source_system: cerner
"""


def test_an_entry_is_in_force_from_its_date_until_the_next_ones() -> None:
    """The entry of a facility on a date is the last one whose valid_from is not later."""
    registry = load_registry(TEXT)
    assert registry.facility_ids == ("riverside",)
    assert [registry.entry("riverside", date(2026, month, day)).region for month, day in ((1, 1), (2, 28), (3, 1))] == [
        "north", "north", "south",
    ]  # fmt: skip
    assert registry.entry("riverside", date(2026, 2, 1)).valid_to == date(2026, 3, 1)


@pytest.mark.parametrize(("facility_id", "on_date"), [("riverside", date(2025, 12, 31)), ("nowhere", date(2026, 2, 1))])
def test_a_date_without_entry_is_a_configuration_error(facility_id: str, on_date: date) -> None:
    """Asking for a facility before its first entry, or for one that is not registered, names what is registered."""
    with pytest.raises(ConfigurationError, match="Remedy: one of riverside"):
        load_registry(TEXT).entry(facility_id, on_date)


def test_feeds_carry_their_keys_and_their_facilitys_defaults() -> None:
    """A feed has the registered keys; owner and encoding come from its facility, DMS always writes UTF-8."""
    sources = load_registry(TEXT).entry("riverside", date(2026, 1, 1)).sources
    labs, dms = sources["labs"], sources["dms_patient"]
    assert (labs.delimiter, labs.encoding, labs.key, labs.owner) == (";", "windows-1252", ("B", "A"), "labs@northstar.example")
    assert (labs.null_markers, labs.record_type) == (("NULL", "\\N"), "labs")
    assert labs.trailer is not None
    assert (labs.trailer.prefix, labs.trailer.row_count_field) == ("TRL", 2)
    assert (dms.encoding, dms.key, dms.record_type, dms.owner) == (
        "utf-8", ("PatientID",), "dbo.Patient", "riverside-data@northstar.example",
    )  # fmt: skip


def test_each_date_column_has_one_format() -> None:
    """A column's own format comes before its feed's for its type; DMS types default to how DMS writes them."""
    sources = load_registry(TEXT).entry("riverside", date(2026, 1, 1)).sources
    formats = {column.name: column.datetime_format for source in sources.values() for column in source.columns}
    assert formats == {
        "A": None, "B": None, "G": None, "D": "%m/%d/%Y", "E": "%d-%b-%Y", "U": "%m/%d/%Y %H:%M:%S",
        "PatientID": None, "Seen": "%Y-%m-%d %H:%M:%S.%f",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("timezone: America/New_York", "timezone: X", r":9: unknown time zone. Remedy: an IANA name such as America/New_York"),
        ("charset: windows-1252", "charset: ebcdic-x", ":10: unknown character set"),
        ("facility_id: riverside\n    valid_from: 2026-01", "facility_id: River\n    valid_from: 2026-01", ":4: the facility_id is no identifier"),
        ("region: north", "reggion: north", ":7: unknown key 'reggion' in facilities"),
        ("region: north", "region: north\n    region: west", ":8: key 'region' occurs twice"),
        ("    region: north\n", "", ":4: .* has no 'region'"),
        ("valid_from: 2026-03-01", "valid_from: 2026-01-01", ":4: .*rising order"),
        ("valid_from: 2026-03-01", "valid_from: March", ":34: .* is not a date. Remedy: YYYY-MM-DD"),
        ("default_authority: RIV", "default_authority: RIX", ":12: unknown default_authority"),
        ('from: "01:00"', 'from: "1:00"', ":17: [^']+ is no time of day"),
        ("{kind: hl7v2}", "{kind: hl7v3}", ":21: unknown kind. Remedy: one of ccda, csv_extract, debezium_jsonl, dicom, dms_s3_csv, dms_s3_parquet, fhir_ndjson, hl7v2"),
        ("{kind: hl7v2}", "{kind: hl7v2, table: x}", ":21: unknown key 'table'"),
        ("      adt:", "      ADT:", ":21: source name 'ADT'"),
        ("key: [B, A]", "key: [B, Z]", ":23: a key column is not among the columns"),
        ("key: [B, A]", "key: []", ":23: the key is empty"),
        ("resource: patient", "resource: patients", ":23: unknown resource"),
        ('delimiter: ";"', 'delimiter: ";;"', ":23: the delimiter is not one ASCII mark"),
        ('"%d-%b-%Y"', '"%Q"', ":27: unsupported date_format"),
        ("row_count_field: 2", "row_count_field: 0", ":25: .* is not a whole number from 1"),
        ('"^[0-9]+$"', '"^[0-9+$"', ":26: the pattern is no regular expression"),
        ("{type: int}", "{type: integr}", ":32: unknown column type"),
        ('"^[0-9]+$"', '"^(?=[0-9])$"', ":26: the pattern is no regular expression of RE2"),
        ("maps_to: gender", "maps_to: sex", ":26: patient has nothing to which column 'G' could map so. Remedy: one of active, "),
        ("maps_to: gender", "maps_to: identifier_value", ":26: column '[A-Z]+' maps to what another column maps to"),
        ("maps_to: gender", "maps_to: birth_date", ":26: 'birth_date' is a date and column 'G' is not"),
        ("type: date}, E", "type: day}, E", ":27: unknown column type"),
        ("system: http://loinc.org, ", "", ":19: .* has no 'system'"),
        ("set_status: entered-in-error", "status: x", ":16: unknown key 'status'"),
        ("source_system: cerner", "source_system: cerner\n    phones: [555-0100]", ":12: a phone has fewer than ten digits"),
        ("source_system: cerner", "source_system: cerner\n    addresses: [{line: Main St, postal_code: '97201'}]", ":12: an address does not begin"),
        ("registry_version: 1", "registry_version: one", ":1: .* is not a whole number"),
        ("registry_version: 1", "registry_version: 1\nx: 1", ":2: unknown key 'x'"),
        ("registry_version: 1", "registry_version: [1", ":[0-9]+: not YAML"),
    ],
)
def test_a_mistake_is_refused_with_file_line_and_remedy(old: str, new: str, message: str) -> None:
    """Each mistake is a ConfigurationError that says where it stands and what to write instead."""
    assert TEXT.count(old) >= 1
    with pytest.raises(ConfigurationError, match=r"^my\.yaml" + message) as caught:
        load_registry(TEXT.replace(old, new, 1), "my.yaml")
    assert "Remedy: " in str(caught.value)


@pytest.mark.parametrize("old", ["riverside", "2026-03-01", "America/New_York", "hl7v2", "patient", '"%d-%b-%Y"', "type: date", "gender", '"01:00"', "facilities:"])
def test_a_mistake_is_never_repeated(old: str) -> None:
    """What stands where something else must stand may be anything, a patient's name too: no error repeats it, nor keeps it as its cause."""
    assert old in TEXT
    spoilt = TEXT.replace(old, f"{old.partition(': ')[0] + ': ' if ': ' in old else ''}Amelia Kowalchuk", 1)
    with pytest.raises(ConfigurationError) as caught:
        load_registry(spoilt, "my.yaml")
    assert "Kowalchuk" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_an_empty_document_and_an_empty_list_are_refused() -> None:
    """A registry holds at least one facility."""
    for text in ("", "registry_version: 1\nfirst_batch_date: 2026-01-01\nfacilities: []\n"):
        with pytest.raises(ConfigurationError, match="Remedy"):
            load_registry(text)


def test_tables_hold_every_entry_with_its_dates() -> None:
    """Each ref table has the entries' facts under the dates in which they hold."""
    tables = {name: table.to_pylist() for name, table in registry_tables(load_registry(TEXT)).items()}
    dates = {"facility_id": "riverside", "valid_from": date(2026, 1, 1), "valid_to": date(2026, 3, 1)}
    assert [row["valid_to"] for row in tables["facility"]] == [date(2026, 3, 1), date(9999, 12, 31)]
    assert [row["default_system"] for row in tables["facility"]] == ["https://riverside.example.org/id/mrn", None]
    assert tables["authority"] == [dates | {"namespace": "RIV", "system": "https://riverside.example.org/id/mrn"}]
    assert tables["value_map"] == [
        dates | {"source": "labs", "maps_to": "gender", "source_value": "N", "target_value": "other"}
    ]
    assert [row["marker"] for row in tables["null_marker"]] == ["NULL", "\\N"]
    assert tables["code_map"] == [
        dates | {"map_name": "observation", "local_code": "GLU", "system": "http://loinc.org", "code": "2345-7"}
    ]
    assert tables["fhir_base_url"] == [dates | {"base_url": "https://fhir.riverside.example.org/r4"}]
    assert tables["extension"] == [
        dates | {"url": "https://example.org/race", "is_modifier": False, "effect_when": None, "effect_status": None},
        dates | {"url": "https://example.org/simulated", "is_modifier": True, "effect_when": "true",
                 "effect_status": "entered-in-error"},
    ]  # fmt: skip


def test_source_columns_are_resolved_for_sql() -> None:
    """Keys carry their place in the key, time zones are the facility's where none is registered."""
    rows = registry_tables(load_registry(TEXT))["source_column"].to_pylist()
    keys = {row["column_name"]: row["key_ordinal"] for row in rows if row["is_key"]}
    zones = {row["column_name"]: row["timezone"] for row in rows}
    assert keys == {"A": 2, "B": 1, "PatientID": 1}
    assert (zones["U"], zones["Seen"]) == ("UTC", "America/New_York")


def test_tables_without_rows_keep_their_columns() -> None:
    """A registry without code maps still has the table, with typed columns."""
    text = TEXT.replace("      observation: {GLU: {system: http://loinc.org, code: 2345-7}}\n", "")
    table = registry_tables(load_registry(text))["code_map"]
    assert table.num_rows == 0
    assert table.schema == registry_schema("code_map")


def test_what_may_be_mapped_is_what_staging_reads() -> None:
    """The names that the registry allows are those that the extract staging models read."""
    found: dict[str, tuple[set[str], set[str]]] = {}
    for path in (Path(__file__).parents[2] / "transforms/dbt/models/staging/extract").glob("*.sql"):
        text = path.read_text(encoding="utf-8")
        resource = re.search(r"extract_record\('(\w+)'", text)
        if resource:
            lists = {name: set(re.findall(r"'(\w+)'", names)) for name, names in re.findall(r"set (\w+) = \[([^\]]*)\]", text)}
            dates = lists.get("dates", set())
            found[resource[1]] = (lists.get("texts", set()) | dates | lists.get("coded", set()), dates)
    assert set(found) == MAPPABLE_RESOURCES
    everywhere = {"identifier_value", "source_time", "subject_identifier_value", "encounter_identifier_value"}
    for resource_name, (names, dates) in found.items():
        assert mappable(resource_name) - everywhere == names
        assert mappable_dates(resource_name) == dates | {"source_time"}


def test_the_shipped_registry_is_sound() -> None:
    """The registry that is part of the product loads, and its date formats are supported ones."""
    registry = load_registry(shipped_registry_text())
    used = {
        column.datetime_format
        for entry in registry.entries for source in entry.sources.values() for column in source.columns
    }  # fmt: skip
    assert registry.facility_ids
    assert used - {None} <= SUPPORTED_DATETIME_FORMATS
