"""Who and which visit an ADT message speaks of, and what it says of them (HL7 v2.5.1 ch. 3, s2.10.4, s2.A.14)."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from typing import Any

import pytest

from tests.sql.hl7_messages import PID, REGISTRY, adt, message, oru, pv1

DBT_PARTS = ("staging/hl7v2",)
SYSTEM = "https://ngh.example.org/id/mrn"


def pid(identifiers: str = "M1^^^NGH^MR", rest: str = "ALDER^ROWAN||19800214|F") -> str:
    """PID with PID-3 and the fields from PID-5 on."""
    return f"PID|1||{identifiers}||{rest}"


MESSAGES: dict[str, bytes] = {
    "admit": adt("A01", pid(rest="van der Berg&van der&Berg^ANNA^M^III||198006|F||2106-3^White~2028-9^Asian"
                                 "|12 Oak&Oak Lane&12^Apt 4^Axton^NY^10001||555-0101~^NET^Internet^a@x.example|||M||||||N"), pv1()),
    "several numbers": adt("A04", pid("998-77^^^STATE&2.999.44.1&ISO^SS~E0042^^^ENT^PI~M1^^^NGH^MR"), pv1()),
    "other registered authority": adt("A04", pid("77^^^ELSE^MR~E0042^^^ENT^MR"), pv1()),
    "bare number": adt("A04", pid("M1"), pv1()),
    "laboratory's own number": adt("A04", pid("77^^^ELSE^PI~E0042^^^ENT^PI"), pv1()),
    "internal number of somebody unknown": adt("A04", pid("77^^^ELSE^PI"), pv1()),
    "no usable number": adt("A04", pid("77^^^ELSE^MR"), pv1()),
    "empty number": adt("A04", pid(""), pv1()),
    "no patient": adt("A01", pv1()),
    "deleted fields": adt("A08", pid(rest='""||""|""|||""||""|||""'), pv1(place='""')),
    "empty fields": adt("A08", pid(rest=""), pv1(kind="", place="", start="")),
    "unknown sex": adt("A08", pid(rest="ALDER^ROWAN||19800214|X"), pv1()),
    "birth time": adt("A04", pid(rest="ALDER^ROWAN||19850614233000-0500|F"), pv1()),
    "leap day": adt("A04", pid(rest="ALDER^ROWAN||20000229|F"), pv1()),
    "no such birth date": adt("A04", pid(rest="ALDER^ROWAN||19801345|F"), pv1()),
    "died": adt("A08", pid(rest="ALDER^ROWAN||1980|F" + "|" * 21 + "20240510"), pv1()),
    "blank number": adt("A04", pid("  ^^^NGH^MR"), pv1()),
    "cancel admit": adt("A11", PID, pv1()),
    "delete visit": adt("A23", PID, pv1()),
    "discharge": adt("A03", PID, pv1(end="20240511094500-0400", disposition="01")),
    "cancel discharge": adt("A13", PID, pv1(end="20240511094500-0400")),
    "moved to a bed not yet named": adt("A02", PID, pv1(place="ICU^3")),
    "other visit number": adt("A01", PID, pv1(visit="", alternate="ALT7")),
    "number of another authority": adt("A01", PID, pv1(visit="V1^^^ENT^VN")),
    "number of an unknown authority": adt("A01", PID, pv1(visit="V1^^^WHO^VN")),
    "no visit number": adt("A01", PID, pv1(visit="")),
    "no visit": adt("A08", PID),
    "person": adt("A31", PID, "PV1|1|N"),
    "late night": adt("A01", PID, pv1(start="20240510233000")),
    "local class": adt("A01", PID, pv1(kind="X")),
    "unmapped class": adt("A01", PID, pv1(kind="Q")),
    "attending": adt("A01", PID, pv1(doctor="77^CEDAR^LEE")),
    "clock": adt("A01", PID, pv1(), recorded="20240310023000"),
    "no such recording time": adt("A01", PID, pv1(), recorded="20240231"),
    "recorded before sent": adt("A01", PID, pv1(), recorded="20240510100000-0400", sent="20240510180000-0400"),
    "recording time missing": adt("A01", PID, pv1(), recorded="", sent="20240510180000.5-0400"),
    "merge": adt("A40", PID, "MRG|M9^^^NGH^MR~X9^^^ELSE^PI"),
    **{f"merge by {event}": adt(event, PID, "MRG|M9^^^NGH^MR") for event in ("A18", "A30", "A34", "A36", "A39")},
    "accounts merged": adt("A41", PID, "MRG|M1^^^NGH^MR||ACC2"),
    "visit moved": adt("A45", PID, "MRG|M9^^^NGH^MR||||V1", pv1()),
    "merge into itself": adt("A40", PID, "MRG|M1^^^NGH^MR"),
    "merge of nobody": adt("A40", PID, "MRG|"),
    "new number": adt("A47", PID, "MRG|M9^^^NGH^MR"),
    "link": adt("A24", PID, PID.replace("M1", "M2")),
    "unlink": adt("A37", PID, PID.replace("M1", "M2")),
    "link of one": adt("A24", PID),
    "person deleted": adt("A29", PID),
    "named in a result": oru("OBX|1|ST|8251-1^Comment^LN||x||||||F"),
    "unknown event": adt("A99", PID, pv1()),
    "document": message("MDM^T02", PID),
    "acknowledgement": message("ACK^A01", "MSA|AA|C1"),
    "training": message("ADT^A01", PID, pv1(), processing="T"),
    "training mode only": message("ADT^A01", PID, pv1(), processing="P^T"),
    "result without order": message("ORU^R01", PID),
}


@pytest.fixture(scope="module")
def staged(shared_scratch) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Model -> message name -> rows."""
    shared_scratch.register(REGISTRY)
    deliveries = {shared_scratch.deliver("north_general", "adt", "2026-01-05", text, name).delivery_id: name
                  for name, text in MESSAGES.items()}
    shared_scratch.build("staging.hl7v2")
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for model in ("patient", "patient_identifier", "patient_link", "encounter", "practitioner", "location"):
        found[model] = {name: [] for name in MESSAGES}
        for row in shared_scratch.rows(f"select * from staging.stg_hl7v2__{model} order by identifier_value, fact_key"):
            found[model][deliveries[row["delivery_id"]]].append(row)
    found["rule"] = {name: [] for name in MESSAGES}
    for row in shared_scratch.rows("select rule.*, unit.delivery_id from staging.stg_hl7v2__unit_rule rule "
                                   "join raw.raw_unit unit on unit.unit_id = rule.unit_id"):
        found["rule"][deliveries[row["delivery_id"]]].append(row)
    return found


