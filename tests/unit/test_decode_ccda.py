"""C-CDA: units by entry, XML that would harm its reader refused, and nothing of the document lost."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from tests.unit.decoding import Outcome, decode, facility

CORPORA = Path(os.environ.get("LAKEHOUSE_CORPORA_DIR", Path(__file__).parents[2].parent / "shared" / "corpora"))
HEAD = '<id root="1.2.3" extension="D1"/><code code="34133-9" codeSystem="2.16.840.1.113883.6.1"/><effectiveTime value="20240501103000-0400"/>'
PATIENT = '<recordTarget><patientRole><id root="2.999.1" extension="{}"/><id root="2.999.2" extension="{}"/></patientRole></recordTarget>'
OBSERVATION = '<observation classCode="OBS"><id root="2.999.4" extension="{}"/><code code="{}"/></observation>'
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="<&>\ufffe\uffff"), max_size=8)


def section(*inside: str) -> str:
    """A component with a section."""
    return f'<component><section><code code="30954-2"/>{"".join(inside)}</section></component>'


def entry(inside: str) -> str:
    """An entry."""
    return f"<entry>{inside}</entry>"


def document(*sections: str, patients: str = PATIENT.format("M1", "X1"), body: str | None = None, lead: str = "") -> bytes:
    """A document of these sections."""
    inside = body if body is not None else f"<structuredBody>{''.join(sections)}</structuredBody>"
    return f'{lead}<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{HEAD}{patients}<component>{inside}</component></ClinicalDocument>'.encode()


def ccda(payload: bytes) -> Outcome:
    """Decode a payload of the facility's document feed."""
    outcome = decode(facility(), "ccda", payload)
    assert outcome.received == len(outcome.units), "the independent count agrees"
    return outcome


def rebuilt(outcome: Outcome) -> bytes:
    """The document in canonical form out of the raw tables alone."""
    root = etree.fromstring(outcome.rows("raw_ccda__document")[0]["document"].encode())
    for row in outcome.rows("raw_ccda__entry"):
        path = row["record_locator"].replace("/ClinicalDocument", ".").replace("/", "/{urn:hl7-org:v3}")
        place, unit = root.find(path), etree.fromstring(row["content"].encode())
        unit.tail = place.tail
        place.getparent().replace(place, unit)
    return canonical(root)


def canonical(root: Any) -> bytes:
    """Canonical XML of an element: exclusive, so that a namespace counts where it is used."""
    return bytes(etree.tostring(root, method="c14n", exclusive=True))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(TEXT, st.lists(TEXT, max_size=3)), min_size=1, max_size=4), st.booleans())
def test_raw_rebuilds_the_document(sections: list[tuple[str, list[str]]], spaced: bool) -> None:
    """Header, narrative, comments and entries put together again are the document, in canonical form."""
    gap = "\n  " if spaced else ""
    payload = document(*(
        section(f"<text>{text}<!-- note --></text>{gap}", *(entry(OBSERVATION.format(number, "1") + f"<!--c-->{gap}") + gap for number, _ in enumerate(entries)),
                section(entry(OBSERVATION.format("n", "2"))))
        for text, entries in sections))
    assert rebuilt(ccda(payload)) == canonical(etree.fromstring(payload))


def test_documents_of_the_open_corpora_are_rebuilt() -> None:
    """Complete example documents of HL7: rebuilt, and counted alike by both counts."""
    files = [file for folder in ("hl7-ccda-examples", "ms-fhir-converter") for file in CORPORA.glob(f"{folder}/**/*.*")
             if file.suffix in (".xml", ".ccda") and b"<ClinicalDocument" in file.read_bytes()[:4000]]
    if not files:
        pytest.skip(f"no corpora at {CORPORA}; LAKEHOUSE_CORPORA_DIR names them")
    whole = 0
    for file in files:
        outcome = ccda(file.read_bytes())
        if outcome.codes() != ["xml.not_well_formed"] and outcome.rows("raw_ccda__document"):
            whole += 1
            assert rebuilt(outcome) == canonical(etree.fromstring(file.read_bytes())), file.name
    assert whole > 10


