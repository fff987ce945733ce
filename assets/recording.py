"""What a step leaves in the catalog store: a materialization of each asset and partition, with its event in the audit log.

Counts and hashes only, taken from the tables after the step's transaction. Pages and `lakehouse status` read nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assets.restating import restatements
from assets.root import Root, Run
from assets.stores.catalog import CatalogStore
from assets.stores.catalog_reading import read_catalog
from assets.stores.control import Partition
from assets.stores.warehouse import Warehouse
from transforms.governance.events import Event, partition_subject
from transforms.governance.projection_rows import Projection
from transforms.landing.delivery import Delivery

# Columns whose values identify a row's content, the first that a table has.
HASHED = ("row_hash", "current_hash", "outcome_hash", "content_hash")


def land_event(delivery: Delivery) -> Event:
    """Give the log's entry of an arrival."""
    day = delivery.batch_date.isoformat()
    return Event("land", partition_subject(delivery.source, delivery.facility_id, day), {
        "facility_id": delivery.facility_id, "batch_date": day, "source": delivery.source, "delivery_id": delivery.delivery_id,
        "payload_id": delivery.payload_id, "size": delivery.size,
    })


def record_landings(catalog: CatalogStore, home: Path, deliveries: Sequence[Delivery]) -> None:
    """Tell the catalog of arrivals that it does not know, however they came to be missing: a crash between landing and log heals so."""
    every = [land_event(one) for one in deliveries]
    logged = {row["delivery_id"] for row in read_catalog(home, _LOGGED, [json.dumps(sorted({event.subject for event in every}))])}
    shown = {row["delivery_id"] for row in read_catalog(home, _SHOWN, [json.dumps([one.delivery_id for one in deliveries])])}
    rows = [delivery_row(one) for one in deliveries if one.delivery_id not in shown]
    events = [event for event in every if event.body["delivery_id"] not in logged]
    if rows or events:
        catalog.record(events, [Projection("delivery", rows, [{"delivery_id": row["delivery_id"]} for row in rows])] if rows else [])


_LOGGED = """
select json_extract(entry.body, '$.body.delivery_id') as delivery_id from entry indexed by entry_subject
where entry.subject in (select value from json_each(?)) and entry.kind = 'land'
"""
_SHOWN = "select delivery_id from delivery where delivery_id in (select value from json_each(?))"


def delivery_row(delivery: Delivery) -> dict[str, object]:
    """Give the catalog's row of an arrival that nothing has decoded yet; the raw step replaces it."""
    return {
        "delivery_id": delivery.delivery_id, "payload_id": delivery.payload_id, "facility_id": delivery.facility_id,
        "source": delivery.source, "batch_date": delivery.batch_date, "size": delivery.size, "received_time": delivery.received_time,
        "units": None, "flags": None,
    }


@dataclass(frozen=True)
class AssetState:
    """One asset after a step: its columns (name, type), rows of the run's partitions, and rows and content hash of each partition.

    A mart's rows of a partition are those in the slices that it touched; a table without partitions counts whole for each.
    """

    asset: str
    layer: str
    columns: tuple[tuple[str, str], ...]
    rows: int
    partitions: Mapping[tuple[str, str], tuple[int, str | None]]


def asset_states(warehouse: Warehouse, run: Run, assets: Sequence[tuple[str, str]]) -> list[AssetState]:
    """Count the rows of the run's partitions in tables named (asset `schema.table`, layer)."""
    columns: dict[str, list[tuple[str, str]]] = {}
    for row in warehouse.query(
        "select table_schema, table_name, column_name, data_type from information_schema.columns "
        "where table_catalog = 'LAKE' order by table_schema, table_name, ordinal_position"
    ).to_pylist():
        name = f"{row['table_schema']}.{row['table_name']}".lower()
        columns.setdefault(name, []).append((row["column_name"].lower(), row["data_type"].lower()))
    present = {asset: (layer, tuple(columns[asset])) for asset, layer in assets if asset in columns}
    counts = _counts(warehouse, run, {asset: [name for name, _ in shown] for asset, (_, shown) in present.items()})
    return [AssetState(asset, layer, shown, *counts[asset]) for asset, (layer, shown) in present.items()]


# Rows in all, and rows and content hash by facility and batch date.
_Counts = tuple[int, Mapping[tuple[str, str], tuple[int, str | None]]]


