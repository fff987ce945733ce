"""Parts of FHIR R4 resources that every EMR's dialect writes alike: codes of HL7's own terminology."""

from __future__ import annotations

from transforms.synthetic.events import StayVersion

TERMS = "http://terminology.hl7.org/CodeSystem/"


def coding(system: str, code: str) -> str:
    """A list of one coding of HL7's own terminology."""
    return f'"coding":[{{"system":"{TERMS}{system}","code":"{code}"}}]'


def discharge(version: StayVersion) -> str:
    """Encounter.hospitalization with the disposition, led by a comma; nothing where the patient has not left."""
    if not version.disposition:
        return ""
    return f',"hospitalization":{{"dischargeDisposition":{{{coding("discharge-disposition", version.disposition)}}}}}'


def condition_statuses(state: str) -> str:
    """Condition.clinicalStatus and verificationStatus; an error has no clinical status (FHIR R4 condition, con-5)."""
    clinical = "" if state == "error" else f'"clinicalStatus":{{{coding("condition-clinical", state)}}},'
    verified = "entered-in-error" if state == "error" else "confirmed"
    return f'{clinical}"verificationStatus":{{{coding("condition-ver-status", verified)}}}'
