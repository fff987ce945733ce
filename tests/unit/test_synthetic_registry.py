"""The registry text of the synthetic network: shipped as it is made, valid at any size, and true of the files."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from transforms.facilities.registry import load_registry
from transforms.synthetic.facility_plan import STYLES, facility_plans
from transforms.synthetic.registry_feeds import feeds
from transforms.synthetic.registry_text import registry_text

SHIPPED = Path(__file__).parents[2] / "transforms" / "facilities" / "facilities.yaml"


def test_shipped_registry_is_the_text_for_five_facilities() -> None:
    """`facilities.yaml` is, byte for byte, the registry text of a network of five."""
    assert SHIPPED.read_text(encoding="utf-8") == registry_text(5)


def test_registry_of_twelve_facilities_is_valid_and_distinct() -> None:
    """Twelve facilities cycle the five styles under distinct identifiers, authorities and number systems."""
    registry = load_registry(registry_text(12))
    entries = [registry.entry(plan.facility_id, date(2026, 1, 5)) for plan in facility_plans(12)]
    assert len({entry.facility_id for entry in entries}) == 12
    assert len({entry.default_authority for entry in entries}) == 12
    assert len({url for entry in entries for url in entry.authorities.values()}) == 12
    assert [entry.facility_id for entry in entries][5:7] == ["riverside_2", "lakeside_2"]


def test_every_format_is_spoken() -> None:
    """The five styles together use every kind of feed that the generator writes."""
    kinds = {source["kind"] for style in STYLES for source in feeds(style).values()}
    assert kinds == {"hl7v2", "fhir_ndjson", "csv_extract", "dms_s3_csv", "x12", "ccda", "dicom", "debezium_jsonl", "dms_s3_parquet"}


def test_old_system_writes_dates_in_eight_ways() -> None:
    """The departmental extracts declare eight different date formats, column by column."""
    forms = {column["date_format"] for source in feeds("oldmill").values() for column in source["columns"].values()
             if "date_format" in column}
    assert len(forms) == 8
