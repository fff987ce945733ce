"""Parts of the product that are killed at their points, on stores without dbt: `python -m tests.faults.killed_parts`.

A part is made ready (`ready`), acts (`act`), and can be asked what it left (`left`). This process imports everything and opens nothing;
each step is a child, which begins as a new process would. A part whose folder holds a file `place` keeps landing and raw files in that
bucket and prefix. Reads [part, folder, point, again] as JSON: the part is made ready, acts
and dies at the point (if there is one), and where `again` says so acts and lives. Writes how the children ended.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster_aws.s3  # noqa: F401 - a second that each child in a bucket would pay
import duckdb

from assets.root import Root
from assets.stores import crash_points
from assets.stores.catalog_reading import read_catalog
from assets.stores.control import begin_run, create_control, create_tables
from assets.stores.duckdb_warehouse import DuckDBWarehouse
from assets.stores.durable import UNFINISHED
from assets.stores.identity import resolve_changes
from assets.stores.objects import FolderObjects
from assets.stores.raw import create_raw
from checks.gate import apply_gate
from checks.slices import publish_slices
from checks.verdict import Verdict
from orchestration.landing import Arrival, land_arrivals
from orchestration.opening import open_root
from orchestration.settings import Settings
from tests.bucket_server import BUCKET
from tests.faults.child import in_child
from tests.integration.gate_world import GateWorld
from tests.sql.identity_world import SETTINGS, IdentityWorld, patient

MONDAY, TUESDAY = date(2026, 1, 5), date(2026, 1, 6)
RECEIVED = datetime(2026, 1, 8, tzinfo=UTC)
REGISTRY = """\
registry_version: 1
first_batch_date: 2026-01-01
facilities:
- {facility_id: clinic, valid_from: 2026-01-01, name: C, region: n, owner: o@x.example, timezone: America/New_York, charset: us-ascii,
   source_system: own, default_authority: A, authorities: {A: 'urn:oid:2.999.1'}, sources: {adt: {kind: hl7v2}}}
