"""Staff, places, cover and claims of the riverside dialect: resources that stand around the clinical record."""

from __future__ import annotations

from transforms.synthetic.clock import DAY, iso_day
from transforms.synthetic.encode_fhir import FhirFeeds
from transforms.synthetic.events import Stay
from transforms.synthetic.fhir_text import TERMS
from transforms.synthetic.names import PAYERS
from transforms.synthetic.outbox import Outbox
from transforms.synthetic.people import Patient
from transforms.synthetic.site import WARDS, Facts, Site
from transforms.synthetic.terminology import ICD10


class SettingWriter:
    """Writes the Practitioner, Organization, Location, Coverage and Claim resources of one facility."""

    def __init__(self, site: Site, outbox: Outbox, facts: Facts, source: str) -> None:
        self.site, self.facts = site, facts
        self.feeds = FhirFeeds(site, outbox, source)
        self.opening = outbox.opening_day * DAY
        self.days = outbox.days

    def write_setting(self) -> None:
        """Staff and places, as they were before the first night; one colleague changes the name on the second day."""
        at = self.opening - 30 * DAY
        plan = self.site.plan
        self.feeds.put("Organization", f'{self.feeds.head("Organization", "org1", 1, at)},"active":true,"type":[{{"coding":[{{'
                       f'"system":"{TERMS}organization-type","code":"prov"}}]}}],"name":"{plan.name}"}}', at, self.facts.next())
        for ward in sorted({ward for wards in WARDS.values() for ward in wards}):
            self.feeds.put("Location", f'{self.feeds.head("Location", ward, 1, at)},"status":"active","name":"{ward}",'
                           '"managingOrganization":{"reference":"Organization/org1"}}', at, self.facts.next())
        for one in self.site.practitioners:
            self._practitioner(one.number, one.family, one.given, 1, at, one.fact)
            if one.new_family and self.days > 1:
                self._practitioner(one.number, one.new_family, one.given, 2, self.opening + DAY + 9 * 3600, one.fact)

    def _practitioner(self, number: str, family: str, given: str, version: int, at: int, fact: int) -> None:
        text = (f'{self.feeds.head("Practitioner", number, version, at)},"identifier":[{{'
                f'"system":"{self.site.plan.number_system}/provider","value":"{number}"}}],"active":true,"name":[{{"family":"{family}","given":["{given}"]}}]}}')
        self.feeds.put("Practitioner", text, at, fact)

    def write_coverage(self, patient: Patient) -> None:
        """The patient's cover, once."""
        fact = self.facts.next()
        identifier = self.site.fhir_id("v")
        patient.coverage = (identifier, fact)
        code, name = PAYERS[patient.fact % len(PAYERS)]
        at = patient.since
        text = (
            f'{self.feeds.head("Coverage", identifier, 1, at)},"status":"active","type":{{"coding":[{{'
            f'"system":"{TERMS}v3-ActCode","code":"{"PUBLICPOL" if code in ("MCR", "MCD") else "HIP"}"}}]}},'
            f'"subscriberId":"{code}{patient.number}","beneficiary":{{"reference":"Patient/{patient.fhir_id}"}},'
            f'"period":{{"start":"{iso_day[at // DAY][:4]}-01-01"}},"payor":[{{"display":"{name}"}}]}}'
        )
        self.feeds.put("Coverage", text, at, fact)

    def write_claim(self, stay: Stay) -> None:
        """The claim of a finished stay, written the minute after the discharge was."""
        if stay.claim is None or stay.versions[-1].status != "finished":
            return
        fact, identifier, cents = stay.claim
        newest = stay.versions[-1]
        at = newest.at + 60
        if at // DAY - self.opening // DAY >= self.days or newest.end is None:
            stay.claim = None
            return
        diagnosis = (f',"diagnosis":[{{"sequence":1,"diagnosisCodeableConcept":{{"coding":[{{"system":"{ICD10}",'
                     f'"code":"{stay.conditions[0].diagnosis.icd10}"}}]}}}}]') if stay.conditions else ""
        kind = "institutional" if stay.kind == "IMP" else "professional"
        coverage = stay.patient.coverage[0] if stay.patient.coverage else ""
        text = (
            f'{self.feeds.head("Claim", identifier, 1, at)},"status":"active","type":{{"coding":[{{'
            f'"system":"{TERMS}claim-type","code":"{kind}"}}]}},"use":"claim",'
            f'"patient":{{"reference":"Patient/{stay.patient.fhir_id}"}},"billablePeriod":{{'
            f'"start":"{iso_day[newest.start // DAY]}","end":"{iso_day[newest.end // DAY]}"}},"created":"{iso_day[at // DAY]}",'
            f'"provider":{{"reference":"Organization/org1"}},"priority":{{"coding":[{{"code":"normal"}}]}},'
            f'"insurance":[{{"sequence":1,"focal":true,"coverage":{{"reference":"Coverage/{coverage}"}}}}]{diagnosis},'
            f'"item":[{{"sequence":1,"productOrService":{{"text":"{stay.kind}"}},"encounter":[{{'
            f'"reference":"Encounter/{stay.fhir_id}"}}],"net":{{"value":{cents // 100}.{cents % 100:02},"currency":"USD"}}}}],'
            f'"total":{{"value":{cents // 100}.{cents % 100:02},"currency":"USD"}}}}'
        )
        self.feeds.put("Claim", text, at, fact)
