"""Builds derived tables anew: what an earlier version made in a shape that cannot become the present one.

The tables are dropped with all that says what was built into them, and a run over everything that was landed fills them again. Not
here: tables that nothing lies below (deliveries, links, decisions), which no run could bring back.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from assets.idle import table_of
from assets.models import read_manifest
from assets.root import Root
from assets.stores.lock import writer_lock
from assets.stores.warehouse import Warehouse, existing_tables
from orchestration.settings import Settings
from transforms.errors import ConfigurationError
from transforms.governance.events import Event

Node = Mapping[str, Any]


def forget_tables(root: Root, settings: Settings, tables: Sequence[str]) -> None:
    """Drop the named tables (`schema.table`) and what was noted of them; the next run over everything landed fills them.

    Raises ConfigurationError, before anything is dropped, where one is no table of a `scoped` model.
    """
    nodes = {table_of(node): node for node in read_manifest(root.dbt.manifest_path)["nodes"].values()
             if node["config"].get("materialized") == "scoped"}
    unknown = sorted(set(tables) - nodes.keys())
    if unknown:
        raise ConfigurationError(f"--anew {unknown[0]}: no table that a run derives. "
                                 "Remedy: schema.table of one that is, such as canonical.patient or identity.person.")
    landed = [(facility, day) for facility, day, _ in root.landing.partitions()]
    reach = {"facilities": sorted({facility for facility, _ in landed}), "dates": sorted({day.isoformat() for _, day in landed})}
    run_id = str(uuid.uuid4())
    with writer_lock(root.home, run_id, "materialize --anew", settings.lock_wait_seconds):
        with root.catalog() as catalog:
            catalog.append([Event("backfill.start", name, {"selection": [name], **reach}, run_id=run_id) for name in sorted(set(tables))])
        with root.warehouse.open() as warehouse:
            held = existing_tables(warehouse)
            for name in tables:
                _forget(warehouse, name, nodes[name], held)


def _forget(warehouse: Warehouse, table: str, node: Node, held: frozenset[str]) -> None:
    """Forget first, drop then: a run after a crash in between derives all rows again."""
    consumers = {str(node["name"]), *node["config"].get("refills", ())}
    if "control.consumer" in held:
        for name in sorted(consumers):
            warehouse.execute("delete from LAKE.control.consumer where consumer = ?", [name])
        warehouse.execute("delete from LAKE.control.slice_state where mart = ?", [str(node["name"])])
    warehouse.execute(f"drop table if exists LAKE.{table}")
    if node["config"]["strategy"] == "merge_version":
        warehouse.execute(f"drop table if exists LAKE.{table.removesuffix('_version')}_restated")
