"""What FHIR R4 resources say in codes, values, units and extensions (HL7 FHIR R4, 4.0.1)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.sql.fhir_resources import SNOMED, US_CORE
from tests.sql.fhir_staged import SECRET, SIMULATED, said, stage
from tests.sql.staging_tables import StagingTables

DBT_PARTS = ("staging/fhir",)


@pytest.fixture(scope="module")
def built(shared_scratch) -> StagingTables:
    """Staging of all resources, in one run."""
    return stage(shared_scratch)


@pytest.mark.parametrize(("name", "expected"), [
    ("plain", ("2345-7", None, None)), ("second coding", ("2345-7", "XGLU", None)), ("local code", ("2345-7", "GLU", None)),
    ("unknown code", (None, "2345-7", "code.unmapped_local")), ("text code", (None, None, "code.unmapped_local"))])
def test_the_system_decides_what_a_code_is(built, name, expected) -> None:
    """A standard coding counts wherever it stands, a local one goes by the facility's map, a shape is never believed."""
    assert said(built, "observation", name, "code_code", "code_local_code", "flags") == expected


def test_the_other_codings_stay_as_translations(built) -> None:
    """Sorted list of system and code, the chosen one left out."""
    expected = f"{SNOMED}|33747003,urn:oid:2.999.5.1|XGLU"
    assert said(built, "observation", "second coding", "code_translations") == expected


@pytest.mark.parametrize(("name", "value", "source"), [
    ("plain", "95", "95"), ("two decimals", "1.10", "1.10"), ("long decimal", "0.1", "0.1000000000000000055"),
    ("exponent", "150", "1.5e2"), ("negative", "-0.5", "-0.50"), ("below", "5", "5"), ("whole", "12", "12")])
def test_numbers_are_decimals_and_keep_their_text(built, name, value, source) -> None:
    """No binary float stands between the sender's digits and the value."""
    assert said(built, "observation", name, "value_quantity_value", "value_quantity_value_source") == (Decimal(value), source)


def test_a_text_that_looks_like_a_number_member_stays_text(built) -> None:
    """The resource is read as sent, only the number's trailing zero may be lost."""
    assert said(built, "observation", "tricky text", "value_quantity_value", "reject_code") == (Decimal("1.1"), None)


def test_each_form_of_a_value_has_its_place(built) -> None:
    """value[x]: string, boolean, concept, moment, ratio, range, comparator and reason for absence."""
    assert said(built, "observation", "string", "value_string", "value_quantity_value") == ("<5", None)
    assert said(built, "observation", "true", "value_string") == "true"
    assert said(built, "observation", "below", "value_quantity_comparator") == "<"
    assert said(built, "observation", "absent", "data_absent_reason_code", "value_quantity_value") == ("unknown", None)
    concept = ("value_codeable_concept_code", "value_codeable_concept_system", "value_codeable_concept_text")
    assert said(built, "observation", "concept", *concept) == ("10828004", SNOMED, "Pos")
    assert said(built, "observation", "moment", "value_datetime") == "2026-01-03T14:00:00Z"
    assert said(built, "observation", "ratio", "value_ratio_numerator_value", "value_ratio_denominator_value") == (1, 128)
    assert said(built, "observation", "range", "value_range_low_value", "value_range_high_value") == (Decimal("1.5"), Decimal("2.5"))


@pytest.mark.parametrize(("name", "expected"), [
    ("plain", ("mg/dL", "mg/dL", None)), ("display unit", ("10*3/uL", "K/uL", None)), ("annotated", ("{score}", "{score}", None)),
    ("no unit of ours", (None, "smidgens", "unit.not_ucum"))])
def test_units_are_ucum_or_flagged(built, name, expected) -> None:
    """A UCUM code counts, a usual spelling is translated, anything else is kept as sent."""
    assert said(built, "observation", name, "value_quantity_unit", "value_quantity_unit_source", "flags") == expected


def test_modifier_extensions_are_obeyed_or_refused(built) -> None:
    """A registered one takes effect when its value says so; an unknown one at any depth refuses the resource (R4 s2.1.4.1)."""
    assert said(built, "observation", "simulated", "status", "reject_code") == ("entered-in-error", None)
    assert said(built, "observation", "not simulated", "status", "reject_code") == ("final", None)
    for name in ("meaning unknown", "deep meaning unknown"):
        assert said(built, "observation", name, "reject_code") == "fhir.unregistered_modifier_extension"


def test_an_unknown_extension_is_only_noted(built) -> None:
    """The patient counts and is flagged; parts of a known complex extension are no extensions of their own."""
    assert said(built, "patient", "new content", "reject_code", "flags") == (None, "fhir.unknown_extension")
    assert said(built, "patient", "p2", "flags") is None


def test_extensions_are_counted_with_their_registration(built) -> None:
    """Each url of a resource once with its number of uses; the profile's own are registered for everyone, a vendor's only by the facility."""
    used = {(row["url"], row["is_modifier"], row["is_registered"]): row["uses"] for row in built.table("extension_use")}
    assert used["https://vendor.example.com/colour", 0, 0] == 1
    assert used[f"{US_CORE}race", 0, 1] == 1
    assert used[f"{US_CORE}tribal-affiliation", 0, 1] == 2
    assert used[SIMULATED, 1, 1] == 1
    assert (SECRET, 1, 0) in used
    assert ("ombCategory", 0, 0) not in used
