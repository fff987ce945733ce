"""The truth tables against the bytes of the feeds, read again by small independent readers."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from transforms.synthetic.feed_files import FeedFile
from transforms.synthetic.network import NetworkPlan, groups
from transforms.synthetic.truth_rows import TruthRows

Network = tuple[TruthRows, list[FeedFile]]


@pytest.fixture(scope="module")
def network() -> Network:
    """A network of 200 people at five facilities over six days."""
    (group,) = groups(NetworkPlan(seed=11, people=200, days=6, facilities=5, start=date(2026, 1, 5)))
    return group.truth, list(group.files)


def _good(network: Network, facility: str, source: str) -> Iterator[tuple[FeedFile, int]]:
    """Places of all units of a source that may be published: (file, index of the unit)."""
    for file in network[1]:
        if (file.facility_id, file.source) == (facility, source):
            for index, (_, outcome, _) in enumerate(file.units):
                if outcome in ("canonical", "superseded"):
                    yield file, index


def _instant(text: str, zone: str = "UTC", form: str | None = None) -> int:
    moment = datetime.strptime(text, form) if form else datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))).timestamp())


def _resources(network: Network, facility: str, source: str, kind: str) -> dict[str, Any]:
    """Newest version of each resource of a type, by meta.lastUpdated."""
    newest: dict[str, Any] = {}
    for file, index in _good(network, facility, source):
        resource = json.loads(file.content.decode().splitlines()[index])
        if resource["resourceType"] == kind:
            other = newest.get(resource["id"])
            if other is None or _instant(other["meta"]["lastUpdated"]) < _instant(resource["meta"]["lastUpdated"]):
                newest[resource["id"]] = resource
    return newest


@pytest.mark.parametrize(("facility", "source"), [("riverside", "bulk"), ("summit", "fhir_export")])
def test_fhir_encounters(network: Network, facility: str, source: str) -> None:
    """The newest Encounter of each id states what the truth states: status, start, end, patient."""
    found = _resources(network, facility, source, "Encounter")
    stays = [stay for stay in network[0].encounters if stay.facility_id == facility]
    numbers = {(row.facility_id, row.identifier_value): row.fhir_id for row in network[0].patients}
    assert set(found) == {stay.fhir_id for stay in stays}
    for stay in stays:
        resource = found[stay.fhir_id or ""]
        assert resource["status"] == stay.status
        assert _instant(resource["period"]["start"]) == stay.period_start
        end = resource["period"].get("end")
        assert (None if end is None else _instant(end)) == stay.period_end
        assert resource["subject"]["reference"].rsplit("/", 1)[1] == numbers[facility, stay.patient_identifier_value]


def test_fhir_results(network: Network) -> None:
    """The newest Observation of each id states the true value and status, unless the truth calls it deleted."""
    found = _resources(network, "riverside", "bulk", "Observation")
    results = [row for row in network[0].results if row.facility_id == "riverside" and not row.is_deleted]
    assert {row.fhir_id for row in results} <= set(found)
    for row in results:
        resource = found[row.fhir_id or ""]
        assert resource["status"] == row.status
        assert str(resource.get("valueQuantity", {}).get("value", "None")) in (str(row.value), str(float(row.value or 0)), "None")
        assert _instant(resource["issued"]) == row.issued


def test_hl7_encounters(network: Network) -> None:
    """For each visit number the newest event by EVN-2 gives the true status and times, local without offset."""
    newest: dict[str, tuple[int, list[list[str]]]] = {}
    for file, index in _good(network, "lakeside", "adt_oru"):
        message = ("MSH|" + file.content.decode().replace("\n", "\r").split("MSH|")[index + 1]).split("\r")
        segments = {line[:3]: line.split("|") for line in message}
        visit = segments.get("PV1", [])
        if not segments["MSH"][8].startswith("ADT") or len(visit) < 20:
            continue
        at = int(datetime.strptime(segments["EVN"][2], "%Y%m%d%H%M%S%z").timestamp())
        number = visit[19].split("^")[0]
        if number not in newest or newest[number][0] < at:
            newest[number] = (at, [segments["EVN"], visit, segments["PID"]])
    stays = {stay.identifier_value: stay for stay in network[0].encounters if stay.facility_id == "lakeside"}
    assert set(newest) == set(stays)
    for number, (_, (event, visit, patient)) in newest.items():
        stay = stays[number]
        assert _instant(visit[44], "America/Chicago", "%Y%m%d%H%M%S") == stay.period_start
        end = visit[45] if len(visit) > 45 else ""
        assert (_instant(end, "America/Chicago", "%Y%m%d%H%M%S") if end else None) == stay.period_end
        status = "cancelled" if event[1] == "A11" else "finished" if end else "in-progress"
        assert status == stay.status
        assert patient[3].split("^")[0] == stay.patient_identifier_value


def test_old_system_visits(network: Network) -> None:
    """For each visit the row with the newest stamp gives the true start and end, in the facility's zone."""
    newest: dict[str, dict[str, str]] = {}
    for file, index in _good(network, "oldmill", "visits"):
        row = list(csv.DictReader(io.StringIO(file.content.decode("iso-8859-1")), delimiter="|"))[index]
        if row["VISITNO"] not in newest or newest[row["VISITNO"]]["STAMP"] < row["STAMP"]:
            newest[row["VISITNO"]] = row
    stays = {stay.identifier_value: stay for stay in network[0].encounters if stay.facility_id == "oldmill"}
    assert set(newest) == set(stays)
    for number, row in newest.items():
        assert _instant(row["ADM"], "America/New_York", "%m/%d/%Y %H:%M") == stays[number].period_start
        end = _instant(row["DIS"], "America/New_York", "%d.%m.%Y %H:%M") if row["DIS"] else None
        assert end == stays[number].period_end
        assert {"1": "in-progress", "2": "finished", "9": "cancelled"}[row["STAT"]] == stays[number].status