def only(rows: list[dict[str, Any]], *columns: str) -> Any:
    """The one row's columns."""
    (row,) = rows
    return tuple(row[column] for column in columns) if len(columns) > 1 else row[columns[0]]


def key(*parts: str) -> str:
    """A fact key by its definition: md5 over the parts, joined by `|`."""
    return hashlib.md5("|".join(("north_general", *parts)).encode(), usedforsecurity=False).hexdigest()


REASONS = {
    "no usable number": ("hl7.missing_patient_id", "quarantine"),
    "internal number of somebody unknown": ("hl7.missing_patient_id", "quarantine"), "empty number": ("hl7.missing_patient_id", "quarantine"),
    "blank number": ("hl7.missing_patient_id", "quarantine"),
    "no patient": ("hl7.missing_pid", "quarantine"), "merge of nobody": ("hl7.missing_patient_id", "quarantine"),
    "link of one": ("hl7.missing_pid", "quarantine"), "unknown event": ("hl7.unknown_event", "quarantine"),
    "no such recording time": ("time.invalid", "quarantine"), "document": ("hl7.passthrough_event", "ignore"),
    "acknowledgement": ("hl7.acknowledgement", "ignore"), "training": ("hl7.non_production", "ignore"),
    "result without order": ("hl7.truncated_message", "quarantine"),
    "accounts merged": ("hl7.account_event", "ignore"), "visit moved": ("hl7.unknown_event", "quarantine"),
}


def test_messages_have_one_reason_where_they_are_not_read(staged) -> None:
    """Exactly the messages that cannot or must not be read have a reason, one each, of the outermost level."""
    reasons = {name: [(row["reason"], row["reason_kind"]) for row in rows if row["reason_kind"] != "flag"]
               for name, rows in staged["rule"].items()}
    assert {name: found for name, found in reasons.items() if found} == {name: [reason] for name, reason in REASONS.items()}


