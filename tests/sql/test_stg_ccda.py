"""C-CDA staging: what statements mean by the C-CDA on FHIR mapping, values of every type, codes by object identifier."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.case_registry import registry_text_of_case
from tests.unit.decoding import FACILITY
from tests.unit.test_decode_ccda import document, entry, section

DBT_PARTS = ("staging/ccda", "staging/hl7v2")
MODELS = ("condition", "allergy_intolerance", "medication_request", "immunization", "observation", "procedure", "encounter", "document_reference", "patient", "unit_rule")
LOINC, SNOMED = 'codeSystem="2.16.840.1.113883.6.1"', 'codeSystem="2.16.840.1.113883.6.96"'
OIDS = "authorities_by_oid: {2.999.2: 'https://ngh.example.org/id/mrn', 2.999.9: 'https://else.example.org/id'}\n"
MAPS = "code_maps: {observation: {GLU: {system: 'http://loinc.org', code: 2345-7}}}\n"
CONCERN = '<act><templateId root="2.16.840.1.113883.10.20.22.4.{}"/><id root="2.999.7" extension="c"/><code code="CONC"/><statusCode code="{}"/><entryRelationship>{}</entryRelationship></act>'

STATED = ('<observation><templateId root="2.16.840.1.113883.10.20.22.4.{}"/><code code="33999-4" codeSystem="2.16.840.1.113883.6.1"/>'
          '<value xsi:type="CD" code="{}" codeSystem="2.16.840.1.113883.6.96"/></observation>')


def template(number: str) -> str:
    """A templateId of the entry templates."""
    return f'<templateId root="2.16.840.1.113883.10.20.22.4.{number}"/>'


def observed(value: str, code: str = f'code="2345-7" {LOINC}', extension: str = "1", time: str = '<effectiveTime value="20240430080000-0400"/>', more: str = "") -> str:
    """A result observation."""
    return (f'<observation{more}>{template("2")}<id root="2.999.4" extension="{extension}"/><code {code}/><statusCode code="completed"/>{time}{value}</observation>')


def problem(more: str = "", status: str = "active", time: str = '<effectiveTime><low value="2020"/></effectiveTime>') -> str:
    """A problem in its concern act."""
    inside = f'<observation{more}>{template("4")}<id root="2.999.7" extension="1"/>{time}<value xsi:type="CD" code="44054006" {SNOMED}/></observation>'
    return CONCERN.format("3", status, inside)


def allergy(participant: str, kind: str = "416098002") -> str:
    """A negated allergy observation with that participant."""
    inside = f'<observation negationInd="1">{template("7")}<id root="2.999.5" extension="1"/><value xsi:type="CD" code="{kind}" {SNOMED}/>{participant}</observation>'
    return CONCERN.format("30", "active", inside)


def substance(code: str) -> str:
    """The allergen of an allergy."""
    return f'<participant typeCode="CSM"><participantRole><playingEntity><code {code}/></playingEntity></participantRole></participant>'


ENTRIES: dict[str, str] = {
    "number": observed('<value xsi:type="PQ" value="95.50" unit="mg/dl"/>'), "not a number": observed('<value xsi:type="PQ" value="few" unit="mg/dL"/>'),
    "text": observed('<value xsi:type="ST">seen</value>'), "code": observed(f'<value xsi:type="CD" code="10828004" {SNOMED} displayName="Positive"/>'),
    "range": observed('<value xsi:type="IVL_PQ"><low value="1.5"/><high value="2"/></value>'), "masked": observed('<value xsi:type="PQ" nullFlavor="MSK"/>'),
    "ratio": observed('<value xsi:type="RTO_PQ_PQ"><numerator value="1"/><denominator value="128"/></value>'),
    "other code": observed(f'<value xsi:type="CD" nullFlavor="OTH"><originalText>odd</originalText><translation code="10828004" {SNOMED}/></value>'),
    "negated": observed('<value xsi:type="PQ" value="1" unit="g"/>', more=' negationInd="true"'),
    "local": observed('<value xsi:type="PQ" value="1" unit="g"/>', code='code="GLU" codeSystem="2.999.77"'),
    "translated": observed('<value xsi:type="PQ" value="1" unit="g"/>').replace(f'<code code="2345-7" {LOINC}/>', f'<code code="X" codeSystem="2.999.77"><translation code="2345-7" {LOINC}/></code>'),
    "of an organizer": f'<organizer>{template("26")}<effectiveTime value="20240501"/><component>{observed("", time="")}</component></organizer>',
    "no such day": observed("", time='<effectiveTime value="20240231"/>'),
    "resolved": problem(time='<effectiveTime><low value="2020"/><high value="202306"/></effectiveTime>'), "suspended": problem(status="suspended"),
    "no drug allergy": allergy(substance('nullFlavor="NA"')), "not allergic to it": allergy(substance(f'code="387207008" {SNOMED}')),
    "reaction inside": CONCERN.format("30", "active", f'<observation>{template("7")}<id root="2.999.5" extension="2"/>{substance(f"code={chr(34)}387207008{chr(34)} {SNOMED}")}'
                                      f'<entryRelationship>{observed("", extension="inner")}</entryRelationship></observation>'),
    "behind a narrative": f"<supply><id root='2.999.3'/></supply></entry><entry>{observed('', extension='behind')}",
    "supply": "<supply><id root='2.999.3'/></supply>",
    "planned": f'<procedure moodCode="INT">{template("14")}<id root="2.999.3" extension="9"/><code code="80146002" {SNOMED}/><statusCode code="active"/></procedure>',
    "visit": f'<encounter>{template("49")}<id root="2.999.6" extension="V1"/><code code="AMB" codeSystem="2.16.840.1.113883.5.4"/>'
             '<effectiveTime><low value="20240501100000-0400"/></effectiveTime></encounter>',
    "above": observed('<value xsi:type="IVL_PQ"><low value="200" unit="mg/dl" inclusive="false"/></value>'),
    "at most": observed('<value xsi:type="IVL_PQ"><high value="5" unit="mmol/L"/></value>'),
    "days": observed('<value xsi:type="IVL_TS"><low value="20240101"/><high value="20240102"/></value>'),
    "translated quantity": observed('<value xsi:type="PQ" value="95" unit="mg/dL"><translation value="5.3" code="mmol/L" codeSystem="2.16.840.1.113883.6.8"/></value>'),
    "other in words": observed('<value xsi:type="CD" nullFlavor="OTH"><originalText>odd</originalText></value>'),
    "unknown in words": observed('<value xsi:type="CD" nullFlavor="UNK"><originalText>odd</originalText></value>'),
    "to the microsecond": observed("", time='<effectiveTime><center value="20240430080000.1234567-0400"/></effectiveTime>'),
    "ended at an unknown time": problem(time='<effectiveTime><low value="2020"/><high nullFlavor="UNK"/></effectiveTime>'),
    "never ends": problem(time='<effectiveTime><low value="2020"/><high nullFlavor="NA"/></effectiveTime>'),
    "completed concern": problem(status="completed"), "nullified concern": problem(status="nullified"),
    "in remission": problem().replace("</observation>", f'<entryRelationship>{STATED.format("6", 277022003)}</entryRelationship></observation>'),
    "active with an end": problem(time='<effectiveTime><high value="2023"/></effectiveTime>').replace(
        "</observation>", f'<entryRelationship>{STATED.format("6", 55561003)}</entryRelationship></observation>'),
    "beside its priority": problem().replace("</act>", f'<entryRelationship><observation>{template("143")}<value xsi:type="CD" code="394849002" {SNOMED}/></observation></entryRelationship></act>'),
    "state of health": f'<observation>{template("5")}<value xsi:type="CD" code="81323004" {SNOMED}/></observation>',
    "not allergic, coded locally": allergy(substance('code="LTX" codeSystem="2.999.31"')),
    "not allergic, only named": allergy("<participant typeCode='CSM'><participantRole><playingEntity><name>latex</name></playingEntity></participantRole></participant>"),
    "allergy in remission": allergy(substance(f'code="387207008" {SNOMED}')).replace("</observation>", f'<entryRelationship>{STATED.format("28", 277022003)}</entryRelationship></observation>'),
    "to be given": f'<substanceAdministration moodCode="INT">{template("52")}<id root="2.999.8" extension="1"/></substanceAdministration>',
    "born as": f'<observation>{template("200")}<id root="2.999.3" extension="b"/><code code="76689-9" {LOINC}/><value xsi:type="CD" code="M" codeSystem="2.16.840.1.113883.5.1"/></observation>',
    "held": f'<substanceAdministration moodCode="EVN">{template("52")}<id root="2.999.8" extension="2"/><statusCode code="held"/></substanceAdministration>',
    "visit to come": f'<encounter moodCode="INT">{template("49")}<id root="2.999.6" extension="V2"/></encounter>',
    "named by a UUID": f'<observation>{template("2")}<id root="0C1F3C1E-9E0A-4C55-8A0B-5F6D4D1A0001"/><code code="718-7" {LOINC}/></observation>',
    "by section alone": f'<observation><id root="2.999.4" extension="s"/><code code="718-7" {LOINC}/></observation>',
}

DESCRIBED = (
    '<recordTarget><patientRole><id root="2.999.2" extension="M7"/><telecom value="mailto:a@b.example"/><telecom value="tel:+1 555 010"/><patient>'
    '<raceCode code="2106-3"/><raceCode xmlns="urn:hl7-org:sdtc" code="2034-7"/><raceCode xmlns="urn:hl7-org:sdtc" code="2028-9"/></patient></patientRole></recordTarget>')


@pytest.fixture(scope="module")
def staged(shared_scratch) -> dict[str, dict[str, list[dict[str, Any]]]]:  # type: ignore[no-untyped-def]
    """Model -> entry name -> rows."""
    shared_scratch.register(registry_text_of_case(FACILITY + OIDS + MAPS))
    documents = {name: document(section(entry(inside)), **({"patients": DESCRIBED} if name == "text" else {})) for name, inside in ENTRIES.items()}
    deliveries = {shared_scratch.deliver("north_general", "ccda", "2026-01-05", payload, name).delivery_id: name for name, payload in documents.items()}
    shared_scratch.build("staging.ccda")
    found: dict[str, dict[str, list[dict[str, Any]]]] = {model: {name: [] for name in ENTRIES} for model in MODELS}
    for model in MODELS:
        for row in shared_scratch.rows(f"select staged.*, raw_unit.delivery_id as of_delivery from staging.stg_ccda__{model} staged join raw.raw_unit raw_unit using (unit_id)"):
            found[model][deliveries[row["of_delivery"]]].append(row)
    return found


@pytest.mark.parametrize(("name", "said"), [
    ("number", {"value_quantity_value": Decimal("95.5"), "value_quantity_value_source": "95.50", "value_quantity_unit": "mg/dL", "value_quantity_unit_source": "mg/dl"}),
    ("not a number", {"value_quantity_value": None, "value_string": "few"}),
    ("text", {"value_string": "seen", "value_quantity_value": None}),
    ("code", {"value_codeable_concept_code": "10828004", "value_codeable_concept_system": "http://snomed.info/sct", "value_codeable_concept_text": "Positive"}),
    ("range", {"value_range_low_value": Decimal("1.5"), "value_range_high_value": Decimal(2)}),
    ("ratio", {"value_ratio_numerator_value": Decimal(1), "value_ratio_denominator_value": Decimal(128)}),
    ("masked", {"data_absent_reason_code": "masked", "value_quantity_value": None}),
    ("other code", {"value_codeable_concept_code": "10828004", "value_codeable_concept_text": "odd", "data_absent_reason_code": None}),
    ("negated", {"status": "cancelled", "data_absent_reason_code": "not-performed", "value_quantity_value": None}),
    ("local", {"code_code": "2345-7", "code_system": "http://loinc.org", "code_local_code": "GLU", "code_local_system": "urn:oid:2.999.77", "flags": "ccda.unknown_code_system_oid,ccda.unknown_template"}),
    ("translated", {"code_code": "2345-7", "code_system": "http://loinc.org", "code_local_code": "X", "code_translations": "urn:oid:2.999.77|X"}),
    ("of an organizer", {"effective_datetime": "2024-05-01"}), ("no such day", {"reject_code": "time.invalid"}),
    ("by section alone", {"code_code": "718-7"}),
    ("above", {"value_quantity_value": Decimal(200), "value_quantity_comparator": ">", "value_quantity_unit": "mg/dL", "value_quantity_unit_source": "mg/dl", "value_range_low_value": None}),
    ("at most", {"value_quantity_value": Decimal(5), "value_quantity_comparator": "<=", "value_range_high_value": None}),
    ("days", {"value_datetime": "2024-01-01", "value_range_low_value": None, "value_quantity_value": None}),
    ("translated quantity", {"value_quantity_value": Decimal(95), "value_quantity_unit": "mg/dL", "value_codeable_concept_code": None}),
    ("other in words", {"value_codeable_concept_text": "odd", "data_absent_reason_code": None}), ("unknown in words", {"data_absent_reason_code": "unknown"}),
    ("to the microsecond", {"effective_datetime": "2024-04-30T12:00:00.123456Z"}),
    ("named by a UUID", {"identifier_system": "urn:ietf:rfc:3986", "identifier_value": "urn:uuid:0c1f3c1e-9e0a-4c55-8a0b-5f6d4d1a0001"}),
])
def test_observations_say_their_value(staged, name: str, said: dict[str, Any]) -> None:  # type: ignore[no-untyped-def]
    """Each type of value has its columns; a nullFlavor its reason; the system decides what a code is."""
    row = staged["observation"][name][0]
    assert {column: row[column] for column in said} == said


@pytest.mark.parametrize(("name", "clinical", "end", "verification"), [
    ("resolved", "resolved", "2023-06", "confirmed"), ("suspended", "inactive", None, "confirmed"), ("ended at an unknown time", "resolved", None, "confirmed"),
    ("never ends", "active", None, "confirmed"), ("completed concern", "inactive", None, "confirmed"), ("nullified concern", None, None, "entered-in-error"),
    ("in remission", "remission", None, "confirmed"), ("active with an end", "resolved", "2023", "confirmed")])
def test_clinical_status_of_a_problem(staged, name: str, clinical: str | None, end: str | None, verification: str) -> None:  # type: ignore[no-untyped-def]
    """A status observation counts first, unless an end, known or not, says that the problem is over; then the concern (C-CDA on FHIR, problems)."""
    row = staged["condition"][name][0]
    assert (row["clinical_status"], row["abatement_datetime"], row["verification_status"]) == (clinical, end, verification)


def test_a_patient_has_phone_mail_and_races(staged) -> None:  # type: ignore[no-untyped-def]
    """Whatever comes first; of the races those that OMB names, in order of code."""
    row = staged["patient"]["text"][0]
    assert (row["telecom_phone"], row["telecom_email"], row["race_omb_codes"]) == ("+1 555 010", "a@b.example", "2028-9,2106-3")


def test_birth_sex_is_observed(staged) -> None:  # type: ignore[no-untyped-def]
    """The observation of the sex given at birth speaks of the patient, and is an observation too; without one nothing is said."""
    assert [staged["patient"][name][0]["birth_sex"] for name in ("born as", "number")] == ["M", None]
    assert staged["observation"]["born as"][0]["value_codeable_concept_code"] == "M"


def test_what_declares_another_template_is_no_problem(staged) -> None:  # type: ignore[no-untyped-def]
    """A concern may hold its priority, and a problem section the state of health."""
    assert (len(staged["condition"]["beside its priority"]), staged["condition"]["state of health"]) == (1, [])


def test_what_is_not_given_is_no_completed_immunization(staged) -> None:  # type: ignore[no-untyped-def]
    """An intended one is none; a held one was not done. A visit to come is planned."""
    assert (staged["immunization"]["to be given"], staged["immunization"]["held"][0]["status"]) == ([], "not-done")
    assert staged["encounter"]["visit to come"][0]["status"] == "planned"


@pytest.mark.parametrize(("name", "code", "verification"), [
    ("no drug allergy", "409137002", "confirmed"), ("not allergic to it", "387207008", "refuted"), ("not allergic, coded locally", None, "refuted"),
    ("not allergic, only named", None, "refuted")])
def test_negated_allergies(staged, name: str, code: str, verification: str) -> None:  # type: ignore[no-untyped-def]
    """Without a substance: none of that kind is known; with one: not to that one. xs:boolean 1 is true."""
    row = staged["allergy_intolerance"][name][0]
    assert (row["code_code"], row["code_system"], row["verification_status"]) == (code, code and "http://snomed.info/sct", verification)


def test_what_is_nested_in_a_fact_is_none(staged) -> None:  # type: ignore[no-untyped-def]
    """A reaction speaks of its allergy: no observation comes of it."""
    assert (len(staged["allergy_intolerance"]["reaction inside"]), staged["observation"]["reaction inside"]) == (1, [])


def test_entries_outside_the_model_are_ignored_by_rule(staged) -> None:  # type: ignore[no-untyped-def]
    """A supply alone is no fact, nor is an intended immunization; every other entry here is one."""
    assert [name for name, rows in staged["unit_rule"].items() if rows] == ["behind a narrative", "supply", "to be given"]


def test_plans_and_visits(staged) -> None:  # type: ignore[no-untyped-def]
    """A planned procedure was not performed; a visit has its class and start."""
    assert staged["procedure"]["planned"][0]["status"] == "preparation"
    visit = staged["encounter"]["visit"][0]
    assert (visit["identifier_value"], visit["class_code"], visit["period_start"], visit["period_end"]) == ("V1", "AMB", "2024-05-01T14:00:00Z", None)


def test_the_patient_is_the_one_of_the_registered_authority(staged) -> None:  # type: ignore[no-untyped-def]
    """Of two identifiers the one whose object identifier is registered names the patient, and every fact is theirs."""
    patient = staged["patient"]["number"][0]
    assert (patient["identifier_system"], patient["identifier_value"], patient["maintains"]) == ("https://ngh.example.org/id/mrn", "X1", 0)
    assert staged["observation"]["number"][0]["subject_key"] == patient["fact_key"]
    assert staged["document_reference"]["number"][0]["is_fact"] is False


def test_the_header_is_carried_by_what_is_read(staged) -> None:  # type: ignore[no-untyped-def]
    """Where the first entry is ignored by rule, patient and document stand with the first one that is read."""
    (read,) = staged["observation"]["behind a narrative"]
    (ignored,) = staged["unit_rule"]["behind a narrative"]
    carried = {row["unit_id"] for model in ("patient", "document_reference") for row in staged[model]["behind a narrative"]}
    assert (carried, ignored["unit_id"] == read["unit_id"]) == ({read["unit_id"]}, False)
