"""What Dagster is told of an asset after a step: row count and column schema, never a value.

Dagster repeats the metadata of a result in the event of every partition and stores each twice. Columns are most of it, and they are the
table's, not the partition's: of a run over many partitions only the newest event says them.
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
    return dg.MaterializeResult(asset_key=key, metadata={**metadata, **_columns(context, key, columns)})


def states_result(context: dg.AssetExecutionContext, key: Sequence[str], states: Sequence[AssetState],
                  data_version: str) -> dg.MaterializeResult[None]:
    """Give the result of an asset that is several tables: rows in all, columns named `table.column`."""
    metadata = {
        "dagster/row_count": dg.MetadataValue.int(sum(state.rows for state in states)),
        "tables": dg.MetadataValue.int(len(states)),
    }
    columns = [dg.TableColumn(f"{state.asset.split('.')[1]}.{name}", kind) for state in states for name, kind in state.columns]
    return dg.MaterializeResult(
        asset_key=key, metadata={**metadata, **_columns(context, key, columns)}, data_version=dg.DataVersion(data_version)
    )


def _columns(context: dg.AssetExecutionContext, key: Sequence[str], columns: list[dg.TableColumn]) -> dict[str, dg.MetadataValue]:
    """Metadata of every partition's event: the columns where there is one, else none, and the partition whose event comes last is given
    them apart, because the UI shows the columns of an asset's newest event."""
    schema: dict[str, dg.MetadataValue] = {COLUMN_SCHEMA: dg.MetadataValue.table_schema(dg.TableSchema(columns))}
    keys = context.partition_keys
    if len(keys) == 1:
        return schema
    # The order in which Dagster writes the events: that of the same subset, made from the same range.
    whole = context.partition_key_range
    written = context.assets_def.partitions_def.empty_subset().with_partition_key_range(context.assets_def.partitions_def, whole)
    context.add_asset_metadata(schema, asset_key=key, partition_key=list(written.get_partition_keys())[-1])
    return {}