def test_flags_mark_messages_without_stopping_them(staged) -> None:
    """Missing visit numbers, unknown authorities and doubtful clock times are flags; an A31 needs no visit number."""
    flags = {name: {row["reason"] for row in rows if row["reason_kind"] == "flag"}
             for name, rows in staged["rule"].items()}
    assert {name: found for name, found in flags.items() if found} == {
        "no visit number": {"identity.missing_visit_number"}, "no visit": {"identity.missing_visit_number"},
        "number of an unknown authority": {"identity.unknown_authority"}, "clock": {"time.nonexistent_local"}}


def test_patient_fields_and_their_marks(staged) -> None:
    """PID fields become FHIR elements: first subcomponents, partial dates, sorted races; absent fields have no mark."""
    (row,) = staged["patient"]["admit"]
    expected = {
        "identifier_system": SYSTEM, "identifier_value": "M1", "active": True, "name_family": "van der Berg", "name_given": "ANNA M",
        "name_suffix": "III", "gender": "female", "birth_date": "1980-06", "telecom_phone": "555-0101", "telecom_email": "a@x.example",
        "address_line": "12 Oak", "address_city": "Axton", "address_state": "NY", "address_postal_code": "10001",
        "marital_status_code": "M", "race_omb_codes": "2028-9,2106-3", "race_text": "White", "ethnicity_omb_code": "2186-5",
        "birth_sex": None, "birth_sex_mark": None, "deceased_mark": None, "name_mark": "V", "address_mark": "V", "race_mark": "V",
        "is_fact": True, "maintains": 1, "is_deleted": False, "flags": None, "fact_key": key("patient", SYSTEM, "M1"),
    }
    assert {column: row[column] for column in expected} == expected


def test_null_is_not_empty(staged) -> None:
    """`""` deletes (mark N), an empty field says nothing (no mark), and the two characters are never a value."""
    groups = ("name_mark", "gender_mark", "birth_date_mark", "address_mark", "telecom_mark", "marital_mark")
    assert only(staged["patient"]["deleted fields"], *groups) == ("N",) * 6
    assert only(staged["patient"]["empty fields"], *groups) == (None,) * 6
    assert '""' not in staged["patient"]["deleted fields"][0].values()
    assert only(staged["encounter"]["deleted fields"], "location_mark", "class_mark") == ("N", "V")
    assert only(staged["encounter"]["empty fields"], "location_mark", "class_mark", "period_start_mark") == (None, None, None)


def test_birth_dates_never_shift_and_wrong_ones_refuse(staged) -> None:
    """A time or offset does not move the date; a leap day is one; a month 13 refuses the message."""
    assert only(staged["patient"]["birth time"], "birth_date") == "1985-06-14"
    assert only(staged["patient"]["leap day"], "birth_date", "reject_code") == ("2000-02-29", None)
    assert only(staged["patient"]["no such birth date"], "birth_date", "reject_code") == (None, "time.invalid")
    assert only(staged["patient"]["died"], "deceased_datetime", "birth_date") == ("2024-05-10", "1980")


def test_a_code_outside_its_table_is_flagged_not_guessed(staged) -> None:
    """An unknown sex or class leaves the code null, keeps what was sent where there is a column, and flags the row."""
    assert only(staged["patient"]["unknown sex"], "gender", "gender_mark", "flags") == (None, "V", "code.unmapped_local")
    assert only(staged["encounter"]["unmapped class"], "class_code", "class_local_code", "flags") == (None, "Q", "code.unmapped_local")
    assert only(staged["encounter"]["local class"], "class_code", "flags") == ("OBSENC", None)


def test_the_patient_number_is_the_facilitys_own_wherever_it_stands(staged) -> None:
    """The default authority's MR wins, then the first MR of a registered one; a bare number is the facility's own; a registered
    authority's internal number serves where nothing else does."""
    found = {name: only(staged["patient"][name], "identifier_system", "identifier_value")
             for name in ("several numbers", "other registered authority", "bare number", "laboratory's own number")}
    assert found == {"several numbers": (SYSTEM, "M1"), "other registered authority": ("https://ent.example.org/id/person", "E0042"),
                     "bare number": (SYSTEM, "M1"), "laboratory's own number": ("https://ent.example.org/id/person", "E0042")}