def _counts(warehouse: Warehouse, run: Run, columns: Mapping[str, Sequence[str]]) -> dict[str, _Counts]:
    """Count tables (asset -> its columns) in one statement: that of one table after the other takes longer than the counting.

    Each part gives asset, facility, batch date (null: of all together), rows and content hash."""
    parts, bound, whole = [], list[Any](), set[str]()
    for asset, names in columns.items():
        if {"facility_id", "service_date"} <= set(names) and "batch_date" not in names:
            parts += [_OF_SLICES_TOUCHED.format(asset=asset), _OF_SLICES_BUILT.format(asset=asset)]
            mart = asset.split(".")[1]
            bound += [run.run_id, mart, mart, run.run_seq]
        elif {"facility_id", "batch_date"} <= set(names):
            hashed = next((name for name in HASHED if name in names), None)
            fingerprint = warehouse.fingerprint(f"counted.{hashed}") if hashed else "cast(null as varchar)"
            parts.append(_OF_PARTITIONS.format(asset=asset, fingerprint=fingerprint))
            bound.append(run.run_id)
        else:
            parts.append(_OF_ALL.format(asset=asset))
            whole.add(asset)
    # In all: as a part counted them, else what the table's partitions have together.
    in_all, partitions = dict[str, int](), {asset: dict[tuple[str, str], tuple[int, str | None]]() for asset in columns}
    for row in warehouse.query(" union all ".join(parts), bound).to_pylist() if parts else ():
        if row["facility_id"] is None:
            in_all[row["asset"]] = int(row["n"])
        else:
            partitions[row["asset"]][row["facility_id"], row["batch_date"][:10]] = (int(row["n"]), row["content_hash"])
    for asset in whole:
        partitions[asset] = {(facility_id, day.isoformat()): (in_all[asset], None) for facility_id, day in run.partitions}
    return {asset: (in_all.get(asset, sum(n for n, _ in counts.values())), counts) for asset, counts in partitions.items()}


_OF_PARTITIONS = """
select '{asset}' as asset, counted.facility_id as facility_id, cast(counted.batch_date as varchar) as batch_date, count(*) as n,
  {fingerprint} as content_hash
from LAKE.{asset} counted where exists (select 1 from LAKE.control.run_scope scope where scope.run_id = ?
  and scope.facility_id = counted.facility_id and scope.batch_date = counted.batch_date)
group by counted.facility_id, counted.batch_date
"""
_OF_ALL = """
select '{asset}' as asset, cast(null as varchar) as facility_id, cast(null as varchar) as batch_date, count(*) as n,
  cast(null as varchar) as content_hash
from LAKE.{asset} counted
"""
# A mart's rows: for each partition those in the slices that it ever touched, in all those of the slices that the run built.
_OF_SLICES_TOUCHED = """
select '{asset}' as asset, touched.by_facility_id as facility_id, cast(touched.by_batch_date as varchar) as batch_date, count(*) as n,
  cast(null as varchar) as content_hash
from LAKE.{asset} counted
join (select distinct slice.facility_id, slice.service_date, slice.by_facility_id, slice.by_batch_date
  from LAKE.control.touched_slice slice join LAKE.control.run_scope scope on scope.run_id = ?
  and scope.facility_id = slice.by_facility_id and scope.batch_date = slice.by_batch_date where slice.mart = ?) touched
on touched.facility_id = counted.facility_id and touched.service_date = counted.service_date
group by touched.by_facility_id, touched.by_batch_date
"""
_OF_SLICES_BUILT = """
select '{asset}' as asset, cast(null as varchar) as facility_id, cast(null as varchar) as batch_date, count(*) as n,
  cast(null as varchar) as content_hash
from LAKE.{asset} counted where exists (select 1 from LAKE.control.slice_state state where state.mart = ?
  and state.built_seq = ? and state.facility_id = counted.facility_id and state.service_date = counted.service_date)
"""


def record_states(root: Root, run: Run, states: Sequence[AssetState], data_versions: Mapping[tuple[str, str], str]) -> None:
    """Write each asset's partitions to the catalog and their events to the log, in one transaction.

    `data_versions` are those of the inputs, by partition; where not all inputs are the partition's own there is none: the run names it."""
    now = datetime.now(UTC)
    scope = [(facility_id, day.isoformat()) for facility_id, day in run.partitions]
    rules = rules_of(root, run.partitions)
    rows: list[dict[str, Any]] = []
    events: list[Event] = []
    for state in states:
        for partition in scope:
            facility_id, day = partition
            count, content_hash = state.partitions.get(partition, (0, None))
            version = data_versions.get(partition, run.run_id)
            rows.append({
                "asset": state.asset, "layer": state.layer, "facility_id": facility_id, "batch_date": day, "run_id": run.run_id,
                "code_version": root.code_version, "data_version": version, "reading_rules": rules[partition], "rows": count,
                "content_hash": content_hash, "time": now,
            })
            body: dict[str, Any] = {
                "facility_id": facility_id, "batch_date": day, "asset": state.asset, "code_version": root.code_version,
                "inputs": {"reading_rules": rules[partition]} if rules[partition] else {}, "data_version": version, "rows": count,
            }
            if content_hash:
                body["content_hash"] = content_hash
            events.append(Event("materialize", partition_subject(state.asset, facility_id, day), body, run_id=run.run_id))
    scopes = [{"asset": row["asset"], "facility_id": row["facility_id"], "batch_date": row["batch_date"]} for row in rows]
    if data_versions:
        events += restatements(root.home, rows, run.run_id)
    with root.catalog() as catalog:
        catalog.record(events, [Projection("materialization", rows, scopes)])


def rules_of(root: Root, partitions: Sequence[Partition]) -> dict[tuple[str, str], str | None]:
    """Give the digest of the rules that each partition is read under."""
    by_facility = root.reading_rules({facility_id for facility_id, _ in partitions})
    return {(facility_id, day.isoformat()): by_facility[facility_id].on(day) for facility_id, day in partitions}
