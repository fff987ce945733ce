"""A process that lands one large payload, decodes it and loads it into the warehouse, and says how much memory that took.

`python -m tests.integration.large_payload KIND MEGABYTES FOLDER`, KIND one of `WRITERS`. Prints JSON: peak resident memory in MB before
and after (getrusage), units counted in the bytes, units in raw.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path

from assets.stores.control import begin_run, create_control
from assets.stores.raw import create_raw
from orchestration.landing import Arrival, land_arrivals
from orchestration.opening import open_root
from orchestration.settings import Settings
from tests.case_registry import CLINIC

DAY = date(2026, 1, 5)
REGISTRY = CLINIC + """\
    default_authority: A
    authorities: {A: 'urn:oid:2.999.1'}
    sources:
      csv: {kind: csv_extract, resource: patient, key: [ID], encoding: utf-8, columns: {ID: {maps_to: identifier_value}, NAME: {}, NOTE: {}}}
      changes: {kind: debezium_jsonl, resource: patient, table: dbo.P, primary_key: [ID], columns: {ID: {type: int}, NOTE: {}}}
      ndjson: {kind: fhir_ndjson}
      hl7: {kind: hl7v2}
"""


def csv_lines() -> Iterator[str]:
    """Header and rows of half a kilobyte, every other one with a quoted line end."""
    yield "ID,NAME,NOTE\n"
    for number in count(1):
        quote = '"' if number % 2 else ""
        yield f"{number},NAME {number % 997},{quote}{'note ' * 50}{quote and chr(10)}{'more ' * 50}{quote}\n"


def ndjson_lines() -> Iterator[str]:
    """Resources of four kilobytes."""
    for number in count(1):
        yield json.dumps({"resourceType": "Basic", "id": str(number), "code": {"text": "x" * 4000}}) + "\n"


def change_lines() -> Iterator[str]:
    """Changes of ten thousand rows, of two kilobytes each."""
    for number in count(1):
        row = {"ID": number % 10_000, "NOTE": "x" * 2000}
        yield json.dumps({"op": "u", "after": row, "source": {"table": "P", "commit_lsn": f"{number:020}"}}) + "\n"


def message_lines() -> Iterator[str]:
    """Messages of four kilobytes in one batch file."""
    for number in count(1):
        yield f"MSH|^~\\&|A|B|||20260105||ADT^A04|{number}|P|2.5\rPID|1||M{number}\rNTE|1||{'note ' * 800}\r"


WRITERS: dict[str, Callable[[], Iterator[str]]] = {"csv": csv_lines, "ndjson": ndjson_lines, "changes": change_lines, "hl7": message_lines}


# DuckDB's limit. A row group is 122,880 rows, some 500 MB of resources of four kilobytes, and is in memory until it is full.
MEMORY = {"ndjson": "600MB"}


def write(kind: str, megabytes: int, file: Path) -> None:
    """Write a payload of about that many megabytes."""
    size = 0
    with file.open("w", encoding="utf-8", newline="") as sink:
        for line in WRITERS[kind]():
            size += sink.write(line)
            if size >= megabytes << 20:
                return


def peak() -> int:
    """Megabytes that this process had resident at most. The kernel's own mark, since a process inherits that of whoever started it in
    its resource usage."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) >> 10


def main(kind: str, megabytes: int, folder: Path) -> dict[str, int]:
    """Take a payload from a file to raw tables."""
    (folder / "facilities.yaml").write_text(REGISTRY)
    file = folder / "payload"
    write(kind, megabytes, file)
    root = open_root(Settings(home=folder / "home", facilities=folder / "facilities.yaml", memory=MEMORY.get(kind, "512MB")))
    with root.warehouse.open() as warehouse:
        create_control(warehouse)
        create_raw(warehouse)
        begin_run(warehouse, "r1", [("clinic", DAY)])
    before = peak()
    land_arrivals(root, [Arrival(file, "clinic", kind, DAY)], datetime(2026, 1, 6, tzinfo=UTC))
    file.unlink()
    root.raw.replace(root.warehouse.open, "r1", [("clinic", DAY)])
    after = peak()
    with root.warehouse.open(read_only=True) as warehouse:
        found = warehouse.query("select received_units, (select count(*) from LAKE.raw.raw_unit) as units from LAKE.raw.raw_delivery").to_pylist()
    return {"before": before, "after": after, **found[0]}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))) + "\n")
