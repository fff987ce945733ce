"""The synthetic network as a whole: reproducible, accounted for, and rich in what goes wrong in life."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter, defaultdict
from datetime import date, datetime

import pyarrow.parquet as pq
import pytest

from transforms.synthetic.encode_dms import LOAD
from transforms.synthetic.feed_files import FeedFile
from transforms.synthetic.network import NetworkPlan, groups
from transforms.synthetic.registry_feeds import feeds
from transforms.synthetic.truth_rows import TruthRows
from transforms.synthetic.truth_tables import LedgerTruth

PLAN = NetworkPlan(seed=7, people=250, days=5, facilities=5, start=date(2026, 1, 5))
Network = tuple[TruthRows, list[FeedFile]]


def _tell(plan: NetworkPlan) -> Network:
    (group,) = groups(plan)
    return group.truth, list(group.files)


@pytest.fixture(scope="module")
def network() -> Network:
    """A network of 250 people at five facilities over five days."""
    return _tell(PLAN)


def test_equal_plans_give_equal_bytes(network: Network) -> None:
    """The same seed gives the same files, in the same order, with the same truth; another seed gives others."""
    again = _tell(PLAN)
    assert network[1] == again[1]
    assert vars(network[0]) == vars(again[0])
    other = _tell(NetworkPlan(8, 250, 5, 5, date(2026, 1, 5)))
    assert [file.content for file in other[1]] != [file.content for file in network[1]]


def test_every_source_of_every_style_sends_on_every_day(network: Network) -> None:
    """Each registered feed of the five facilities delivers on each of the five days."""
    sent = {(file.facility_id, file.source, file.batch_date) for file in network[1]}
    wanted = {(style, source, f"2026-01-0{day}") for style in ("riverside", "lakeside", "summit", "harbor", "oldmill")
              for source in feeds(style) for day in range(5, 10)}
    assert wanted <= sent


def test_ledger_balances(network: Network) -> None:
    """In each row of the ledger the five outcomes sum to what was received, and all rows to all units."""
    ledger = LedgerTruth()
    for file in network[1]:
        ledger.add(file)
    rows = ledger.table().to_pylist()
    outcomes = ("canonical", "duplicate", "superseded", "quarantined", "ignored_by_rule")
    assert all(row["units"] == sum(row[outcome] for outcome in outcomes) for row in rows)
    assert sum(row["units"] for row in rows) == sum(len(file.units) for file in network[1])
    assert all(sum(row[outcome] for row in rows) > 0 for outcome in outcomes)


def _count(file: FeedFile) -> int:
    """Units of a file, counted from its bytes by the standard library alone."""
    if file.unit_kind == "hl7.message":
        return sum(line.startswith("MSH|") for line in file.content.decode().replace("\r", "\n").split("\n"))
    if file.unit_kind == "fhir.resource":
        return len(file.content.decode().splitlines())
    if file.unit_kind.startswith("x12."):
        opening = {"x12.claim": "CLM", "x12.claim_payment": "CLP", "x12.transaction_set": "ST"}[file.unit_kind]
        return sum(segment.split("*")[0] == opening for segment in file.content.decode().split("~"))
    if file.unit_kind == "payload" or file.unit_kind == "dicom.instance":
        return 1
    if file.unit_kind == "ccda.entry":
        text = file.content.decode()
        return text.count("<entry>") + text.count("<nonXMLBody>") + len(re.findall("</text></section>", text))
    if file.name.endswith(".parquet"):
        return int(pq.read_metadata(io.BytesIO(file.content)).num_rows)
    if file.name.endswith(".jsonl"):
        return len(file.content.splitlines())
    source = feeds(file.facility_id)[file.source]
    text = file.content.decode(source.get("encoding", "utf-8"))
    rows = list(csv.reader(io.StringIO(text), delimiter=source.get("delimiter", ",")))
    if "trailer" in source:
        assert rows[-1] == ["TRL", str(len(rows) - 2)]
        rows.pop()
    assert [name for name in rows[0] if name not in ("Op", "AR_H_CHANGE_SEQ")] == list(source["columns"])
    return len(rows) - 1


def test_units_are_what_the_files_hold(network: Network) -> None:
    """The units told of a file are as many as its bytes hold, its header is the registered one, its control total right."""
    assert [len(file.units) for file in network[1]] == [_count(file) for file in network[1]]


def test_json_is_whole_but_for_planted_lines(network: Network) -> None:
    """Every NDJSON line parses, except those that must be quarantined as invalid JSON."""
    for file in network[1]:
        if file.unit_kind != "fhir.resource":
            continue
        for line, (_, outcome, reason) in zip(file.content.decode().splitlines(), file.units, strict=True):
            if reason == "fhir.invalid_json":
                assert outcome in ("quarantined", "duplicate")
                with pytest.raises(ValueError, match="Expecting"):
                    json.loads(line)
            else:
                assert json.loads(line)["resourceType"]


def _texts(file: FeedFile) -> list[str]:
    """The content of each unit; of an HL7 message without MSH-7 and MSH-10. Formats of which only whole files are sent again: file and place."""
    if file.unit_kind == "hl7.message":
        told = []
        for message in file.content.decode().replace("\n", "\r").split("MSH|")[1:]:
            head, body = message.split("\r", 1)
            fields = head.split("|")
            told.append("|".join(fields[:5] + fields[6:8] + fields[9:]) + body)
        return told
    if file.unit_kind.startswith(("x12.", "dicom.", "payload")):
        return [f"{file.content.hex()}/{place}" for place in range(len(file.units))]
    if file.unit_kind == "ccda.entry":
        text = file.content.decode()
        known = text[text.find("<recordTarget>") : text.find("</recordTarget>")] if "<entry>" not in text else ""
        return [known + one for one in re.findall("<entry>.*?</entry>|<text>[^<]*</text></section>|<nonXMLBody>.*?</nonXMLBody>", text)]
    lines = file.content.decode("utf-8" if file.unit_kind != "csv.row" else "latin-1").splitlines()
    return lines if file.unit_kind == "fhir.resource" else lines[1 : len(file.units) + 1]


def test_repeated_content_is_what_is_called_duplicate(network: Network) -> None:
    """Outside change files, a unit is a duplicate if and only if its content came on an earlier day; a statement also where another
    summary of the day has it."""
    first: dict[tuple[str, str, str], int] = {}
    counted: Counter[tuple[str, str, str]] = Counter()
    for file in sorted(network[1], key=lambda file: file.day):
        if file.unit_kind == "cdc.row":
            continue
        for text, (_, outcome, _) in zip(_texts(file), file.units, strict=True):
            earlier = first.setdefault((file.facility_id, file.source, text), file.day)
            counted[file.facility_id, file.source, text] += outcome != "duplicate"
            assert (outcome == "duplicate") == (earlier < file.day) or file.unit_kind == "ccda.entry"
    assert set(counted.values()) == {1}


def test_planted_defects_cover_the_known_kinds(network: Network) -> None:
    """Five days bring every kind of bad or ignored unit that the generator plants."""
    reasons = Counter(reason for file in network[1] for _, _, reason in file.units if reason)
    assert set(reasons) == {
        "hl7.missing_pid", "hl7.non_production", "hl7.acknowledgement", "hl7.passthrough_event", "hl7.unknown_event",
        "hl7.missing_patient_id", "time.invalid", "fhir.invalid_json", "fhir.operation_outcome", "fhir.invalid_datetime",
        "fhir.unresolved_reference", "fhir.unsupported_resource_type", "fhir.unregistered_modifier_extension",
        "fhir.duplicate_json_key", "csv.excel_mangled", "csv.ragged_row", "cdc.type_incompatible",
        "ccda.multiple_patients", "ccda.narrative_only_section", "xml.dtd_forbidden", "dicom.missing_study_uid", "dicom.not_part10",
        "dicom.sop_uid_conflict", "dicom.study_patient_conflict", "cdc.tombstone", "cdc.column_missing", "payload.unrecognised_format",
        "x12.claim_charge_mismatch", "x12.replacement_without_original", "x12.non_production"}


def test_messages_of_every_registered_event(network: Network) -> None:
    """The HL7 feed holds admissions, transfers, discharges, updates, cancellations, person updates and merges, orders, results, and
    what is kept and mapped to nothing: documents, schedules, vaccinations, charges."""
    kinds = {kind for file in network[1] if file.source == "adt_oru" for kind, _, _ in file.units}
    events = {f"ADT^{event}" for event in ("A01", "A02", "A03", "A04", "A08", "A11", "A13", "A31", "A40")}
    assert events | {"ORM^O01", "ORU^R01", "MDM^T02", "SIU^S12", "VXU^V04", "DFT^P03"} <= kinds


def test_life_is_untidy(network: Network) -> None:
    """People have records at several facilities and twice at one, names change, numbers are re-used, results are corrected."""
    truth = network[0]
    records = defaultdict(set)
    for patient in truth.patients:
        records[patient.person_no].add(patient.facility_id)
    assert sum(len(places) > 1 for places in records.values()) > 50
    assert any(patient.merged_into for patient in truth.patients)
    assert any(patient.reuses_number_of_person for patient in truth.patients)
    assert any(person.maiden_family for person in truth.people)
    assert {"corrected", "entered-in-error", "preliminary"} <= {result.status for result in truth.results}
    assert {"cancelled", "in-progress", "finished"} == {stay.status for stay in truth.encounters}


def test_bills_and_documents_change_their_minds(network: Network) -> None:
    """Claims are replaced and voided, payments taken back and carried forward, summaries replaced, captured rows deleted."""
    truth = network[0]
    assert {row.frequency_code for row in truth.claims} == {"1", "7", "8"}
    assert {row.claim_status_code for row in truth.claim_payments} == {"1", "22"}
    assert any(row.carried_forward is not None for row in truth.payments)
    assert {row.outcome for row in truth.eligibilities} == {None, "complete", "error"}
    assert {row.identifier_value[-2:] for row in truth.documents} == {".1", ".2"}
    assert {row.clinical_status for row in truth.allergies} == {"active", "inactive"}
    assert {row.status for row in truth.immunizations} == {"completed", "not-done"}
    assert any(row.number_of_series > 1 for row in truth.imaging_studies)
    assert any(b'"op": "d"' in file.content for file in network[1])


def test_full_load_comes_first_and_once(network: Network) -> None:
    """Each table of the change feed is loaded on the first day, without change sequences, and later only changed."""
    loads = [file for file in network[1] if file.name.startswith(LOAD[:4])]
    assert {file.batch_date for file in loads} == {"2026-01-05"}
    assert len(loads) == 7
    loads = [file for file in loads if file.name.endswith(".csv")]
    assert len(loads) == 5
    assert all(line.startswith("I,,") for file in loads for line in file.content.decode().splitlines()[1:])


def test_clock_change_is_written_without_zone() -> None:
    """On the day the clock skips an hour the old system writes times of that hour, and the truth takes the offset before the gap."""
    truth, files = _tell(NetworkPlan(3, 300, 3, 5, date(2026, 3, 7)))
    numbers = {line.split(";")[0]: line.split(";")[9][11:] for file in files if file.source == "results"
               for line in file.content.decode("latin-1").splitlines() if ";03-08-2026 02:" in line}
    told = {row.identifier_value: row.effective for row in truth.results if row.facility_id == "oldmill"}
    assert numbers
    for number, text in numbers.items():
        assert told[number] == datetime.fromisoformat(f"2026-03-08T{text}:00-05:00").timestamp()


def test_plan_without_people_is_refused() -> None:
    """A network without people or days is an error, not an empty directory."""
    with pytest.raises(ValueError, match="at least one person"):
        next(groups(NetworkPlan(1, 0, 5, 5, date(2026, 1, 5))))


def test_groups_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """People told in several groups share no record number, visit number or file name."""
    monkeypatch.setattr("transforms.synthetic.network.group_size", lambda days: 40)
    told = list(groups(NetworkPlan(5, 120, 2, 5, date(2026, 1, 5))))
    names = [(file.facility_id, file.source, file.batch_date, file.name) for group in told for file in group.files]
    assert len(told) == 3
    assert len(names) == len(set(names))
    fresh = [(row.facility_id, row.identifier_value) for group in told for row in group.truth.patients if row.is_current]
    stays = [(row.facility_id, row.identifier_value) for group in told for row in group.truth.encounters]
    assert len(fresh) == len(set(fresh))
    assert len(stays) == len(set(stays))
