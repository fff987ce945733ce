"""Units that are wrong, or that a rule ignores, of known kind: each says what must become of it.

None of them shares a fact with the story, so that the truth of everything else does not depend on them. What belongs here:
single bad units. Not here: late, repeated or corrected ones, which are good units (`outbox`, `replays`, `story`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from transforms.synthetic.clock import DAY, HOUR, hl7_local, iso_day
from transforms.synthetic.encode_hl7v2 import Hl7Writer
from transforms.synthetic.outbox import Feed, Outbox
from transforms.synthetic.site import Site

Defect = tuple[str, str, str, str, str]
_Kind = TypeVar("_Kind")
QUARANTINED, IGNORED = "quarantined", "ignored_by_rule"
_VISIT = f"PV1|1|O|CLINIC^1^A{'|' * 16}"


def _hl7(site: Site, at: int, token: str) -> list[tuple[str, str, str, str, str, str]]:
    """(message type, structure, body, processing id, outcome, reason) of each kind of defective message."""
    authority, when = site.plan.authority, site.zone.hl7(at)
    pid = f"PID|1||{token}^^^{authority}^MR||ZZTEST^DEFECT||19700101|F\r"
    visit = f"{_VISIT}V{token}^^^{authority}^VN{'|' * 25}{hl7_local(at)}\r"
    return [
        ("ADT^A08", "ADT_A01", f"EVN|A08|{when}\r{visit}", "P", QUARANTINED, "hl7.missing_pid"),
        ("ADT^A01", "ADT_A01", f"EVN|A01|{when}\r{pid}{visit}", "T", IGNORED, "hl7.non_production"),
        ("ACK^A01", "ACK", f"MSA|AA|{token}\r", "P", IGNORED, "hl7.acknowledgement"),
        ("MDM^T02", "MDM_T02", f"EVN|T02|{when}\r{pid}", "P", IGNORED, "hl7.passthrough_event"),
        ("ADT^A99", "ADT_A01", f"EVN|A99|{when}\r{pid}{visit}", "P", QUARANTINED, "hl7.unknown_event"),
        ("ADT^A04", "ADT_A01", f"EVN|A04|{when}\rPID|1||||ZZTEST^DEFECT||19700101|F\r{visit}", "P", QUARANTINED,
         "hl7.missing_patient_id"),
        ("ADT^A04", "ADT_A01", f"EVN|A04|{when}\r{pid.replace('19700101', '19701345')}{visit}", "P", QUARANTINED, "time.invalid"),
    ]


def _other_events(site: Site, at: int, token: str) -> list[tuple[str, str, str, str, str, str]]:
    """Messages of events that are kept and mapped to nothing, as `_hl7` gives them: scheduling, vaccination, financial transaction."""
    when = hl7_local(at)
    pid = f"PID|1||{token}^^^{site.plan.authority}^MR||ZZTEST^DEFECT||19700101|F\r"
    bodies = [
        ("SIU^S12", "SIU_S12", f"SCH|A{token}|||||ROUTINE^Routine^HL70276|||30|min|^^30^{when}\r{pid}AIL|1||CLINIC^1^A\r"),
        ("VXU^V04", "VXU_V04", f"{pid}ORC|RE||{token}\rRXA|0|1|{when}||140^Influenza^CVX|0.5|mL^mL^UCUM||00||||||||||CP\r"),
        ("DFT^P03", "DFT_P03", f"EVN|P03|{site.zone.hl7(at)}\r{pid}FT1|1|||{when}||CG|99213^Office visit^C4|||1|100.00\r"),
    ]
    return [(kind, structure, body, "P", IGNORED, "hl7.passthrough_event") for kind, structure, body in bodies]


def _fhir(site: Site, at: int, token: str) -> list[Defect]:
    head = f'"id":"{token}","meta":{{"versionId":"1","lastUpdated":"{site.zone.iso(at)}"}}'
    code = '"code":{"coding":[{"system":"http://loinc.org","code":"2345-7"}]}'
    return [
        ("Observation", "unknown", f'{{"resourceType":"Observation",{head},"status":', QUARANTINED, "fhir.invalid_json"),
        ("OperationOutcome", "OperationOutcome",
         f'{{"resourceType":"OperationOutcome","id":"{token}","issue":[{{"severity":"warning","code":"processing"}}]}}',
         IGNORED, "fhir.operation_outcome"),
        ("Patient", "Patient", f'{{"resourceType":"Patient",{head},"name":[{{"family":"ZZTEST"}}],"birthDate":"1970-02-30"}}',
         QUARANTINED, "fhir.invalid_datetime"),
        ("Observation", "Observation", f'{{"resourceType":"Observation",{head},"status":"final",{code},'
         f'"subject":{{"reference":"Patient/nobody-{token}"}},"valueQuantity":{{"value":95,"unit":"mg/dL"}}}}',
         QUARANTINED, "fhir.unresolved_reference"),
        ("Slot", "Slot", f'{{"resourceType":"Slot","id":"{token}"}}', IGNORED, "fhir.unsupported_resource_type"),
        ("Patient", "Patient", f'{{"resourceType":"Patient",{head},"modifierExtension":[{{'
         '"url":"https://vendor.example.com/fhir/StructureDefinition/test-record","valueBoolean":true}],'
         '"name":[{"family":"ZZTEST"}]}', QUARANTINED, "fhir.unregistered_modifier_extension"),
        ("Condition", "Condition", f'{{"resourceType":"Condition",{head},{code},{code}}}', QUARANTINED, "fhir.duplicate_json_key"),
    ]


def _lakeside_csv(token: str, day: str) -> list[Defect]:
    row = f"RX{token},{{mrn}},V1,M0100,Metformin 500 mg tablet,daily,A,{day} 10:00:00,{day} 10:00:00"
    return [
        ("medications_csv", "medications_csv", row.format(mrn="1.20E+07") + "\n", QUARANTINED, "csv.excel_mangled"),
        ("medications_csv", "medications_csv", row.format(mrn="40000001") + ",surplus\n", QUARANTINED, "csv.ragged_row"),
    ]


def _summit_csv(token: str, day: str) -> list[Defect]:
    head = f"{token};S0000001;V1;P1;LAB.GLU;Glucose;95;;mg/dl;FINAL"
    good, bad = f"{day[5:7]}/{day[8:]}/{day[:4]} 10:00:00", f"02/30/{day[:4]} 10:00:00"
    return [
        ("results_csv", "results_csv", f"{head};{good};{good}\n", QUARANTINED, "csv.ragged_row"),
        ("results_csv", "results_csv", f"{head};{bad};{good};{good}\n", QUARANTINED, "time.invalid"),
    ]


def _oldmill(token: str, day: str) -> list[Defect]:
    stamp = f"{day.replace('-', '')} 100000"
    admitted = f"{day[5:7]}/{day[8:]}/{day[:4]} 10:00"
    visit = f"VX{token}|000001|C|1|{{admitted}}||CLINIC||{day} 10:00:00\n"
    return [
        ("visits", "visits", visit.format(admitted=f"02/30/{day[:4]} 10:00"), QUARANTINED, "time.invalid"),
        ("patients", "patients", f'9.9E{token[-3:]},ZZTEST,DEFECT,2,01-Jan-1970,"1 Elm St",Axton,NJ,10001,-,{stamp}\n', QUARANTINED,
         "csv.excel_mangled"),
        ("visits", "visits", f"VX{token}|000001|C|1|{admitted}\n", QUARANTINED, "csv.ragged_row"),
    ]


def _harbor(site: Site, at: int, token: str, day: str) -> list[Defect]:
    head = f"H0000001,V1,P1,LGLU,Glucose,95,NULL,mg/dl,{day} 10:00:00.000,{day[:4]}-02-30 10:00:00.000,F"
    sequence = f"{hl7_local(site.zone.utc(at))}{site.count('change'):021}"
    return [("dms_labresult", "dbo.LabResult", f"I,{sequence},{token},{head}\n", QUARANTINED, "cdc.type_incompatible"),
            ("dms_labresult", "dbo.LabResult", f"I,{sequence},X{token},{head.replace('-02-30', '-02-03')}\n", QUARANTINED,
             "cdc.type_incompatible")]


def plant_defects(site: Site, outbox: Outbox, day: int, hl7: Hl7Writer | None) -> None:
    """Put two or more defective units into one day's feeds of a facility, kinds taking turns over the days."""
    at = (outbox.opening_day + day) * DAY + 11 * HOUR
    token = f"9{site.count('defect'):08}"
    iso = iso_day[outbox.opening_day + day]
    if hl7 is not None:
        others = _other_events(site, at, token)
        for message_type, structure, body, processing, outcome, reason in [*_turn(_hl7(site, at, token), day), others[day % len(others)]]:
            hl7.send(at, message_type, structure, body, at, (), day, processing=processing)
            hl7.feed.days[day][-1][5:] = [outcome, reason]
    for source, defects in _other(site, at, token, iso):
        for stem, record_type, text, outcome, reason in _turn(defects, day):
            feed = _feed(outbox, site, source, stem)
            feed.days[day].append([_order(site, text, at), record_type, text, at, (), outcome, reason])


