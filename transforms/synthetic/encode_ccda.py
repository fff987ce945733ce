"""C-CDA R2.1 documents of the summit style: one Continuity of Care Document a stay, its corrected version under the same setId.

What belongs here: the document's XML (templates 2.16.840.1.113883.10.20.22.*), and documents that must be refused. Not here: what a
summary says (`summaries`).
"""

from __future__ import annotations

from base64 import b64encode
from xml.sax.saxutils import escape

from transforms.synthetic.clock import DAY, HOUR, hl7_day
from transforms.synthetic.outbox import Outbox, pack_by_name
from transforms.synthetic.people import Demographics
from transforms.synthetic.site import Site
from transforms.synthetic.summaries import ALLERGY, PROBLEM, VACCINATION, Entry, Summary

SOURCE = "summaries"
PLAN_OF_TREATMENT = "18776-5"
_T = "2.16.840.1.113883.10.20.22."
_OIDS = {"loinc": "2.16.840.1.113883.6.1", "snomed": "2.16.840.1.113883.6.96", "rxnorm": "2.16.840.1.113883.6.88",
         "cvx": "2.16.840.1.113883.12.292", "icd10": "2.16.840.1.113883.6.90"}
_SECTIONS = {ALLERGY: ("6.1", "48765-2", "Allergies"), VACCINATION: ("2.1", "11369-6", "Immunizations"),
             PROBLEM: ("5.1", "11450-4", "Problems")}
_IDS = {ALLERGY: 5, VACCINATION: 6, PROBLEM: 7}

_Told = tuple[str, int, tuple[int, ...], str | None, str | None]


class CcdaWriter:
    """Writes the summaries of one facility, one file a document."""

    def __init__(self, site: Site, outbox: Outbox) -> None:
        self.site, self.outbox = site, outbox
        self.root = site.plan.number_system.removeprefix("urn:oid:").removesuffix(".1")
        self._told: set[Entry] = set()

    def write(self, summaries: list[Summary]) -> None:
        """All summaries in order of time, then on each day one document that is to be refused or has no structure."""
        for summary in sorted(summaries, key=lambda one: (one.at, one.number)):
            self._summary(summary)
        for day in range(self.outbox.days):
            self._odd(day)

    def _put(self, day: int, name: str, text: str, units: list[_Told], kind: str = "ccda.entry") -> None:
        """One file: its units are (record type, source time, facts, outcome, reason); the first carries the text."""
        stem = SOURCE if kind == "ccda.entry" else "refused"
        feed = self.outbox.feed(self.site.plan.ordinal, SOURCE, kind, stem)
        feed.pack = pack_by_name
        for place, (record_type, at, facts, outcome, reason) in enumerate(units):
            feed.days[day].append([(name, place), record_type, b"" if place else text.encode(), at, facts, outcome, reason])

    def _summary(self, summary: Summary) -> None:
        sections: list[str] = []
        units: list[_Told] = []
        for kind, (template, code, title) in _SECTIONS.items():
            entries = [entry for entry in summary.entries if entry.kind == kind]
            if entries:
                body = "".join([f"<entry>{self._statement(entry)}</entry>" for entry in entries])
                sections.append(_section(template, code, title, f"{len(entries)} listed", body))
            for entry in entries:
                copied = entry in self._told
                self._told.add(entry)
                units.append((code, summary.at, () if copied else (entry.fact,), "duplicate" if copied else None, None))
        told = f"Follow up after visit {summary.stay.number} (document {summary.number} version {summary.version})"
        sections.append(_section("10", PLAN_OF_TREATMENT, "Plan of treatment", told, ""))
        units.append((PLAN_OF_TREATMENT, summary.at, (), "ignored_by_rule", "ccda.narrative_only_section"))
        patient = summary.stay.patient
        body = f"<structuredBody>{''.join(f'<component>{one}</component>' for one in sections)}</structuredBody>"
        text = self._document(summary.number, summary.version, summary.at, self._target(patient.number, patient.at(summary.at)), body)
        self._put(summary.day, f"{summary.number}_v{summary.version}.xml", text, units)

    def _statement(self, entry: Entry) -> str:
        number = f'<id root="{self.root}.{_IDS[entry.kind]}" extension="{entry.number}"/>'
        if entry.kind == VACCINATION:
            return _vaccination(entry, number)
        inner = _allergy(entry, number) if entry.kind == ALLERGY else _problem(entry, number)
        template = "30" if entry.kind == ALLERGY else "3"
        return (f'<act classCode="ACT" moodCode="EVN"><templateId root="{_T}4.{template}"/>'
                f'<id root="{self.root}.4" extension="{entry.number}"/><code code="CONC" codeSystem="2.16.840.1.113883.5.6"/>'
                f'<statusCode code="{entry.state}"/><entryRelationship typeCode="SUBJ">{inner}</entryRelationship></act>')

    def _target(self, number: str, who: Demographics) -> str:
        return (
            f'<recordTarget><patientRole><id root="{self.root}.1" extension="{number}"/><addr><streetAddressLine>{escape(who.street)}'
            f"</streetAddressLine><city>{who.city}</city><state>{who.state}</state><postalCode>{who.zip}</postalCode></addr>"
            f'{f"""<telecom value="tel:{who.phone}"/>""" if who.phone else ""}<patient><name><given>{escape(who.given)}</given>'
            f'<family>{escape(who.family)}</family></name><administrativeGenderCode code="{who.sex}" codeSystem="2.16.840.1.113883.5.1"/>'
            f'<birthTime value="{who.birth_date.replace("-", "")}"/></patient></patientRole></recordTarget>')

    def _document(self, number: str, version: int, at: int, targets: str, body: str) -> str:
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n<ClinicalDocument xmlns="urn:hl7-org:v3" '
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>'
            f'<templateId root="{_T}1.1" extension="2015-08-01"/><templateId root="{_T}1.2" extension="2015-08-01"/>'
            f'<id root="{self.root}.9" extension="{number}.{version}"/><code code="34133-9" codeSystem="{_OIDS["loinc"]}"/>'
            f'<effectiveTime value="{self.site.zone.hl7(at)}"/><setId root="{self.root}.8" extension="{number}"/>'
            f'<versionNumber value="{version}"/>{targets}<component>{body}</component></ClinicalDocument>\n')

    def _odd(self, day: int) -> None:
        """By turns: a document with a DOCTYPE, one of two patients, a scanned letter without structure."""
        at = (self.outbox.opening_day + day) * DAY + 12 * HOUR
        number = f"X{self.site.count('odd_document'):06}"
        who, other = [f'<recordTarget><patientRole><id root="{self.root}.1" extension="{number}{letter}"/></patientRole></recordTarget>'
                      for letter in "AB"]
        scan = b64encode(f"Letter {number}".encode()).decode()
        letter = f'<nonXMLBody><text mediaType="text/plain" representation="B64">{scan}</text></nonXMLBody>'
        narrative = f"<structuredBody><component>{_section('10', PLAN_OF_TREATMENT, 'Plan', number, '')}</component></structuredBody>"
        if day % 3 == 0:
            text = self._document(number, 1, at, who, narrative).replace("<Clin", "<!DOCTYPE ClinicalDocument><Clin", 1)
            self._put(day, f"{number}.xml", text, [("unknown", at, (), "quarantined", "xml.dtd_forbidden")], "payload")
        elif day % 3 == 1:
            self._put(day, f"{number}.xml", self._document(number, 1, at, who + other, narrative),
                      [(PLAN_OF_TREATMENT, at, (), "quarantined", "ccda.multiple_patients")])
        else:
            self._put(day, f"{number}.xml", self._document(number, 1, at, who, letter), [("nonXMLBody", at, (), "canonical", None)])


