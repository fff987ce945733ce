"""Jobs: what one click or one command runs."""

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition as AssetJob  # has no public name

from checks.asset_checks import silence_spec

__all__ = ["PIPELINE", "AssetJob", "build_pipeline"]

PIPELINE = "pipeline"


def build_pipeline() -> AssetJob:
    """Build the pipeline job: every asset of the chosen facilities and dates, raw to marts. Freshness, which asks the clock, is apart."""
    return dg.define_asset_job(
        PIPELINE, selection=dg.AssetSelection.all() - dg.AssetSelection.checks(silence_spec().key),
        description="Raw to marts for the chosen facilities and batch dates. Running it again gives the same answer.",
    )