@pytest.mark.parametrize(("payload", "code"), [
    (b"", "payload.empty"), (b"MSH|^~", "payload.unrecognised_format"), (b"<x/>", "payload.unrecognised_format"),
    (document(section())[:-5], "xml.not_well_formed"), (document(section("<sdtc:x/>")), "xml.not_well_formed"),
    (document(section(entry(OBSERVATION)), lead='<?xml version="1.0"?>\n<!-- c -->\n<!DOCTYPE ClinicalDocument SYSTEM "http://x.example/x.dtd">'), "xml.dtd_forbidden"),
    (document(section(entry(OBSERVATION)), lead='<?xml version="1.0" encoding="utf-16"?><!DOCTYPE x [<!ENTITY a "b">]>').decode().encode("utf-16"), "xml.dtd_forbidden"),
    (document(section(entry(OBSERVATION)), lead='<?xml version="1.0" encoding="utf-32"?><!DOCTYPE x [<!ENTITY a "b">]>').decode().encode("utf-32"), "xml.dtd_forbidden"),
    (document(section("<text>" + "<a>" * 130 + "</a>" * 130 + "</text>")), "payload.nesting_too_deep"),
    (document(section("<text>" + "<a>" * 300 + "</a>" * 300 + "</text>")), "payload.nesting_too_deep"),
    (document(), "payload.unrecognised_format"),
])
def test_what_cannot_be_read_is_one_payload(payload: bytes, code: str) -> None:
    """Empty, foreign, broken, too deep, or with a DOCTYPE in any encoding: one unit."""
    assert [(unit["unit_kind"], unit["reject_code"]) for unit in ccda(payload).units] == [("payload", code)]


def test_a_doctype_inside_a_text_is_only_text() -> None:
    """Only a DOCTYPE before the root declares anything."""
    assert ccda(document(section("<text><![CDATA[<!DOCTYPE x>]]></text>"))).codes() == [None]


def test_entries_sections_without_entries_and_bodies_are_units() -> None:
    """Nested sections too, in document order."""
    inner = section("<text>t</text>", section(entry(OBSERVATION), entry(OBSERVATION)))
    outcome = ccda(document(section(entry(OBSERVATION)), inner))
    assert [unit["unit_locator"].split("structuredBody/")[1] for unit in outcome.units] == [
        "component[1]/section/entry[1]", "component[2]/section", "component[2]/section/component[1]/section/entry[1]",
        "component[2]/section/component[1]/section/entry[2]"]
    body = ccda(document(body='<nonXMLBody><text mediaType="text/plain" representation="B64">aGk\nhIQ==</text></nonXMLBody>'))
    assert [(row["kind"], row["media_type"], row["attachment_size"]) for row in body.rows("raw_ccda__entry")] == [("nonXMLBody", "text/plain", 4)]


def test_text_is_what_is_read() -> None:
    """Comments are no text; where a code or value only refers to the narrative, the text stands there, and is part of the entry's content."""

    def decoded(narrative: str) -> Outcome:
        said = '<observation><code code="1"><originalText><reference value="#a"/></originalText></code><value xsi:type="ST">no<!-- x --> growth</value></observation>'
        seen = '<observation><code code="2"><originalText><reference value="#twice"/></originalText></code><value xsi:type="ED"><reference value="#b"/></value></observation>'
        return ccda(document(section(f"<text>{narrative}</text>", entry(said), entry(seen))))

    rows = '<table><tr ID="a"><td>Sugar<!-- x --></td><td><content>in</content> <content>urine</content></td></tr></table><list><item ID="b">none</item></list><br ID="twice"/><br ID="twice"/>'
    outcome = decoded(rows)
    assert [row.get("original_text") for row in outcome.rows("raw_ccda__coding")] == ["Sugar in urine", None]
    assert [row["value_text"] for row in outcome.rows("raw_ccda__statement")] == ["no growth", "none"]
    changed = decoded(rows.replace("urine", "blood"))
    assert [one["content_hash"] == other["content_hash"] for one, other in zip(outcome.units, changed.units, strict=True)] == [False, True]


def test_one_text_that_all_entries_say_is_not_written_for_each() -> None:
    """A document of half a megabyte whose thousand entries refer to one text of 400,000 characters gives a few of them, and every unit."""
    said = '<observation><code code="1"><originalText><reference value="#a"/></originalText></code></observation>'
    outcome = ccda(document(section(f'<text><content ID="a">{"long " * 80_000}</content></text>', *[entry(said)] * 1_000)))
    texts = [row.get("original_text") for row in outcome.rows("raw_ccda__coding")]
    assert len(outcome.units) == len(texts) == 1_000
    assert 1 < sum(text is not None for text in texts) < 20
    assert texts[-1] is None


