"""A scratch warehouse for tests of SQL models: encrypted DuckDB, raw, ref and control tables, dbt in process.

`scratch` gives an empty one for each test. Only the parts of the dbt project that a test module names in `DBT_PARTS`
(folders under `models/`) are parsed, with all macros, seeds and sources: a test of one dialect needs no other.

    DBT_PARTS = ("staging/hl7v2",)

    def test_x(scratch):
        scratch.register(REGISTRY_YAML)
        scratch.deliver("clinic", "adt", "2026-01-05", payload)      # through the real decoders
        scratch.load("raw_hl7v2__msh", [{...}])                      # or rows as given
        scratch.build("stg_hl7v2__patient")                          # for all partitions delivered or loaded
        assert scratch.rows("select active from staging.stg_hl7v2__patient") == [{"active": True}]
        assert scratch.evaluate("{{ is_date_format('f') }}", [{"f": "%Y"}]) == [True]
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from assets.stores.control import begin_run, create_control, create_tables, replace_reference
from assets.stores.duckdb_warehouse import DuckDBStore, DuckDBWarehouse
from assets.stores.keys import Keys
from transforms.decode.raw_schema import raw_table_columns, raw_table_names
from transforms.facilities.registry import load_registry
from transforms.facilities.registry_tables import registry_schema, registry_tables
from transforms.landing.delivery import Delivery
from transforms.landing.payload import Payload, payload_id

PROJECT = Path(__file__).parents[2] / "transforms" / "dbt"
REF_TABLES = (
    "facility", "authority", "source", "source_column", "contract", "value_map", "null_marker", "code_map", "fhir_base_url",
    "extension", "authority_by_oid", "issuer",
)
RECEIVED = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


@dataclass
class DbtProject:
    """A part of the dbt project, parsed once."""

    folder: Path
    manifest: Any = None
    target: str = "local"

    def invoke(self, arguments: Sequence[str], environment: dict[str, str]) -> Any:
        """Run one dbt command in process and give its result; AssertionError with dbt's message where it fails."""
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager
        from dbt.cli.main import dbtRunner

        where = ["--project-dir", str(self.folder), "--profiles-dir", str(self.folder),
                 "--target", self.target, "--target-path", str(self.folder / self.target)]
        flags = ["--quiet", "--no-print", "--log-level", "none", "--log-level-file", "none",
                 "--log-path", str(self.folder / "logs")]
        before = dict(os.environ)
        os.environ.update(environment)
        try:
            if self.manifest is None:
                parsed = dbtRunner().invoke([*flags, "parse", *where])
                assert parsed.success, parsed.exception
                self.manifest = parsed.result
            outcome = dbtRunner(manifest=self.manifest).invoke([*flags, *arguments, *where])
        finally:
            DuckDBConnectionManager.close_all_connections()
            os.environ.clear()
            os.environ.update(before)
        results = getattr(outcome.result, "results", [])
        failures = [f"{one.node.name}: {one.message}" for one in results if one.status in ("error", "fail")]
        assert outcome.success, "\n".join(failures) or outcome.exception
        return outcome.result