def test_change_rows_of_results(network: Network) -> None:
    """Applying load and changes in sequence order leaves the true live results with their values."""
    rows: dict[str, tuple[str, str, list[str]]] = {}
    for file, index in _good(network, "harbor", "dms_labresult"):
        op, sequence, *cells = list(csv.reader(io.StringIO(file.content.decode())))[index + 1]
        if cells[0] not in rows or rows[cells[0]][1] < sequence:
            rows[cells[0]] = (op, sequence, cells)
    live = {key: cells for key, (op, _, cells) in rows.items() if op != "D"}
    told = {row.identifier_value: row for row in network[0].results if row.facility_id == "harbor" and not row.is_deleted}
    assert set(live) == set(told)
    for key, cells in live.items():
        assert cells[6] == (told[key].value or "NULL")
        assert _instant(cells[9], "America/Los_Angeles", "%Y-%m-%d %H:%M:%S.000") == told[key].effective


def test_service_dates_are_local(network: Network) -> None:
    """The service date of a stay is the date on the facility's wall clock at its start, not the date in UTC."""
    zones = {"riverside": "America/New_York", "lakeside": "America/Chicago", "summit": "America/Denver",
             "harbor": "America/Los_Angeles", "oldmill": "America/New_York"}
    differs = 0
    for stay in network[0].encounters:
        local = datetime.fromtimestamp(stay.period_start, ZoneInfo(zones[stay.facility_id])).date()
        assert (local - date(1970, 1, 1)).days == stay.service_date
        differs += local != datetime.fromtimestamp(stay.period_start, UTC).date()
    assert differs > 20


def test_merged_record_names_its_survivor(network: Network) -> None:
    """Stays written under a merged record keep its number and name the survivor's, as the A40 message does."""
    merges = {}
    for file, index in _good(network, "lakeside", "adt_oru"):
        if file.units[index][0] == "ADT^A40":
            lines = file.content.decode().replace("\n", "\r").split("MSH|")[index + 1].split("\r")
            survivor = next(line.split("|")[3] for line in lines if line.startswith("PID"))
            prior = next(line.split("|")[1] for line in lines if line.startswith("MRG"))
            merges[prior.split("^")[0]] = survivor.split("^")[0]
    told = {row.identifier_value: row.merged_into for row in network[0].patients if row.merged_into}
    assert merges == told
    for stay in network[0].encounters:
        if stay.facility_id == "lakeside":
            assert stay.surviving_identifier_value == merges.get(stay.patient_identifier_value, stay.patient_identifier_value)
