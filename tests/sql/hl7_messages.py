"""HL7 v2 message texts for tests: a header and segments, and the registry of the facility that sends them.

Belongs here: texts. Everything in them is invented.
"""

from __future__ import annotations

REGISTRY = """
registry_version: 1
first_batch_date: 2026-01-01
facilities:
- facility_id: north_general
  valid_from: 2026-01-01
  name: North General
  region: north
  owner: north@northstar.example
  timezone: America/New_York
  charset: windows-1252
  source_system: emr
  default_authority: NGH
  authorities: {NGH: 'https://ngh.example.org/id/mrn', ENT: 'https://ent.example.org/id/person', OE: 'https://ngh.example.org/id/order'}
  code_maps:
    observation: {K: {system: 'http://loinc.org', code: 2823-3}}
    condition: {'401.9': {system: 'http://hl7.org/fhir/sid/icd-10-cm', code: I10}}
    encounter_class: {X: {system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: OBSENC}}
  sources: {adt: {kind: hl7v2}}
"""

PID = "PID|1||M1^^^NGH^MR||ALDER^ROWAN||19800214|F"
OBR = "OBR|1|P1|F1|24323-8^Comprehensive metabolic panel^LN|||20240510080000-0400" + "|" * 15 + "20240510090000-0400|||F"


def message(kind: str, *segments: str, sent: str = "20240510100000-0400", processing: str = "P", control: str = "C1") -> bytes:
    """Bytes of one message; `kind` is MSH-9."""
    header = f"MSH|^~\\&|APP|NGH|LAKE|HUB|{sent}||{kind}|{control}|{processing}|2.5.1"
    return ("\r".join([header, *segments]) + "\r").encode()


def adt(event: str, *segments: str, recorded: str = "20240510100000-0400", sent: str = "20240510100000-0400") -> bytes:
    """An ADT message with EVN."""
    return message(f"ADT^{event}", f"EVN|{event}|{recorded}", *segments, sent=sent)


def pv1(visit: str = "V1^^^NGH^VN", kind: str = "I", place: str = "4E^401^A", start: str = "20240510093000-0400", end: str = "",
        doctor: str = "", disposition: str = "", alternate: str = "") -> str:
    """PV1 with the fields that staging reads."""
    fields = {2: kind, 3: place, 7: doctor, 19: visit, 36: disposition, 44: start, 45: end, 50: alternate}
    return "PV1|1|" + "|".join(fields.get(place, "") for place in range(2, 51)).rstrip("|")


def oru(*observations: str, obr: str = OBR, pid: str = PID, sent: str = "20240510090500-0400") -> bytes:
    """A result message of one order group."""
    return message("ORU^R01^ORU_R01", pid, obr, *observations, sent=sent)
