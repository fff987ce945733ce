"""Dagster's definitions, assembled for any data root; `code_location` loads those of the environment's root."""

from collections.abc import Callable

import dagster as dg

from assets.identity import build_identity_assets
from assets.models import build_model_assets, build_shown_specs, model_group
from assets.partitions import build_partitions
from assets.raw import build_raw_assets
from assets.root import Root
from assets.session import session_resource
from checks.gate_asset import build_gate_asset, build_verdict_checks
from checks.slices import publish_run
from orchestration.alerts import build_alert
from orchestration.freshness import build_freshness_check, build_freshness_job, build_freshness_schedule
from orchestration.jobs import build_pipeline
from orchestration.rebuild import build_rebuild_job
from orchestration.schedules import build_nightly
from orchestration.sensors import build_landing_sensor
from orchestration.settings import Settings


def build_defs(root: Root, settings: Settings, on_step: Callable[[str], None] | None = None) -> dg.Definitions:
    """Assemble assets, jobs, schedule and sensors of a data root. Raises ConfigurationError where no manifest is prepared."""
    manifest = root.dbt.require_manifest()
    partitions = build_partitions(root.registry)
    versions = build_model_assets(model_group("version", manifest), partitions)
    marts = model_group("mart", manifest, publish_run)
    assets = [
        build_raw_assets(partitions),
        versions,
        build_gate_asset(partitions, versions.keys),
        build_model_assets(model_group("current", manifest), partitions),
        build_identity_assets(partitions),
        build_model_assets(marts, partitions),
    ]
    pipeline, freshness = build_pipeline(), build_freshness_job()
    return dg.Definitions(
        assets=[*assets, *build_shown_specs(manifest)],
        asset_checks=[build_verdict_checks(key for group in assets for key in group.keys), build_freshness_check(root)],
        jobs=[pipeline, freshness, build_rebuild_job(marts, root)],
        schedules=[build_nightly(pipeline, root), build_freshness_schedule(freshness)],
        sensors=[build_landing_sensor(pipeline, root), build_alert(settings)],
        resources={"session": session_resource(root, settings.lock_wait_seconds, on_step)},
        executor=dg.in_process_executor,
    )

