"""FHIR R4 bulk NDJSON of the riverside style: one file per resource type and night, relative references.

Every night's files hold, of each resource, the newest version recorded that day (Bulk Data export with `_since`). What belongs
here: patients and clinical resources. Not here: the other dialect (`encode_fhir_dialect`) and staff, places and claims
(`encode_fhir_setting`).
"""

from __future__ import annotations

from transforms.synthetic.clock import iso_day
from transforms.synthetic.events import Condition, Order, Prescription, Result, Stay
from transforms.synthetic.facility_plan import local_test_code
from transforms.synthetic.fhir_text import TERMS, condition_statuses, discharge
from transforms.synthetic.outbox import Feed, Outbox, newest_by_day
from transforms.synthetic.people import Patient
from transforms.synthetic.site import Site
from transforms.synthetic.terminology import ACT_CODE, ICD10, LOINC, RXNORM, SNOMED, LabTest, Panel

_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
_CDC_RACE = "urn:oid:2.16.840.1.113883.6.238"
GENDER = {"F": "female", "M": "male"}
_REPORT = {"preliminary": "preliminary", "final": "final", "corrected": "corrected"}


class FhirFeeds:
    """The NDJSON files of one facility's FHIR source, and what every resource text shares."""

    def __init__(self, site: Site, outbox: Outbox, source: str) -> None:
        self.site, self.outbox, self.zone, self.source = site, outbox, site.zone, source
        self._feeds: dict[str, Feed] = {}

    def put(self, resource_type: str, text: str, at: int, fact: int, stem: str | None = None) -> None:
        """Put one resource, recorded `at`, into the day's file of its type (or of `stem`)."""
        stem = stem or resource_type
        feed = self._feeds.get(stem)
        if feed is None:
            feed = self._feeds[stem] = self.outbox.feed(self.site.plan.ordinal, self.source, "fhir.resource", stem)
        feed.days[self.outbox.day_or_late(at)].append([at, resource_type, text, at, (fact,), None, None])

    def head(self, resource_type: str, identifier: str, version: int, at: int) -> str:
        """The opening of a resource: type, id and meta."""
        return (f'{{"resourceType":"{resource_type}","id":"{identifier}","meta":{{"versionId":"{version}",'
                f'"lastUpdated":"{self.zone.iso(at)}"}}')


