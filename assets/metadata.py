"""What Dagster is told of an asset after a step: row count and column schema, never a value.

Dagster repeats the metadata of a result in the event of every partition and stores each twice. Columns are most of it, and they are the
table's, not the partition's: of a run over many partitions only the newest event says them. Those of raw tables, 1,600 of HL7 v2 alone, are
known before any run and belong to the asset's definition: in an event they were 330 kB, read again by each step and check after it.
"""

from collections.abc import Mapping, Sequence

import dagster as dg

from assets.recording import AssetState

COLUMN_SCHEMA = "dagster/column_schema"


def state_result(context: dg.AssetExecutionContext, state: AssetState,
                 also: Mapping[str, dg.MetadataValue] | None = None) -> dg.MaterializeResult[None]:
    """Give the result of an asset that is one table; `also` is metadata of its own. Keys are Dagster's, so that the UI shows them."""
    metadata = {
        "dagster/row_count": dg.MetadataValue.int(state.rows),
        "dagster/table_name": dg.MetadataValue.text(f"LAKE.{state.asset}"),
        "partitions": dg.MetadataValue.int(len(state.partitions)),
        **(also or {}),
    }
    key = state.asset.split(".")
    columns = [dg.TableColumn(name, kind) for name, kind in state.columns]
    _tell_columns(context, key, columns)
    return dg.MaterializeResult(asset_key=key, metadata=metadata)


def states_result(key: Sequence[str], states: Sequence[AssetState], data_version: str) -> dg.MaterializeResult[None]:
    """Give the result of an asset that is several tables: rows in all."""
    metadata = {
        "dagster/row_count": dg.MetadataValue.int(sum(state.rows for state in states)),
        "tables": dg.MetadataValue.int(len(states)),
    }
    return dg.MaterializeResult(asset_key=key, metadata=metadata, data_version=dg.DataVersion(data_version))


def columns_of_tables(tables: Mapping[str, Mapping[str, str]]) -> dict[str, dg.TableSchema]:
    """Give the metadata of an asset's definition that name the columns (and SQL types) of its tables, as `table.column`."""
    return {COLUMN_SCHEMA: dg.TableSchema([
        dg.TableColumn(f"{table}.{name}", kind) for table, columns in tables.items() for name, kind in columns.items()
    ])}


def _tell_columns(context: dg.AssetExecutionContext, key: Sequence[str], columns: list[dg.TableColumn]) -> None:
    """Give the columns to the partition whose event comes last: the UI shows those of an asset's newest event."""
    # The order in which Dagster writes the events: that of the same subset, made from the same range.
    partitions = context.assets_def.partitions_def
    written = list(partitions.empty_subset().with_partition_key_range(partitions, context.partition_key_range).get_partition_keys())
    schema = dg.MetadataValue.table_schema(dg.TableSchema(columns))
    context.add_asset_metadata({COLUMN_SCHEMA: schema}, asset_key=key, partition_key=written[-1])
