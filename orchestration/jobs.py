"""Jobs: what one click or one command runs."""

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition as AssetJob  # has no public name

__all__ = ["PIPELINE", "AssetJob", "build_jobs"]

PIPELINE = "pipeline"


def build_jobs() -> list[AssetJob]:
    """Build the pipeline job: every asset of the chosen facilities and dates, raw to marts."""
    return [
        dg.define_asset_job(
            PIPELINE, selection=dg.AssetSelection.all(),
            description="Raw to marts for the chosen facilities and batch dates. Running it again gives the same answer.",
        )
    ]