class FhirWriter:
    """Writes what happens at one facility as FHIR resources of the riverside dialect."""

    def __init__(self, site: Site, outbox: Outbox, source: str = "bulk") -> None:
        self.site, self.zone = site, site.zone
        self.feeds = FhirFeeds(site, outbox, source)
        self.opening_day = outbox.opening_day
        self._codings: dict[str, str] = {}
        self._numbers = site.plan.number_system.removesuffix("mrn")

    def write_patient(self, patient: Patient) -> None:
        """Patient, newest version of each day."""
        for version in newest_by_day(patient.versions, self.opening_day):
            at, who = version
            person = patient.person
            phone = f',"telecom":[{{"system":"phone","value":"{who.phone}"}}]' if who.phone else ""
            ethnicity = "2135-2" if person.hispanic else "2186-5"
            text = (
                f'{self.feeds.head("Patient", patient.fhir_id, patient.versions.index(version) + 1, at)},"extension":['
                f'{{"url":"{_CORE}race","extension":[{{"url":"ombCategory","valueCoding":{{"system":"{_CDC_RACE}",'
                f'"code":"{person.race[0]}","display":"{person.race[1]}"}}}},{{"url":"text","valueString":"{person.race[1]}"}}]}},'
                f'{{"url":"{_CORE}ethnicity","extension":[{{"url":"ombCategory","valueCoding":{{"system":"{_CDC_RACE}",'
                f'"code":"{ethnicity}"}}}},{{"url":"text","valueString":"{ethnicity}"}}]}},'
                f'{{"url":"{_CORE}birthsex","valueCode":"{who.sex}"}}],"identifier":[{{"use":"usual","type":{{"coding":[{{'
                f'"system":"{TERMS}v2-0203","code":"MR"}}]}},"system":"{self._numbers}mrn","value":"{patient.number}"}}],'
                f'"active":true,"name":[{{"use":"official","family":"{who.family}","given":["{who.given}"]}}]{phone},'
                f'"gender":"{GENDER[who.sex]}","birthDate":"{who.birth_date}","address":[{{"line":["{who.street}"],'
                f'"city":"{who.city}","state":"{who.state}","postalCode":"{who.zip}"}}]}}'
            )
            self.feeds.put("Patient", text, at, patient.fact)

    def write_stay(self, stay: Stay) -> None:
        """Encounter and all that was recorded in it."""
        self._encounter(stay)
        links = (f'"subject":{{"reference":"Patient/{stay.patient.fhir_id}"}},'
                 f'"encounter":{{"reference":"Encounter/{stay.fhir_id}"}}')
        for condition in stay.conditions:
            self._condition(condition, links)
        for order in stay.orders:
            self._request(stay, order, links)
            self._results(order, links)
        for prescription in stay.prescriptions:
            self._prescription(prescription, links)
        for procedure, fact, identifier, at in stay.procedures:
            text = (
                f'{self.feeds.head("Procedure", identifier, 1, at)},"status":"completed","code":{{"coding":[{{'
                f'"system":"http://www.ama-assn.org/go/cpt","code":"{procedure.cpt}"}},{{"system":"{SNOMED}",'
                f'"code":"{procedure.snomed}"}}],"text":"{procedure.text}"}},{links},"performedDateTime":"{self.zone.iso(at)}"}}'
            )
            self.feeds.put("Procedure", text, at, fact)

    def _encounter(self, stay: Stay) -> None:
        iso = self.zone.iso
        for version in newest_by_day(stay.versions, self.opening_day):
            end = f',"end":"{iso(version.end)}"' if version.end is not None else ""
            text = (
                f'{self.feeds.head("Encounter", stay.fhir_id, stay.versions.index(version) + 1, version.at)},'
                f'"identifier":[{{"system":"{self._numbers}csn","value":"{stay.number}"}}],"status":"{version.status}",'
                f'"class":{{"system":"{ACT_CODE}","code":"{stay.kind}"}},"subject":{{"reference":"Patient/{stay.patient.fhir_id}"}},'
                f'"participant":[{{"individual":{{"reference":"Practitioner/{self.site.practitioners[stay.attending].number}"}}}}],'
                f'"period":{{"start":"{iso(version.start)}"{end}}}{discharge(version)},"location":[{{"location":{{'
                f'"reference":"Location/{version.ward}","display":"{version.ward}"}}}}]}}'
            )
            self.feeds.put("Encounter", text, version.at, stay.fact)

    def _condition(self, condition: Condition, links: str) -> None:
        diagnosis = condition.diagnosis
        for version in newest_by_day(condition.versions, self.opening_day):
            at, state = version
            text = (
                f'{self.feeds.head("Condition", "c" + condition.number, condition.versions.index(version) + 1, at)},'
                f'{condition_statuses(state)},'
                f'"category":[{{"coding":[{{"system":"{TERMS}condition-category","code":"encounter-diagnosis"}}]}}],'
                f'"code":{{"coding":[{{"system":"{ICD10}","code":"{diagnosis.icd10}","display":"{diagnosis.text}"}}],'
                f'"text":"{diagnosis.text}"}},{links},"onsetDateTime":"{iso_day[condition.onset]}",'
                f'"recordedDate":"{self.zone.iso(condition.versions[0][0])}"}}'
            )
            self.feeds.put("Condition", text, at, condition.fact)

    def _code(self, test: LabTest | Panel) -> str:
        if test.short not in self._codings:
            standard = f',{{"system":"{LOINC}","code":"{test.loinc}"}}' if test.loinc else ""
            self._codings[test.short] = (
                f'"code":{{"coding":[{{"system":"urn:oid:2.999.5.{self.site.plan.repeat}",'
                f'"code":"{local_test_code("riverside", test.short)}"}}{standard}],"text":"{test.text}"}}'
            )
        return self._codings[test.short]

    def _request(self, stay: Stay, order: Order, links: str) -> None:
        provider = self.site.practitioners[order.provider]
        versions = [version for version in order.versions if version[1] != "cancel-requested"]
        for version in newest_by_day(versions, self.opening_day):
            at, status = version
            text = (
                f'{self.feeds.head("ServiceRequest", order.request_id, versions.index(version) + 1, at)},'
                f'"identifier":[{{"system":"{self._numbers}order","value":"{order.number}"}}],"status":"{status}",'
                f'"intent":"order","priority":"{"stat" if order.stat else "routine"}",{self._code(order.panel)},{links},'
                f'"authoredOn":"{self.zone.iso(order.authored)}","requester":{{"reference":"Practitioner/{provider.number}",'
                f'"display":"{provider.given} {provider.family}"}}}}'
            )
            self.feeds.put("ServiceRequest", text, at, order.fact)

    def _results(self, order: Order, links: str) -> None:
        iso, based = self.zone.iso, (
            f'"basedOn":[{{"reference":"ServiceRequest/{order.request_id}","identifier":{{'
            f'"system":"{self._numbers}order","value":"{order.number}"}}}}]')
        for result in order.results:
            self._observation(order, result, links)
        carried = ",".join(f'{{"reference":"Observation/{self.observation_id(result)}"}}' for result in order.results)
        for version in newest_by_day(order.report_versions, self.opening_day):
            at, status = version
            text = (
                f'{self.feeds.head("DiagnosticReport", order.report_id, order.report_versions.index(version) + 1, at)},'
                f'"identifier":[{{"system":"{self._numbers}report","value":"{order.filler}"}}],{based},'
                f'"status":"{_REPORT[status]}",{self._code(order.panel)},{links},"effectiveDateTime":"{iso(order.collected)}",'
                f'"issued":"{iso(at)}","result":[{carried}]}}'
            )
            self.feeds.put("DiagnosticReport", text, at, order.report_fact)

    @staticmethod
    def observation_id(result: Result) -> str:
        """Resource id of a result."""
        return "o" + result.number

    def _observation(self, order: Order, result: Result, links: str) -> None:
        test, identifier = result.test, self.observation_id(result)
        for version in newest_by_day(result.versions, self.opening_day):
            at, status = version.at, version.status
            if status == "entered-in-error" and result.fact % 2:
                text = (f'{{"resourceType":"Bundle","type":"transaction","meta":{{"lastUpdated":"{self.zone.iso(at)}"}},'
                        f'"entry":[{{"request":{{"method":"DELETE","url":"Observation/{identifier}"}}}}]}}')
                self.feeds.put("Observation", text, at, result.fact, "deleted")
                continue
            if version.value is not None:
                value = (f',"valueQuantity":{{"value":{version.value},"unit":"{test.spelling}",'
                         f'"system":"http://unitsofmeasure.org","code":"{test.ucum}"}}')
            elif version.text is not None:
                value = f',"valueString":"{version.text}"'
            else:
                value = f',"dataAbsentReason":{{"coding":[{{"system":"{TERMS}data-absent-reason","code":"error"}}]}}'
            text = (
                f'{self.feeds.head("Observation", identifier, result.versions.index(version) + 1, at)},'
                f'"status":"{status}","category":[{{"coding":[{{"system":"{TERMS}observation-category","code":"laboratory"}}]}}],'
                f'{self._code(test)},{links},"effectiveDateTime":"{self.zone.iso(order.collected)}",'
                f'"issued":"{self.zone.iso(at)}"{value}}}'
            )
            self.feeds.put("Observation", text, at, result.fact)

    def _prescription(self, prescription: Prescription, links: str) -> None:
        drug = prescription.drug
        for version in newest_by_day(prescription.versions, self.opening_day):
            at, status = version
            text = (
                f'{self.feeds.head("MedicationRequest", prescription.number.lower(), prescription.versions.index(version) + 1, at)},'
                f'"status":"{status}","intent":"order","medicationCodeableConcept":{{"coding":[{{"system":"{RXNORM}",'
                f'"code":"{drug.rxnorm}"}}],"text":"{drug.text}"}},{links},'
                f'"authoredOn":"{self.zone.iso(prescription.versions[0][0])}","dosageInstruction":[{{"text":"{drug.sig}"}}]}}'
            )
            self.feeds.put("MedicationRequest", text, at, prescription.fact)