def test_all_identifiers_are_kept_with_their_systems(staged) -> None:
    """Each repetition of PID-3 is an identifier; an object identifier becomes a URN; an unknown authority is flagged."""
    rows = staged["patient_identifier"]["several numbers"]
    assert {(row["system"], row["value"], row["type_code"], row["flags"]) for row in rows} == {
        (SYSTEM, "M1", "MR", None), ("https://ent.example.org/id/person", "E0042", "PI", None),
        ("urn:oid:2.999.44.1", "998-77", "SS", None)}
    assert {row["identifier_value"] for row in rows} == {"M1"}
    other = staged["patient_identifier"]["other registered authority"]
    assert {(row["system"], row["flags"]) for row in other if row["value"] == "77"} == {(None, "identity.unknown_authority")}


def test_source_time_is_when_it_was_recorded(staged) -> None:
    """EVN-2 goes before MSH-7, which breaks ties and stands in where EVN-2 is missing."""
    assert only(staged["patient"]["recorded before sent"], "source_time", "source_order") == (
        datetime(2024, 5, 10, 14), "2024-05-10T22:00:00")
    assert only(staged["patient"]["recording time missing"], "source_time") == datetime(2024, 5, 10, 22, 0, 0, 500000)


def test_visit_fields(staged) -> None:
    """PV1 gives number, class, place and period; the service date is the facility's own, not that of UTC."""
    assert only(staged["encounter"]["admit"], "identifier_system", "identifier_value", "class_code", "class_local_code", "period_start",
                "location_point_of_care", "location_room", "location_bed", "status", "is_fact") == (
        SYSTEM, "V1", "IMP", "I", "2024-05-10T13:30:00Z", "4E", "401", "A", "in-progress", True)
    assert only(staged["encounter"]["late night"], "period_start", "service_date") == ("2024-05-11T03:30:00Z", date(2024, 5, 10))
    assert only(staged["encounter"]["moved to a bed not yet named"], "location_point_of_care", "location_bed", "location_mark") == (
        "ICU", None, "V")


def test_events_open_finish_cancel_and_reopen_a_visit(staged) -> None:
    """A11 cancels, A03 finishes, A13 reopens and clears the end, whatever PV1-45 says; A02 states no status."""
    columns = ("status_event", "status_event_mark", "period_end", "period_end_mark")
    assert only(staged["encounter"]["admit"], *columns) == ("in-progress", "V", None, None)
    assert only(staged["encounter"]["cancel admit"], *columns) == ("cancelled", "V", None, None)
    assert only(staged["encounter"]["discharge"], *columns) == ("finished", "V", "2024-05-11T13:45:00Z", "V")
    assert only(staged["encounter"]["cancel discharge"], *columns) == ("in-progress", "V", None, "N")
    assert only(staged["encounter"]["moved to a bed not yet named"], *columns) == (None, None, None, None)
    assert only(staged["encounter"]["discharge"], "discharge_disposition_code") == "home"


def test_a_deleted_visit_is_a_version_of_the_visit(staged) -> None:
    """A23 deletes the visit that A01 opened, not the patient (s3.3.23)."""
    assert only(staged["encounter"]["delete visit"], "is_deleted", "fact_key") == (True, only(staged["encounter"]["admit"], "fact_key"))
    assert only(staged["patient"]["delete visit"], "is_deleted") is False


def test_visits_are_told_apart_by_number_and_authority(staged) -> None:
    """PV1-50 stands in for PV1-19; the same number of another authority, known or not, is another visit."""
    assert only(staged["encounter"]["other visit number"], "identifier_value") == "ALT7"
    visits = ("admit", "number of another authority", "number of an unknown authority", "other visit number")
    assert len({only(staged["encounter"][name], "fact_key") for name in visits}) == 4
    assert only(staged["encounter"]["admit"], "fact_key") == key("encounter", SYSTEM, "V1")


def test_without_a_visit_number_the_patient_part_is_used(staged) -> None:
    """A visit message without a number, and a person message, give a patient and no encounter."""
    for name in ("no visit number", "no visit", "person"):
        assert (len(staged["patient"][name]), len(staged["encounter"][name])) == (1, 0)


def test_a_merge_retires_the_prior_number(staged) -> None:
    """A40: the survivor stays active, the prior one becomes inactive, links go both ways; no merge with itself."""
    assert [(row["identifier_value"], row["active"], row["is_deleted"]) for row in staged["patient"]["merge"]] == [
        ("M1", True, False), ("M9", False, False)]
    assert {(row["identifier_value"], row["type"], row["other_identifier_value"]) for row in staged["patient_link"]["merge"] if not row["is_deleted"]} == {
        ("M1", "replaces", "M9"), ("M9", "replaced-by", "M1")}
    assert staged["patient_link"]["merge into itself"] == []
    assert len(staged["patient"]["merge into itself"]) == 1