@dataclass
class Scratch:
    """One test's warehouse."""

    store: DuckDBStore
    project: DbtProject
    run_id: str = "run-1"
    partitions: set[tuple[str, date]] = field(default_factory=set)
    ordinals: dict[tuple[str, ...], int] = field(default_factory=dict)
    registry: Any = None
    pending: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """Variables that the dbt profile and the scope macros read."""
        return {**self.store.environment(), "LAKEHOUSE_RUN_ID": self.run_id, "LAKEHOUSE_RUN_SEQ": "1"}

    def register(self, registry_yaml: str) -> None:
        """Make a facilities registry the one in force, also in schema `ref`."""
        self.registry = load_registry(registry_yaml)
        with self.store.open() as warehouse:
            replace_reference(warehouse, registry_tables(self.registry))

    def deliver(self, facility_id: str, source: str, batch_date: str, payload: bytes, name: str = "input",
                received: datetime = RECEIVED) -> Delivery:
        """Decode a payload as if it had been landed and load its raw rows; equal payloads become further deliveries."""
        from transforms.decode.contract import Delivered
        from transforms.decode.formats import FORMATS

        day = date.fromisoformat(batch_date)
        arrival = (facility_id, source, batch_date, name, payload_id(payload))
        self.ordinals[arrival] = self.ordinals.get(arrival, 0) + 1
        delivery = Delivery(*arrival[:2], day, *arrival[3:], self.ordinals[arrival], received, len(payload))
        entry = self.registry.entry(facility_id, day)
        feed = entry.sources[source]
        decoded = FORMATS[feed.kind].decode([Delivered(delivery.delivery_id, Payload.of(payload), feed, entry)])
        for table, rows in {"raw_unit": decoded.units, **decoded.records}.items():
            self.load(table, rows.to_pylist(), delivery)
        return delivery

    def load(self, table: str, rows: Sequence[dict[str, Any]], delivery: Delivery | None = None) -> None:
        """Add raw rows; columns left out are null, what the loader adds is added where a row has it not."""
        complete = [_with_coordinates(row, delivery) for row in rows]
        self.partitions |= {(row["facility_id"], row["batch_date"]) for row in complete}
        self.pending.setdefault(table, []).extend(complete)

    def _flush(self) -> None:
        """Write what was loaded: opening the warehouse is dear, so it is done once for all rows."""
        with self.store.open() as warehouse:
            for table, rows in self.pending.items():
                columns = raw_table_columns(table)
                arrays = {name: pa.array([row.get(name) for row in rows], _ARROW_TYPES[kind])
                          for name, kind in columns.items()}
                warehouse.load(f"raw.{table}", pa.table(arrays))
            begin_run(warehouse, self.run_id, self.partitions)
        self.pending = {}

    def build(self, *select: str) -> None:
        """Run models, in scope of all partitions that were loaded."""
        self._flush()
        self.project.invoke(["run", "--select", *select], self.environment)

    def compiled(self, jinja: str) -> str:
        """SQL of a Jinja text, rendered with the project's macros for the local target."""
        result = self.project.invoke(["compile", "--inline", jinja], self.environment)
        return str(result.results[0].node.compiled_code)

    def evaluate(self, expression: str, rows: Sequence[dict[str, str | None]]) -> list[Any]:
        """Value of a Jinja-SQL expression over rows of text columns, in row order."""
        sql = self.compiled(f"select {expression} as answer from given order by given.place")
        texts = {name: pa.array([row[name] for row in rows], pa.string()) for name in rows[0]}
        given = pa.table({"place": pa.array(range(len(rows))), **texts})
        with self.store.open() as warehouse:
            warehouse.connection.register("given", given)
            return [row["answer"] for row in warehouse.query(sql).to_pylist()]

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Rows of a query; tables are named `schema.table`."""
        with self.store.open() as warehouse:
            return [dict(row) for row in warehouse.query(sql).to_pylist()]


_ARROW_TYPES = {
    "varchar": pa.string(), "varchar[]": pa.list_(pa.string()), "date": pa.date32(), "timestamp": pa.timestamp("us"),
    "integer": pa.int32(), "bigint": pa.int64(), "boolean": pa.bool_(),
}


def _with_coordinates(row: dict[str, Any], delivery: Delivery | None) -> dict[str, Any]:
    known: dict[str, Any] = {
        "facility_id": "clinic", "batch_date": date(2026, 1, 5), "source": "feed", "payload_id": "payload",
        "received_time": RECEIVED.replace(tzinfo=None), "delivery_id": "delivery", "unit_ordinal": 1,
    }
    if delivery is not None:
        names = ("facility_id", "batch_date", "source", "payload_id", "delivery_id")
        known |= {name: getattr(delivery, name) for name in names}
        known["received_time"] = delivery.received_time.replace(tzinfo=None)
    merged = {**known, **row}
    merged.setdefault("unit_id", _md5(f"{merged['delivery_id']}|{merged['unit_ordinal']}"))
    merged.setdefault("record_id", _md5(f"{merged['delivery_id']}|{merged.get('record_locator')}"))
    return merged


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _project_of(parts: Sequence[str], folder: Path) -> DbtProject:
    (folder / "models").mkdir(parents=True)
    for name in ("dbt_project.yml", "profiles.yml", "macros", "seeds", "models/sources.yml"):
        (folder / name).symlink_to(PROJECT / name)
    for model in (file for part in parts for file in (PROJECT / "models" / part).rglob("*") if file.is_file()):
        link = folder / model.relative_to(PROJECT)  # dbt does not follow a link to a folder
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(model)
    return DbtProject(folder)


def _empty_tables(warehouse: DuckDBWarehouse) -> None:
    create_control(warehouse)
    create_tables(warehouse, "raw", {name: raw_table_columns(name) for name in raw_table_names()})
    replace_reference(warehouse, {name: registry_schema(name).empty_table() for name in REF_TABLES})


@pytest.fixture(scope="session")
def _templates() -> dict[tuple[str, ...], Scratch]:
    """Templates by the parts of the project that they have: parsing and seeding is dear, so modules of equal parts share."""
    return {}


@pytest.fixture(scope="module")
def _template(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory,
              _templates: dict[tuple[str, ...], Scratch]) -> Scratch:
    parts = tuple(getattr(request.module, "DBT_PARTS", ()))
    if parts not in _templates:
        folder = tmp_path_factory.mktemp("sql")
        made = Scratch(DuckDBStore(folder / "root", Keys(bytes(range(32)))), _project_of(parts, folder / "dbt"))
        with made.store.open() as warehouse:
            _empty_tables(warehouse)
        made.project.invoke(["seed"], made.environment)
        _templates[parts] = made
    return _templates[parts]


def _copy(template: Scratch, folder: Path) -> Scratch:
    store = DuckDBStore(folder, template.store.keys)
    store.path.parent.mkdir(parents=True)
    shutil.copyfile(template.store.path, store.path)
    return Scratch(store, template.project)


@pytest.fixture
def scratch(_template: Scratch, tmp_path: Path) -> Iterator[Scratch]:
    """Give an empty scratch warehouse: a copy of the module's template, seeds loaded."""
    yield _copy(_template, tmp_path / "root")
    shutil.rmtree(tmp_path / "root")