def _section(template: str, code: str, title: str, text: str, entries: str) -> str:
    return (f'<section><templateId root="{_T}2.{template}"/><code code="{code}" codeSystem="{_OIDS["loinc"]}"/><title>{title}</title>'
            f"<text>{text}</text>{entries}</section>")


def _allergy(entry: Entry, number: str) -> str:
    """Allergy observation (4.7); one that is negated without a substance says that none is known."""
    kind, substance = ("416098002", '<code nullFlavor="NA"/>') if entry.code is None else (
        "419511003", f'<code code="{entry.code}" codeSystem="{_OIDS["rxnorm"]}"/>')
    negated = "" if entry.code else ' negationInd="true"'
    return (
        f'<observation classCode="OBS" moodCode="EVN"{negated}><templateId root="{_T}4.7"/>'
        f'{number}<code code="ASSERTION" codeSystem="2.16.840.1.113883.5.4"/><statusCode code="completed"/><effectiveTime>'
        f'<low value="{hl7_day[entry.day]}"/></effectiveTime><value xsi:type="CD" code="{kind}" codeSystem="{_OIDS["snomed"]}"/>'
        f'<participant typeCode="CSM"><participantRole classCode="MANU"><playingEntity classCode="MMAT">{substance}</playingEntity>'
        "</participantRole></participant></observation>")


def _problem(entry: Entry, number: str) -> str:
    """Problem observation (4.4)."""
    return (f'<observation classCode="OBS" moodCode="EVN"><templateId root="{_T}4.4"/>{number}<code code="64572001" '
            f'codeSystem="{_OIDS["snomed"]}"/><statusCode code="completed"/><effectiveTime><low value="{hl7_day[entry.day]}"/>'
            "</effectiveTime>"
            f'<value xsi:type="CD" code="{entry.code}" codeSystem="{_OIDS["icd10"]}"/></observation>')


def _vaccination(entry: Entry, number: str) -> str:
    """Immunization activity (4.52); negated where it was refused."""
    negated = "true" if entry.state == "refused" else "false"
    return (f'<substanceAdministration classCode="SBADM" moodCode="EVN" negationInd="{negated}"><templateId root="{_T}4.52"/>{number}'
            f'<statusCode code="completed"/><effectiveTime value="{hl7_day[entry.day]}"/><consumable><manufacturedProduct>'
            f'<templateId root="{_T}4.54"/><manufacturedMaterial><code code="{entry.code}" codeSystem="{_OIDS["cvx"]}"/>'
            "</manufacturedMaterial></manufacturedProduct></consumable></substanceAdministration>")
