"""Raw assets: deliveries, units and the tables of each format, written by one step, partitioned by facility and batch date.

An asset is a format's table set: Dagster writes an event for each asset and partition, and twenty tables that always move together
would only multiply them. The catalog keeps every table apart.
"""

import hashlib
from collections.abc import Iterator, Sequence

import dagster as dg

from assets.metadata import columns_of_tables, states_result
from assets.recording import asset_states, record_landings, record_states
from assets.session import Session
from assets.stores.control import Partition
from assets.stores.raw import raw_tables
from transforms.decode.formats import FORMATS
from transforms.governance.projection_rows import Projection
from transforms.landing.delivery import Delivery

OWNER = "platform@northstar.example"
RAW_ASSETS = {
    "delivery": "One row for each arrival of a payload, with the units counted in its bytes.",
    "unit": "One row for each unit received, with the decoder's reason where it was refused.",
    "hl7v2": "HL7 v2 messages as sent, a table for each segment, columns named by the standard (`pid_3_1`).",
    "fhir": "FHIR R4 resources as sent, one row a resource.",
    "ccda": "C-CDA documents as sent: header, entries, their clinical statements and codings.",
    "dicom": "Data elements of DICOM files, private ones with their creator; no pixels.",
    "x12": "X12 segments as sent, and the claims, claim payments and transaction sets that they make.",
    "extract": "Rows of CSV extracts and change files as sent, with the columns of each file's header.",
}


def build_raw_assets(partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    """Build the raw layer: deliveries of the run's partitions, decoded without loss."""
    versions = ",".join(f"{kind}={FORMATS[kind].version}" for kind in sorted(FORMATS))
    code_version = hashlib.sha256(versions.encode()).hexdigest()[:12]
    every = raw_tables()
    specs = [
        dg.AssetSpec(
            ["raw", name], group_name="raw", owners=[OWNER], kinds={"python", "duckdb"}, code_version=code_version,
            description=description, skippable=True,
            metadata=columns_of_tables({table: columns for table, columns in every.items() if raw_asset(table) == name}),
        )
        for name, description in RAW_ASSETS.items()
    ]

    @dg.multi_asset(
        name="raw", specs=specs, partitions_def=partitions, backfill_policy=dg.BackfillPolicy.single_run(), pool="warehouse",
        can_subset=False, required_resource_keys={"session"},
    )
    def raw(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        session: Session = context.resources.session
        run = session.step("raw", list(context.partition_keys))
        with session.root.warehouse.hold():
            deliveries = session.root.raw.replace(session.root.warehouse.open, run.run_id, run.partitions)
            versions = {(facility, day.isoformat()): data_version(group) for (facility, day), group in deliveries.items()}
            with session.root.warehouse.open(read_only=True) as warehouse:
                states = asset_states(warehouse, run, [(f"raw.{name}", "raw") for name in raw_tables()])
                record_deliveries(session, [one for group in deliveries.values() for one in group], warehouse.query(
                    "select delivery_id, payload_id, facility_id, source, batch_date, size, received_time, received_units as units, flags "
                    "from LAKE.raw.raw_delivery delivery where exists (select 1 from LAKE.control.run_scope scope where scope.run_id = ? "
                    "and scope.facility_id = delivery.facility_id and scope.batch_date = delivery.batch_date)", [run.run_id]).to_pylist(),
                    run.partitions)
        record_states(session.root, run, states, versions)
        session.finished("raw")
        whole = hashlib.sha256("".join(versions[key] for key in sorted(versions)).encode()).hexdigest()[:16]
        for name in RAW_ASSETS:
            tables = [state for state in states if raw_asset(state.asset.removeprefix("raw.")) == name]
            yield states_result(["raw", name], tables, whole)

    return raw


def data_version(deliveries: Sequence[Delivery]) -> str:
    """Give the version of a partition's content: the set of what was delivered, not when."""
    content = sorted(f"{one.source}|{one.payload_id}|{one.ordinal}" for one in deliveries)
    return hashlib.sha256("\n".join(content).encode()).hexdigest()[:16]


def record_deliveries(session: Session, deliveries: Sequence[Delivery], rows: list[dict[str, object]],
                      partitions: Sequence[Partition]) -> None:
    """Write the arrivals of the run's partitions to the catalog: those it never heard of to the log, all as they were decoded."""
    scopes = [{"facility_id": facility, "batch_date": day.isoformat()} for facility, day in partitions]
    with session.root.catalog() as catalog:
        record_landings(catalog, session.root.home, deliveries)
        catalog.record((), [Projection("delivery", rows, scopes)])


def raw_asset(table: str) -> str:
    """Give the asset of a raw table: `raw_hl7v2__pid` belongs to `hl7v2`."""
    return table.removeprefix("raw_").split("__")[0]
