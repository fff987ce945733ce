"""Which patient, person's data and day a FHIR R4 resource speaks of: keys, references, demographics, dates and versions (HL7 FHIR R4, 4.0.1)."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from tests.sql.fhir_resources import MRN
from tests.sql.fhir_staged import BY_NUMBER, P1, key, picked, said, stage
from tests.sql.staging_tables import StagingTables

DBT_PARTS = ("staging/fhir",)


@pytest.fixture(scope="module")
def built(shared_scratch) -> StagingTables:
    """Staging of all resources, in one run."""
    return stage(shared_scratch)


def test_a_patient_is_keyed_by_its_id_and_shows_the_number_of_the_default_authority(built) -> None:
    """The logical id is the key; of several identifiers the default authority's is the business identifier."""
    assert said(built, "patient", "p1", "fact_key") == P1
    assert said(built, "patient", "p2", "identifier_system", "identifier_value") == (MRN, "M2")


def test_a_patient_without_id_is_keyed_by_its_business_identifier(built) -> None:
    """A resource to be created has no id: the default authority's number identifies it, as in the other dialects."""
    rows = [picked(row, "fact_key", "identifier_value") for row in built.table("patient") if row["id"] is None]
    assert rows == [(key("clinic", "patient", MRN, "Mx"), "Mx")]


@pytest.mark.parametrize("name", ["plain", "absolute", "of a version"])
def test_relative_and_own_absolute_references_are_one_patient(built, name) -> None:
    """Relative, absolute under the registered base and version-specific references mean the same record (R4 s2.28.0.2)."""
    assert said(built, "observation", name, "subject_key", "awaits_key") == (P1, P1)


@pytest.mark.parametrize("name", ["conditional", "encoded", "encoded whole", "logical"])
def test_conditional_and_logical_references_go_by_system_and_value(built, name) -> None:
    """They give the key of the patient with that identifier, of whatever dialect."""
    assert said(built, "observation", name, "subject_key") == BY_NUMBER


@pytest.mark.parametrize("name", ["elsewhere", "named only", "of nobody", "contained subject"])
def test_a_subject_that_nobody_can_know_is_awaited_for_ever(built, name) -> None:
    """Another server's p1, a display, nothing, or a contained patient are never taken for the patient p1."""
    subject, awaited = said(built, "observation", name, "subject_key", "awaits_key")
    assert awaited is not None
    assert subject == awaited
    assert awaited not in {row["fact_key"] for row in built.table("patient")}


def test_urn_references_resolve_inside_their_bundle(built) -> None:
    """fullUrl leads to the entry: by its id where it has one, else by its business identifier (R4 bundle.html#references)."""
    subjects = [row["subject_key"] for row in built.table("observation") if row["code_code"] == "718-7"]
    assert subjects == [key("clinic", "patient", MRN, "Mx")]
    assert said(built, "observation", "of known", "subject_key") == key("clinic", "patient", "fhir", "known")


def test_encounters_are_referred_to_by_id_or_number(built) -> None:
    """A reference gives the FHIR key, an identifier the key by number and the number itself."""
    assert said(built, "observation", "visit", "encounter_key") == key("clinic", "encounter", "fhir", "e1")
    expected = (key("clinic", "encounter", MRN, "V1"), "V1")
    assert said(built, "observation", "visit by number", "encounter_key", "encounter_identifier_value") == expected


def test_the_patient_in_use_is_read_from_its_lists(built) -> None:
    """Official name, home phone, current address; US Core race is the sorted list of OMB categories without detailed codes."""
    names = ("name_family", "name_given", "name_suffix", "telecom_phone", "telecom_email", "address_line", "address_city", "address_postal_code")
    assert said(built, "patient", "p2", *names) == ("ALDER", "ROWAN KIM", "JR", "555-2", "a@x.example", "1 Elm St, Apt 2", "Axton", "01001")
    coded = ("race_omb_codes", "race_text", "ethnicity_omb_code", "birth_sex", "marital_status_code", "gender", "active")
    assert said(built, "patient", "p2", *coded) == ("1002-5,2106-3", "Mixed", "2186-5", "F", "M", "female", False)


