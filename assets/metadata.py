"""Dagster metadata of an asset after a step: row count and column schema, never a value."""

from collections.abc import Sequence

import dagster as dg

from assets.recording import AssetState


def state_metadata(state: AssetState) -> dict[str, dg.MetadataValue]:
    """Give Dagster's own metadata keys, so that the UI shows them as row count and columns."""
    return {
        "dagster/row_count": dg.MetadataValue.int(state.rows),
        "dagster/table_name": dg.MetadataValue.text(f"LAKE.{state.asset}"),
        "dagster/column_schema": dg.MetadataValue.table_schema(
            dg.TableSchema([dg.TableColumn(name, kind) for name, kind in state.columns])
        ),
        "partitions": dg.MetadataValue.int(len(state.partitions)),
    }


def states_metadata(states: Sequence[AssetState]) -> dict[str, dg.MetadataValue]:
    """Give the metadata of an asset that is several tables: rows in all, columns named `table.column`."""
    columns = [dg.TableColumn(f"{state.asset.split('.')[1]}.{name}", kind) for state in states for name, kind in state.columns]
    return {
        "dagster/row_count": dg.MetadataValue.int(sum(state.rows for state in states)),
        "dagster/column_schema": dg.MetadataValue.table_schema(dg.TableSchema(columns)),
        "tables": dg.MetadataValue.int(len(states)),
    }