@pytest.fixture(scope="module")
def shared_scratch(_template: Scratch, tmp_path_factory: pytest.TempPathFactory) -> Scratch:
    """Give one scratch warehouse to all tests of a module: build once, look at it many times."""
    return _copy(_template, tmp_path_factory.mktemp("shared") / "root")


@pytest.fixture(scope="session")
def marts_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the marts' own dbt project, parsed once by the first that uses it."""
    return tmp_path_factory.getbasetemp() / "marts_project"


@pytest.fixture
def world(tmp_path: Path, marts_project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A `MartsWorld`: a warehouse with empty current tables."""
    from tests.sql.marts_world import MartsWorld

    scratch = MartsWorld(tmp_path, marts_project, monkeypatch)
    yield scratch
    scratch.close()


@pytest.fixture(scope="session")
def identity_project(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """Folder and manifest of identity's own dbt project, parsed once."""
    from tests.sql.identity_models import write_project

    folder = tmp_path_factory.mktemp("identity") / "dbt"
    return folder, write_project(folder)


@pytest.fixture
def models(identity_project: tuple[Path, Any], tmp_path: Path) -> Any:
    """A `Models`: a fresh warehouse for identity's models."""
    from tests.sql.identity_models import Models

    return Models(DuckDBStore(tmp_path / "root", Keys(bytes(range(32)))), *identity_project)