def test_a_long_attachment_is_read() -> None:
    """A text of more than ten megabytes, the limit of XML readers for strangers, is a scan like any other."""
    body = ccda(document(body=f'<nonXMLBody><text mediaType="application/pdf" representation="B64">{"QUJD" * 3_000_000}</text></nonXMLBody>'))
    assert [row["attachment_size"] for row in body.rows("raw_ccda__entry")] == [9_000_000]


def test_a_patient_is_named_by_the_legal_name() -> None:
    """The legal name with the family name in use, every telecom in use, every race."""
    person = ('<recordTarget><patientRole><id root="2.999.2" extension="M1"/><telecom use="BAD" value="tel:1"/><telecom value="mailto:a@b.example"/><telecom value="tel:2 3"/>'
              '<patient><name use="P"><given>Mimi</given></name><name use="L"><given>Mara</given><given>Eve</given><family qualifier="BR">Rot</family>'
              '<family>Linde</family></name><raceCode code="2106-3"/><raceCode xmlns="urn:hl7-org:sdtc" code="2028-9"/></patient></patientRole></recordTarget>')
    row = ccda(document(section(entry(OBSERVATION)), patients=person)).rows("raw_ccda__record_target")[0]
    assert {name: row[name] for name in ("name_family", "name_given", "telecom", "race_code")} == {
        "name_family": "Linde", "name_given": "Mara Eve", "telecom": "mailto:a@b.example|tel:2 3", "race_code": "2106-3,2028-9"}


def test_record_targets_of_different_patients_hold_everything() -> None:
    """Two that share an identifier are one patient; two that share none are not known to be."""
    one = section(entry(OBSERVATION))
    same, other = (document(one, patients=PATIENT.format("M1", "X1") + PATIENT.format("M2", x)) for x in ("X1", "X2"))
    assert (ccda(same).codes(), ccda(other).codes()) == ([None], ["ccda.multiple_patients"])


def test_content_is_what_the_entry_says_of_the_patient() -> None:
    """Blanks between tags, another document and another section make no other content; another patient or value does."""

    def hashed(payload: bytes) -> str:
        return str(ccda(payload).units[-1]["content_hash"])

    plain = document(section(entry(OBSERVATION.format("1", "a"))))
    same = [plain.replace(b"><", b">\n <"), plain.replace(b'"D1"', b'"D2"'), document(section(entry("<act/>"), entry(OBSERVATION.format("1", "a"))))]
    other = [plain.replace(b'"M1"', b'"M9"'), plain.replace(b'code="a"', b'code="b"')]
    assert {hashed(one) for one in same} == {hashed(plain)}
    assert len({hashed(one) for one in [plain, *other]}) == 3


def test_statements_keep_their_place_and_their_codings() -> None:
    """Nested statements name the one around them; a frequency is no time; translations follow the code."""
    nested = (
        '<substanceAdministration negationInd="true"><templateId root="1.9"/><id root="2.999.8" extension="7"/><effectiveTime xsi:type="PIVL_TS"><period value="8"/></effectiveTime>'
        '<effectiveTime xsi:type="IVL_TS"><low value="2024"/></effectiveTime><consumable><manufacturedProduct><manufacturedMaterial><code code="1" codeSystem="2.3">'
        '<originalText>some  drug</originalText><translation code="2" codeSystem="2.4"/></code></manufacturedMaterial></manufacturedProduct></consumable>'
        '<entryRelationship><supply><id root="2.999.9"/></supply></entryRelationship></substanceAdministration>')
    outcome = ccda(document(section(entry(nested))))
    outer, inner = outcome.rows("raw_ccda__statement")
    assert (outer["element"], outer["negation_ind"], outer["effective_time_low"], outer["template_ids"]) == ("substanceAdministration", "true", "2024", "|1.9|")
    assert (inner["element"], inner["parent_ordinal"], inner["record_locator"][-2:]) == ("supply", 1, "#2")
    assert [(c["coded_element"], c["coding_ordinal"], c["code"], c.get("original_text")) for c in outcome.rows("raw_ccda__coding")] == [
        ("material", 1, "1", "some drug"), ("material", 2, "2", None)]