"""
CENSUS = {"facility_id": "varchar", "service_date": "date", "class_code": "varchar", "location_point_of_care": "varchar",
          "inpatients": "bigint", "open_stays": "bigint"}


@dataclass(frozen=True)
class Part:
    """One part: what makes it ready, what it does, what it left."""

    ready: Callable[[Path], None]
    act: Callable[[Path], None]
    left: Callable[[Path], Any]


def _root(folder: Path) -> Root:
    (folder / "facilities.yaml").write_text(REGISTRY)
    place = (folder / "place").read_text() if (folder / "place").exists() else None
    kept = {} if place is None else {"landing": f"{place}/landing", "raw": f"{place}/raw"}
    return open_root(Settings(home=folder / "home", build=folder / "build", facilities=folder / "facilities.yaml", **kept))


def _files(folder: Path) -> None:
    for number in (1, 2):
        (folder / f"{number}.hl7").write_text(f"MSH|^~\\&|A|B|C|D|20260105||ADT^A04|{number}|P|2.5.1\rPID|1||{number}^^^A^MR\r")


def _in_bucket(ready: Callable[[Path], None]) -> Callable[[Path], None]:
    """Make ready with landing and raw files in a prefix of the bucket that is named like the folder."""
    def readied(folder: Path) -> None:
        (folder / "place").write_text(f"s3://{BUCKET}/{folder.name}")
        ready(folder)

    return readied


def _land(folder: Path) -> None:
    """A source that sends its files again names them by a token."""
    arrivals = [Arrival(folder / f"{number}.hl7", "clinic", "adt", MONDAY, token=str(number)) for number in (1, 2)]
    land_arrivals(_root(folder), arrivals, RECEIVED)


def _landed(folder: Path) -> Any:
    root = _root(folder)
    names = [one.delivery_id for one in root.landing.deliveries("clinic", MONDAY)]
    logged = read_catalog(root.home, "select json_extract(body, '$.body.delivery_id') as id from entry where kind = 'land' order by 1")
    shown = read_catalog(root.home, "select delivery_id as id from delivery order by 1")
    contents = sorted(root.landing.read(one.payload_id) for one in root.landing.deliveries("clinic", MONDAY))
    unfinished = list((root.home / "landing" / UNFINISHED).glob("*"))
    return sorted(names), [row["id"] for row in logged], [row["id"] for row in shown], contents, unfinished


def _ready_raw(folder: Path) -> None:
    _files(folder)
    _land(folder)
    with _root(folder).warehouse.open() as warehouse:
        create_control(warehouse)
        create_raw(warehouse)


def _load(folder: Path) -> None:
    root, run_id = _root(folder), f"run-{os.getpid()}"
    with root.warehouse.open() as warehouse:
        begin_run(warehouse, run_id, [("clinic", MONDAY)])
    root.raw.replace(root.warehouse.open, run_id, [("clinic", MONDAY)])


def _loaded(folder: Path) -> Any:
    root = _root(folder)
    with root.warehouse.open(read_only=True) as warehouse:
        named = warehouse.query("select distinct raw_table || '/' || file_name as name from LAKE.control.raw_file").to_pylist()
        asked = {"raw_delivery": "delivery_id, received_units", "raw_unit": "unit_id, content_hash", "raw_hl7v2__pid": "record_id, pid_3_1"}
        rows = {table: sorted(tuple(row.values()) for row in warehouse.query(f"select {columns} from LAKE.raw.{table}").to_pylist())
                for table, columns in asked.items()}
    kept = (root.raw_objects or FolderObjects(root.home / "raw")).names()
    return {**rows, "named files that are not kept": sorted({row["name"] for row in named} - set(kept))}


def _rows(folder: Path, *statements: str) -> Any:
    with duckdb.connect() as connection:
        connection.execute(f"attach '{folder / 'LAKE.duckdb'}' as LAKE")
        return [sorted(connection.execute(statement).fetchall(), key=repr) for statement in statements]


def _ready_gate(folder: Path) -> None:
    world = GateWorld(folder / "LAKE.duckdb")
    world.run("r1", ("north", MONDAY), ("south", MONDAY))
    for facility in ("north", "south"):
        world.admit(facility, MONDAY)
    world.connection.close()


def _decide(folder: Path) -> None:
    world = GateWorld(folder / "LAKE.duckdb")
    verdicts = [Verdict("canonical.patient_version", "schema", facility, MONDAY, True, facility == "south", 1, 1, "words")
                for facility in ("north", "south")]
    apply_gate(world.warehouse, "r1", 1, verdicts, ["patient"])
    world.connection.close()


def _decided(folder: Path) -> Any:
    return _rows(folder, "select * from LAKE.control.verdict", "select * from LAKE.control.held_partition",
                 "select * from LAKE.control.change_log")


def _ready_slices(folder: Path) -> None:
    world = GateWorld(folder / "LAKE.duckdb")
    create_tables(world.warehouse, "marts", {"mart_daily_census": CENSUS})
    create_tables(world.warehouse, "staging", {"candidate_mart_daily_census": CENSUS})
    for day, inpatients in ((MONDAY, 2), (TUESDAY, 0)):
        world.rows("insert into LAKE.marts.mart_daily_census values ('north', ?, 'IMP', '4 West', 1, 0)", day)
        world.rows("insert into LAKE.control.slice_state values ('mart_daily_census', 'north', ?, 1, 1)", day)
        world.rows("insert into LAKE.control.candidate_slice values ('mart_daily_census', 'north', ?, 2)", day)
        if inpatients:
            world.rows("insert into LAKE.staging.candidate_mart_daily_census values ('north', ?, 'IMP', '4 West', ?, 1)", day, inpatients)
    world.connection.close()


def _publish(folder: Path) -> None:
    world = GateWorld(folder / "LAKE.duckdb")
    publish_slices(world.warehouse, "r2", 2)
    world.connection.close()


def _published(folder: Path) -> Any:
    return _rows(folder, "select * from LAKE.marts.mart_daily_census", "select * from LAKE.control.slice_state",
                 "select * from LAKE.control.verdict", "select * from LAKE.control.candidate_slice")


def _ready_identity(folder: Path) -> None:
    world = IdentityWorld()
    world.put(patient("a"), patient("b", facility_id="harbor"), patient("c", given="MIRIAM", birth_date=date(1990, 2, 3), phone=None))
    world.warehouse.connection.execute(f"attach '{folder / 'LAKE.duckdb'}' as disk")
    world.warehouse.connection.execute("copy from database LAKE to disk")


def _resolve(folder: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"attach '{folder / 'LAKE.duckdb'}' as LAKE")
        connection.execute("use LAKE")
        resolve_changes(DuckDBWarehouse(connection), 1, SETTINGS)


def _resolved(folder: Path) -> Any:
    return _rows(folder, "select list(patient_key order by patient_key), count(*) from LAKE.identity.link group by person_id",
                 "select event, patient_key from LAKE.identity.link_history", "select consumer, run_seq from LAKE.control.consumer",
                 "select object, fact_key from LAKE.control.change_log")


PARTS = {
    "landing": Part(_files, _land, _landed), "raw": Part(_ready_raw, _load, _loaded),
    "landing in a bucket": Part(_in_bucket(_files), _land, _landed), "raw in a bucket": Part(_in_bucket(_ready_raw), _load, _loaded), "gate": Part(_ready_gate, _decide, _decided),
    "mart": Part(_ready_slices, _publish, _published), "identity": Part(_ready_identity, _resolve, _resolved),
}


def _child(work: Callable[[], None]) -> str:
    """Do work in a child; gives how it ended."""
    code = in_child(work)
    return {0: "lived", -signal.SIGKILL: "killed"}.get(code, f"failed with {code}")


def _dying(part: Part, folder: Path, point: str) -> None:
    crash_points.arm(point)
    part.act(folder)


def lives(name: str, folder: Path, point: str | None, again: bool) -> list[str]:
    """Make a part ready, let it die at a point, let it act (`again`) to the end."""
    part = PARTS[name]
    ends = [_child(lambda: part.ready(folder))]
    if point is not None:
        ends.append(_child(lambda: _dying(part, folder, point)))
    return [*ends, _child(lambda: part.act(folder))] if again else ends


if __name__ == "__main__":
    sys.stdout.write(json.dumps([lives(name, Path(folder), point, again) for name, folder, point, again in json.load(sys.stdin)]) + "\n")
