"""The other FHIR R4 dialect, of the summit style: absolute references, OID systems, local classes and observation codes, text-only
allergies. Laboratory orders and results do not come as FHIR but as extracts (`encode_extract`)."""

from __future__ import annotations

from transforms.synthetic.clock import DAY, iso_day, iso_local
from transforms.synthetic.encode_fhir import GENDER, FhirFeeds
from transforms.synthetic.events import Condition, Stay
from transforms.synthetic.facility_plan import SUMMIT_CLASSES, local_test_code
from transforms.synthetic.fhir_text import TERMS, condition_statuses, discharge
from transforms.synthetic.outbox import Outbox, newest_by_day
from transforms.synthetic.people import Patient
from transforms.synthetic.site import Facts, Site
from transforms.synthetic.terminology import ALLERGY_TEXTS, ICD10

_LOCAL_CLASS = {code: local for local, code in SUMMIT_CLASSES.items()}


class DialectFeeds(FhirFeeds):
    """Resource openings with UTC instants, as this dialect writes them."""

    def head(self, resource_type: str, identifier: str, version: int, at: int) -> str:
        """The opening of a resource: type, id and meta."""
        return (f'{{"resourceType":"{resource_type}","id":"{identifier}","meta":{{"versionId":"{version}",'
                f'"lastUpdated":"{iso_local(self.zone.utc(at))}Z"}}')


class DialectWriter:
    """Writes patients, allergies, encounters, conditions and vital signs of one facility."""

    def __init__(self, site: Site, outbox: Outbox, facts: Facts, source: str = "fhir_export") -> None:
        self.site, self.zone, self.facts = site, site.zone, facts
        self.feeds = DialectFeeds(site, outbox, source)
        self.opening_day, self.draw = outbox.opening_day, outbox.draw
        self.base = site.plan.fhir_base_url
        self.oid = site.plan.number_system.removesuffix(".1")

    def write_setting(self) -> None:
        """Staff, as before the first day."""
        at = (self.opening_day - 20) * DAY
        for one in self.site.practitioners:
            self.feeds.put("Practitioner", f'{self.feeds.head("Practitioner", one.number, 1, at)},"name":[{{'
                           f'"text":"{one.given} {one.family}","family":"{one.family}","given":["{one.given}"]}}]}}', at, one.fact)

    def write_patient(self, patient: Patient) -> None:
        """Patient, newest version of each day, and in a third of the records an allergy in words."""
        for version in newest_by_day(patient.versions, self.opening_day):
            at, who = version
            phone = f'"telecom":[{{"system":"phone","use":"mobile","value":"{who.phone}"}}],' if who.phone else ""
            text = (
                f'{self.feeds.head("Patient", patient.fhir_id, patient.versions.index(version) + 1, at)},"identifier":[{{'
                f'"system":"{self.oid}.1","value":"{patient.number}"}}],"name":[{{"text":"{who.given} {who.family}",'
                f'"family":"{who.family}","given":["{who.given}"]}}],{phone}"gender":"{GENDER[who.sex]}",'
                f'"birthDate":"{who.birth_date}","address":[{{"line":["{who.street}"],"city":"{who.city}","state":"{who.state}",'
                f'"postalCode":"{who.zip}","country":"US"}}]}}'
            )
            self.feeds.put("Patient", text, at, patient.fact)
        if self.draw() < 0.33:
            at = patient.since + 240
            text = (
                f'{self.feeds.head("AllergyIntolerance", self.site.fhir_id("a"), 1, at)},"clinicalStatus":{{"coding":[{{'
                f'"system":"{TERMS}allergyintolerance-clinical","code":"active"}}]}},"patient":{{'
                f'"reference":"{self.base}/Patient/{patient.fhir_id}"}},'
                f'"code":{{"text":"{ALLERGY_TEXTS[int(len(ALLERGY_TEXTS) * self.draw())]}"}}}}'
            )
            self.feeds.put("AllergyIntolerance", text, at, self.facts.next())

    def write_stay(self, stay: Stay) -> None:
        """Encounter, conditions and vital signs."""
        subject = f'"subject":{{"reference":"{self.base}/Patient/{stay.patient.fhir_id}"}}'
        self._encounter(stay, subject)
        links = f'{subject},"encounter":{{"reference":"{self.base}/Encounter/{stay.fhir_id}"}}'
        for condition in stay.conditions:
            self._condition(condition, links)
        for test, fact, identifier, at, value in stay.vitals:
            text = (
                f'{self.feeds.head("Observation", identifier, 1, at)},"status":"final","category":[{{"coding":[{{'
                f'"system":"{TERMS}observation-category","code":"vital-signs"}}]}}],"code":{{"coding":[{{'
                f'"system":"{self.oid}.30","code":"{local_test_code("summit", test.short)}","display":"{test.text}"}}]}},{links},'
                f'"effectiveDateTime":"{self.zone.iso(at)}","valueQuantity":{{"value":{value},"unit":"{test.spelling}",'
                f'"system":"http://unitsofmeasure.org","code":"{test.ucum}"}}}}'
            )
            self.feeds.put("Observation", text, at, fact)

    def _encounter(self, stay: Stay, subject: str) -> None:
        iso = self.zone.iso
        for version in newest_by_day(stay.versions, self.opening_day):
            end = f',"end":"{iso(version.end)}"' if version.end is not None else ""
            text = (
                f'{self.feeds.head("Encounter", stay.fhir_id, stay.versions.index(version) + 1, version.at)},"identifier":[{{'
                f'"system":"{self.oid}.2","value":"{stay.number}"}}],"status":"{version.status}","class":{{'
                f'"system":"{self.oid}.20","code":"{_LOCAL_CLASS[stay.kind]}"}},{subject},'
                f'"period":{{"start":"{iso(version.start)}"{end}}}{discharge(version)},"location":[{{"location":{{"display":"{version.ward}"}}}}]}}'
            )
            self.feeds.put("Encounter", text, version.at, stay.fact)

    def _condition(self, condition: Condition, links: str) -> None:
        diagnosis = condition.diagnosis
        for version in newest_by_day(condition.versions, self.opening_day):
            at, state = version
            text = (
                f'{self.feeds.head("Condition", "c" + condition.number, condition.versions.index(version) + 1, at)},'
                f'{condition_statuses(state)},"code":{{"coding":['
                f'{{"system":"{self.oid}.40","code":"DX{diagnosis.icd9.replace(".", "")}"}},{{"system":"{ICD10}",'
                f'"code":"{diagnosis.icd10}"}}],"text":"{diagnosis.text}"}},{links},"onsetDateTime":"{iso_day[condition.onset]}",'
                f'"recordedDate":"{iso_day[condition.versions[0][0] // DAY]}"}}'
            )
            self.feeds.put("Condition", text, at, condition.fact)