def _other(site: Site, at: int, token: str, iso: str) -> list[tuple[str, list[Defect]]]:
    makers: dict[str, Callable[[], list[tuple[str, list[Defect]]]]] = {
        "riverside": lambda: [("bulk", _fhir(site, at, token))],
        "lakeside": lambda: [("", _lakeside_csv(token, iso))],
        "summit": lambda: [("fhir_export", _fhir(site, at, token)), ("", _summit_csv(token, iso))],
        "harbor": lambda: [("", _harbor(site, at, token, iso))],
        "oldmill": lambda: [("", _oldmill(token, iso))],
    }
    return makers[site.style]()


def _turn(defects: list[_Kind], day: int) -> list[_Kind]:
    size = len(defects)
    return [defects[(2 * day + place) % size] for place in range(min(2, size))]


def _feed(outbox: Outbox, site: Site, source: str, stem: str) -> Feed:
    if source:
        return outbox.feed(site.plan.ordinal, source, "fhir.resource", stem)
    kind = "cdc.row" if site.style == "harbor" else "csv.row"
    return outbox.feed(site.plan.ordinal, stem, kind)


def _order(site: Site, text: str, at: int) -> int | str:
    """Where the unit sorts in its day: change rows by their sequence, everything else by its moment."""
    return text.split(",", 2)[1] if site.style == "harbor" else at
