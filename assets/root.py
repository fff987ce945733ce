"""A data root: everything that one lakehouse keeps, opened together and handed to the steps.

What belongs here: which stores make a root and what a run knows of itself. Not here: what the steps do.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path

import pyarrow as pa

from assets.code_version import code_version
from assets.stores.catalog import CatalogStore
from assets.stores.contracts import change_event, contract_changes
from assets.stores.control import (
    CONTROL_TABLES,
    SCHEMAS,
    Partition,
    begin_run,
    create_control,
    create_tables,
    ready_tables,
    replace_reference,
)
from assets.stores.dbt_runner import DbtRunner, NodeResult, project_digest
from assets.stores.durable import remove_earlier_parts
from assets.stores.keys import Keys
from assets.stores.landing import LandingStore
from assets.stores.objects import FolderObjects, ObjectStore
from assets.stores.raw import RawLoader, create_raw, raw_tables
from assets.stores.shapes import note_shaped, shaped_models
from assets.stores.signing_key import signing_key
from assets.stores.terminology import TerminologyStore
from assets.stores.warehouse import Warehouse, WarehouseStore, existing_tables
from transforms.facilities.reading_rules import ReadingRules, reading_rules
from transforms.facilities.registry import Registry
from transforms.facilities.registry_tables import registry_tables
from transforms.identity.policy import Policy
from transforms.identity.policy_file import load_policy
from transforms.identity.tables import TABLES as IDENTITY_TABLES
from transforms.identity.tables import WORK_TABLES as IDENTITY_WORK
from transforms.terminology.concept_map import MapVersion
from transforms.terminology.in_force import code_map

SETUP_TABLE = {"setup": {"digest": "varchar"}}


@dataclass(frozen=True)
class Run:
    """One run: its id, its ordinal in the warehouse and the partitions it may touch."""

    run_id: str
    run_seq: int
    partitions: tuple[Partition, ...]


@dataclass(frozen=True)
class Root:
    """The stores of one data root."""

    home: Path
    keys: Keys = field(repr=False)
    registry: Registry
    registry_text: str = field(repr=False)
    warehouse: WarehouseStore
    dbt: DbtRunner
    identity_policy: str = "strict"
    identity_model: str | None = field(default=None, repr=False)
    # Where landing and raw Parquet files are kept, if not in the root's own folders `landing` and `raw`.
    landing_objects: ObjectStore | None = None
    raw_objects: ObjectStore | None = None

    def policy(self, on: date) -> Policy:
        """Give the identity policy that holds on a day (UTC). Raises ConfigurationError where none holds yet: nobody is judged then."""
        return load_policy(self.identity_policy, on=on)

    @property
    def landing(self) -> LandingStore:
        """Payloads and deliveries."""
        return LandingStore(self.landing_objects or FolderObjects(self.home / "landing"), self.keys)

    @property
    def terminology(self) -> TerminologyStore:
        """Concept maps that were loaded."""
        return TerminologyStore(self.home / "terminology")

    def catalog(self) -> CatalogStore:
        """Open the catalog store: the audit log and what pages read."""
        folder = self.home / "catalog"
        return CatalogStore(folder / "audit.sqlite", signing_key(self.home / "keys" / "audit.pem"), folder / "anchors.jsonl")

    @property
    def raw(self) -> RawLoader:
        """The raw layer's writer."""
        return RawLoader(self.home, self.keys, self.landing, self.registry, self.raw_objects, self.warehouse.memory)

    def reading_rules(self, facility_ids: Iterable[str]) -> dict[str, ReadingRules]:
        """Under which rules facilities' batches are read, by date; worked out once (10 ms a facility) for the loaded maps."""
        maps = tuple(self.terminology.versions())
        known = self._known_rules.setdefault(maps, {})
        for facility_id in (wanted := set(facility_ids)) - known.keys():
            known[facility_id] = reading_rules(self.registry, maps, facility_id)
        return {facility_id: known[facility_id] for facility_id in wanted}

    @cached_property
    def _known_rules(self) -> dict[tuple[MapVersion, ...], dict[str, ReadingRules]]:
        return {}

    @cached_property
    def code_version(self) -> str:
        """Short digest of decoders and models: written beside what a run restates."""
        return hashlib.sha256((self.project + code_version("transforms.decode")).encode()).hexdigest()[:12]

    def begin(self, run_id: str, partitions: Iterable[Partition]) -> Run:
        """Prepare the root where it is new or the code changed, and record the run in the warehouse."""
        scope = tuple(sorted(set(partitions)))
        with self.warehouse.open() as warehouse:
            create_tables(warehouse, "control", SETUP_TABLE)
            if warehouse.query("select digest from LAKE.control.setup").to_pylist() == [{"digest": self._setup_digest}]:
                return Run(run_id, begin_run(warehouse, run_id, scope), scope)
            for folder in ("landing", "terminology"):
                remove_earlier_parts(self.home / folder, time.time())
            create_control(warehouse)
            create_raw(warehouse)
            changes = contract_changes(warehouse, self.registry)
            identity = {name.removeprefix("identity."): dict(columns) for name, columns in (IDENTITY_TABLES | IDENTITY_WORK).items()}
            ready_tables(warehouse, "identity", identity)
            replace_reference(warehouse, self._reference())
            _drop_views(warehouse)
        # Before the registry counts as taken over: a crash in between tells of a change twice, never not at all.
        if changes:
            with self.catalog() as catalog:
                catalog.append([change_event(one, run_id) for one in changes])
        self.dbt.build(["tag:seed"], self.warehouse.environment())
        with self.warehouse.open() as warehouse:
            run = Run(run_id, begin_run(warehouse, run_id, scope), scope)
            with warehouse.transaction():
                # as the next run's: one that changes meanwhile is news even to what this run has built already
                warehouse.execute("insert into LAKE.control.change_log (run_seq, object) values (?, 'reference')", [run.run_seq + 1])
                warehouse.execute("delete from LAKE.control.setup")
                warehouse.execute("insert into LAKE.control.setup (digest) values (?)", [self._setup_digest])
            return run

    def build(self, run: Run, unique_ids: Iterable[str]) -> list[NodeResult]:
        """Run dbt models in a run's scope; what an earlier project built is brought to its shape first."""
        with self.warehouse.hold():
            with self.warehouse.open() as warehouse:
                shaped = shaped_models(warehouse, self.project)
            results = self.dbt.build_nodes(unique_ids, {
                **self.warehouse.environment(),
                "LAKEHOUSE_RUN_ID": run.run_id,
                "LAKEHOUSE_RUN_SEQ": str(run.run_seq),
                "LAKEHOUSE_CODE_VERSION": self.code_version,
                "LAKEHOUSE_SLICES_ARE_JUDGED": "yes",
                "LAKEHOUSE_SHAPED": ",".join(sorted(shaped)),
            })
            built = {one.name for one in results if one.resource_type == "model" and one.status == "success"} - shaped
            if built:
                with self.warehouse.open() as warehouse:
                    note_shaped(warehouse, self.project, built)
        return results

    @cached_property
    def project(self) -> str:
        """Digest of the dbt project."""
        return project_digest()

    @cached_property
    def _setup_digest(self) -> str:
        tables = repr((CONTROL_TABLES, IDENTITY_TABLES, IDENTITY_WORK, raw_tables()))
        parts = (self.project, self.registry_text, tables, self.terminology.digest)
        return hashlib.sha256("".join(parts).encode()).hexdigest()

    def _reference(self) -> dict[str, pa.Table]:
        """The registry's tables, its code maps together with those that were loaded."""
        maps = self.terminology.concept_maps()
        return {**registry_tables(self.registry), "code_map": code_map(self.registry, maps), "concept_map": maps}



def _drop_views(warehouse: Warehouse) -> None:
    """Drop the project's views, so that one that exists is known to be of the present project."""
    for view in sorted(existing_tables(warehouse, "VIEW")):
        if view.split(".")[0] in SCHEMAS:
            warehouse.execute(f"drop view if exists LAKE.{view}")
