"""Identity assets: the patients that a run changed, resolved against everyone, in one transaction."""

from collections.abc import Iterator
from datetime import date

import dagster as dg

from assets.code_version import code_version
from assets.metadata import state_result
from assets.recording import asset_states, record_states
from assets.root import Root
from assets.session import Session
from assets.stores.crash_points import reach
from assets.stores.identity import Settings, resolve_changes, root_settings
from assets.stores.identity_questions import incomparable
from transforms.identity.tables import TABLES

OWNER = "identity@northstar.example"
IDENTITY_ASSETS = {
    "link": "Which person each patient record belongs to now, with rule, score and policy.",
    "review_pair": "Pairs of records that wait for a steward.",
}


def resolution_settings(root: Root, on: date) -> Settings:
    """Settings by which a run of the root resolves: the policy that holds on the day (UTC) on which the run began, the root's model, a salt
    that only its key tells. Raises ConfigurationError where no policy holds yet."""
    return root_settings(root.keys, root.policy(on), model_text=root.identity_model)


def build_identity_assets(partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    """Build the tables that the identity engine writes."""
    read = (["identity", "patient_features"], ["canonical", "patient_survivor"], ["canonical", "patient"])
    deps = [dg.AssetKey(key) for key in read]
    specs = [
        dg.AssetSpec(["identity", name], deps=deps, group_name="identity", owners=[OWNER], kinds={"python", "duckdb"}, skippable=True,
                     code_version=code_version("transforms.identity"), description=description)
        for name, description in IDENTITY_ASSETS.items()
    ]

    @dg.multi_asset(
        name="identity", specs=specs, partitions_def=partitions, backfill_policy=dg.BackfillPolicy.single_run(), pool="warehouse",
        required_resource_keys={"session"},
    )
    def identity(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        session: Session = context.resources.session
        run = session.step("identity", list(context.partition_keys))
        with session.root.warehouse.open() as warehouse:
            resolve_changes(warehouse, run.run_seq, resolution_settings(session.root, session.started.date()))
            reach("identity.resolved")
            alone = incomparable(warehouse)
            states = asset_states(warehouse, run, [(name, "identity") for name in TABLES])
        record_states(session.root, run, states, {})
        session.finished("identity")
        for state in states:
            if state.asset.removeprefix("identity.") not in IDENTITY_ASSETS:
                continue
            also = {"records with nothing to compare": dg.MetadataValue.int(alone)} if state.asset == "identity.link" else None
            yield state_result(context, state, also)

    return identity
