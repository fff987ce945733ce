"""What Dagster's events of a run say of an asset."""

from collections.abc import Iterator

import dagster as dg
import pytest

from assets.metadata import COLUMN_SCHEMA, state_result
from assets.partitions import FACILITY, FacilityDates
from assets.raw import build_raw_assets
from assets.recording import AssetState
from orchestration.run_requests import range_tags

STATE = AssetState("canonical.patient", "canonical", (("fact_key", "varchar"), ("batch_date", "date")), 3, {})
FACILITIES = ["bayside", "harbor", "mesa", "oldmill"]
KEYS = [f"2026-01-05|{name}" for name in FACILITIES]
PARTITIONS = FacilityDates({
    "date": dg.DailyPartitionsDefinition(start_date="2026-01-05", end_date="2026-01-06"), FACILITY: dg.StaticPartitionsDefinition(FACILITIES),
})


@dg.multi_asset(specs=[dg.AssetSpec(["canonical", "patient"])], partitions_def=PARTITIONS, backfill_policy=dg.BackfillPolicy.single_run())
def patient(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
    """An asset of one table."""
    yield state_result(context, STATE)


@pytest.mark.parametrize("first", [KEYS[0], KEYS[-1]])
def test_columns_are_said_once_a_run(first: str) -> None:
    """Rows are in the event of every partition of a run, columns in the newest only, which is the one that the UI shows."""
    job = dg.Definitions(assets=[patient], jobs=[dg.define_asset_job("once", selection="*")]).resolve_job_def("once")
    with dg.DagsterInstance.ephemeral() as instance:
        done = job.execute_in_process(instance=instance, tags=range_tags(first, KEYS[-1]))
    said = [event.step_materialization_data.materialization for event in done.get_asset_materialization_events()]
    assert {one.partition for one in said} == set(KEYS[KEYS.index(first):])
    assert [COLUMN_SCHEMA in one.metadata for one in said] == [False] * (len(said) - 1) + [True]
    assert all(one.metadata["dagster/row_count"].value == 3 for one in said)


def test_columns_of_raw_tables_are_the_assets_own() -> None:
    """A raw asset's definition names the columns of each of its tables with their SQL types, and of no other's."""
    columns = {key.path[1]: {one.name: one.type for one in metadata[COLUMN_SCHEMA].columns}
               for key, metadata in build_raw_assets(PARTITIONS).metadata_by_key.items()}
    assert columns["hl7v2"]["raw_hl7v2__pid.pid_3_1"] == "varchar"
    assert columns["delivery"]["raw_delivery.size"] == "bigint"
    assert columns["x12"]["raw_x12__segment.elements"] == "varchar[]"
    assert {name.split("__")[0] for name in columns["ccda"]} == {"raw_ccda"}