def test_a_category_outside_the_omb_sets_is_none_and_flagged(built) -> None:
    """Only OMB categories are codes of race, each once; another code under that name is a local one (US Core race, ombCategory)."""
    assert said(built, "patient", "of other words", "race_omb_codes", "flags") == ("2106-3", "code.unmapped_local")


def test_an_identifier_listed_twice_is_one(built) -> None:
    """One row an identifier: the key of a fact occurs once in a record."""
    rows = [(row["system"], row["value"], row["use"]) for row in built.table("patient_identifier") if row["id"] == "of other words"]
    assert sorted(rows) == [(MRN, "M9", None), ("urn:x", "9", None)]


def test_every_identifier_of_a_patient_is_a_by_product(built) -> None:
    """One row each, under the patient, deciding no outcome."""
    rows = sorted((row for row in built.table("patient_identifier") if row["id"] == "p2"), key=lambda row: str(row["value"]))
    owner = key("clinic", "patient", "fhir", "p2")
    assert [picked(row, "system", "value", "type_code", "is_fact", "subject_key") for row in rows] == [
        ("http://hl7.org/fhir/sid/us-ssn", "999-00-0001", None, False, owner), (MRN, "M2", "MR", False, owner)]


def test_dates_keep_their_precision(built) -> None:
    """Partial dates stay partial, instants become UTC without trailing zeros (R4 s2.24.0.1)."""
    assert said(built, "patient", "p1", "birth_date") == "1980-02"
    assert said(built, "patient", "p2", "birth_date") == "2024-02-29"
    assert said(built, "observation", "plain", "effective_datetime") == "2026-01-03T14:00:00Z"
    assert said(built, "observation", "period", "effective_datetime") == "2026-01-02T09:00:00.12Z"
    assert said(built, "condition", "c1", "onset_datetime") == "2024-05"


@pytest.mark.parametrize(("table", "name"), [("patient", "no such day"), ("patient", "short month"), ("patient", "no such update"),
                                             ("patient", "day with time"), ("observation", "issued without time"), ("observation", "no offset")])
def test_what_is_no_fhir_date_refuses_the_resource(built, table, name) -> None:
    """February 30th, one-digit months, a blank for T, a time without offset, a date with a time and an instant without one are none."""
    assert said(built, table, name, "reject_code") == "fhir.invalid_datetime"


@pytest.mark.parametrize(("name", "day"), [
    ("plain", date(2026, 1, 3)), ("late", date(2026, 1, 3)), ("day only", date(2026, 1, 3)), ("month only", date(2026, 1, 1)),
    ("clock change", date(2026, 3, 7)), ("hour repeated", date(2026, 11, 1))])
def test_the_service_date_is_the_facilitys_own_day(built, name, day) -> None:
    """An instant falls into the local day, also beside a clock change; a date is never shifted."""
    assert said(built, "observation", name, "service_date") == day


def test_versions_are_ordered_by_last_update_then_by_number(built) -> None:
    """lastUpdated is an instant; a numeric versionId sorts as a number, another as text; without lastUpdated receipt counts."""
    assert said(built, "patient", "offset", "source_time", "source_order") == (datetime(2026, 1, 4, 15, 0, 0, 500000), "10".zfill(20))
    assert said(built, "patient", "word version", "source_time", "source_order") == (datetime(2026, 1, 5, 12, 0), "a7")


def test_a_deletion_is_the_newest_version_of_its_fact(built) -> None:
    """It has the key of what it deletes, the time of its Bundle, and waits for nobody."""
    columns = ("fact_key", "source_time", "awaits_key", "is_fact", "reject_code")
    rows = [picked(row, *columns) for row in built.table("observation") if row["is_deleted"]]
    assert rows == [(key("clinic", "observation", "fhir", "plain"), datetime(2026, 1, 5), None, True, None)]