@pytest.mark.parametrize(("event", "types"), [("merge", ("replaced-by", "replaces")), ("new number", ("renamed-to",))])
def test_the_opposite_of_a_merge_is_taken_back(staged, event, types) -> None:
    """The number that remains stands: links of an older message by which it was replaced are deleted by their own keys."""
    links = {(row["identifier_value"], row["type"], row["is_deleted"]): row["fact_key"] for row in staged["patient_link"][event]}
    here, there = (key("patient", "https://ngh.example.org/id/mrn", number) for number in ("M1", "M9"))
    turned = {"replaced-by": ("M1", here, there), "renamed-to": ("M1", here, there), "replaces": ("M9", there, here)}
    for kind in types:
        holder, subject, other = turned[kind]
        assert links[holder, kind, True] == key("patient_link", subject, other, kind)
    assert len(links) == 2 * len(types)


@pytest.mark.parametrize("event", ["A18", "A30", "A34", "A36", "A39"])
def test_merges_of_before_a40_do_the_same(staged, event) -> None:
    """A18, A30, A34, A36 and A39 of table 0003 join MRG-1 to PID-3 as A40 does (s3.3.18, s3.3.30, s3.3.34, s3.3.36, s3.3.39)."""
    for table in ("patient", "patient_link"):
        assert [row["fact_key"] for row in staged[table][f"merge by {event}"]] == [row["fact_key"] for row in staged[table]["merge"]]


def test_a_changed_number_is_no_merge(staged) -> None:
    """A47: the old number's record goes, the number stays as an old identifier, and leads to the new one."""
    assert [(row["identifier_value"], row["is_deleted"]) for row in staged["patient"]["new number"]] == [("M1", False), ("M9", True)]
    identifiers = staged["patient_identifier"]["new number"]
    assert {(row["identifier_value"], row["value"], row["use"], row["is_deleted"]) for row in identifiers} == {
        ("M1", "M1", None, False), ("M1", "M9", "old", False), ("M9", "M9", "old", True)}
    standing = [row for row in staged["patient_link"]["new number"] if not row["is_deleted"]]
    assert only(standing, "identifier_value", "type", "other_identifier_value") == ("M9", "renamed-to", "M1")


def test_an_unlink_undoes_the_link_and_no_merge(staged) -> None:
    """A24 links both ways; A37 deletes the same links; a merge's links have other keys."""
    linked, unlinked = staged["patient_link"]["link"], staged["patient_link"]["unlink"]
    assert [row["fact_key"] for row in linked] == [row["fact_key"] for row in unlinked]
    assert ({row["is_deleted"] for row in linked}, {row["is_deleted"] for row in unlinked}) == ({False}, {True})
    assert {row["type"] for row in linked} == {"seealso"}
    assert not {row["fact_key"] for row in linked} & {row["fact_key"] for row in staged["patient_link"]["merge"]}


def test_a_result_names_a_patient_but_does_not_maintain_one(staged) -> None:
    """The PID of a result is a by-product under the same key; a deleted person is a deletion."""
    assert only(staged["patient"]["named in a result"], "is_fact", "maintains", "fact_key") == (False, 0, key("patient", SYSTEM, "M1"))
    assert only(staged["patient"]["person deleted"], "is_deleted", "maintains") == (True, 1)


def test_training_messages_are_told_by_processing_id_not_mode(staged) -> None:
    """MSH-11.1 T is training and gives nothing; T in MSH-11.2 is only the processing mode."""
    assert (len(staged["patient"]["training"]), len(staged["patient"]["training mode only"])) == (0, 1)


def test_the_attending_doctor_is_a_by_product_that_the_visit_refers_to(staged) -> None:
    """PV1-7 names a practitioner by the key that the encounter carries; places are named once a batch date."""
    assert only(staged["practitioner"]["attending"], "identifier_value", "name_family", "name_given", "is_fact") == (
        "77", "CEDAR", "LEE", False)
    assert only(staged["practitioner"]["attending"], "fact_key") == only(staged["encounter"]["attending"], "practitioner_key")
    assert sorted(row["name"] for rows in staged["location"].values() for row in rows) == ["4E", "ICU"]
