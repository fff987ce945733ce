"""dbt models as assets, in the three groups that a run builds: version, current, mart."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings

from assets.accounts import project_accounts, project_slices
from assets.idle import idle_models
from assets.metadata import state_result
from assets.raw import raw_asset
from assets.recording import AssetState, asset_states, record_states
from assets.restating import landed_versions
from assets.root import Run
from assets.session import Session
from assets.stores.crash_points import reach

STAGING = "staging"
OWNERS = {
    "staging": "mapping@northstar.example", "canonical": "mapping@northstar.example", "identity": "identity@northstar.example",
    "marts": "analytics@northstar.example", "ref": "platform@northstar.example",
}


class LayerTranslator(DagsterDbtTranslator):
    """Names dbt nodes as assets: key `schema/table`, group by schema, code version by the model's checksum."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """Key of a model, seed or source."""
        if dbt_resource_props["resource_type"] == "source" and dbt_resource_props["source_name"] == "raw":
            return dg.AssetKey(["raw", raw_asset(dbt_resource_props["name"])])
        if dbt_resource_props["resource_type"] == "source":
            return dg.AssetKey([dbt_resource_props["source_name"], dbt_resource_props["name"]])
        return dg.AssetKey([dbt_resource_props["schema"], dbt_resource_props.get("alias") or dbt_resource_props["name"]])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """Group by layer."""
        return str(dbt_resource_props["schema"])

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:
        """Owner of the layer, or the one the model names."""
        meta = dbt_resource_props.get("config", {}).get("meta", {}) or dbt_resource_props.get("meta", {})
        owner = str(meta.get("owner", ""))
        return [owner if "@" in owner else OWNERS.get(str(dbt_resource_props["schema"]), OWNERS["ref"])]

    def get_code_version(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """Version of the model's own SQL; sources have none."""
        checksum = dbt_resource_props.get("checksum")
        return str(checksum["checksum"])[:12] if checksum else None

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The YAML's description."""
        return str(dbt_resource_props.get("description") or "")


@lru_cache(maxsize=1)
def translator() -> LayerTranslator:
    """Give the translator; dbt tests are no asset checks, since they know no partitions.

    There is one, since it remembers the specs that it made of a manifest: those of all upstream nodes with each."""
    return LayerTranslator(DagsterDbtTranslatorSettings(enable_asset_checks=False, enable_duplicate_source_asset_keys=True))


@lru_cache(maxsize=4)
def read_manifest(path: Path) -> dict[str, Any]:
    """Read dbt's manifest, once for all groups."""
    manifest: dict[str, Any] = json.loads(path.read_text())
    return manifest


def staging_of(manifest: Mapping[str, Any], nodes: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Give the staging models that models read, directly or through other staging models."""
    found: dict[str, Mapping[str, Any]] = {}
    waiting = [name for node in nodes for name in node["depends_on"]["nodes"]]
    while waiting:
        name = waiting.pop()
        node = manifest["nodes"].get(name)
        if node is not None and name not in found and node["schema"] == STAGING:
            found[name] = node
            waiting += node["depends_on"]["nodes"]
    return list(found.values())


def is_shown_only(node: Mapping[str, Any]) -> bool:
    """Say whether a model is shown as an asset but never materialized by itself: staging, views and touches.

    They hold the run's rows only, or none, and are rebuilt with what reads them; an event for each of them and each partition would
    double what Dagster has to write in a run over many facilities.
    """
    config = node["config"]
    return bool(node["schema"] == STAGING or config["materialized"] == "view" or config.get("strategy") == "append_touches")


def topological_order(manifest: Mapping[str, Any]) -> dict[str, int]:
    """Give each node's place in an order in which nothing comes before what it reads."""
    graph = {name: node["depends_on"].get("nodes", ()) for name, node in manifest["nodes"].items()}
    return {name: place for place, name in enumerate(TopologicalSorter(graph).static_order())}


def build_shown_specs(manifest_path: Path) -> list[dg.AssetSpec]:
    """Give the models that are shown only, so that the graph leads through them."""
    manifest = read_manifest(manifest_path)
    translate = translator()
    return [
        translate.get_asset_spec(manifest, name, None)
        for name, node in sorted(manifest["nodes"].items())
        if node["resource_type"] == "model" and is_shown_only(node)
    ]


@dataclass(frozen=True)
class ModelGroup:
    """The models of one group (tag `version`, `current` or `mart`) and how a run builds them: one dbt invocation in process.

    `nodes` are those that runs materialize, by asset key; `shown_only` are built with them. `publish` is called when the models are
    built and before anything is recorded: it decides what of them is published.
    """

    name: str
    manifest: Mapping[str, Any]
    nodes: Mapping[dg.AssetKey, Mapping[str, Any]]
    shown_only: Sequence[Mapping[str, Any]]
    publish: Callable[[Session, Run], None] | None = None

    def build(self, session: Session, run: Run, keys: Iterable[dg.AssetKey]) -> list[tuple[AssetState, float]]:
        """Build the models of `keys` in the run's scope; gives their states with the seconds each took, in topological order."""
        chosen = [self.nodes[key] for key in keys if key in self.nodes]
        work = [*staging_of(self.manifest, chosen), *self.shown_only, *chosen]
        # Dagster wants results in topological order; a model that was left out is as it was, which is a result too.
        order = topological_order(self.manifest)
        ordered = sorted(chosen, key=lambda node: order[node["unique_id"]])
        named = [(f"{node['schema']}.{node.get('alias') or node['name']}", str(node["schema"])) for node in ordered]
        idle = [node["unique_id"] for node in idle_models(session.root, run, work)]
        busy = [node for node in work if node["unique_id"] not in idle]
        results = session.root.build(run, [node["unique_id"] for node in busy]) if busy else []
        reach(f"{self.name}.built")
        if self.publish is not None:
            self.publish(session, run)
        with session.root.warehouse.open(read_only=True) as warehouse:
            states = asset_states(warehouse, run, named)
        # Version tables hold what a partition's own deliveries say; later ones also what others said.
        record_states(session.root, run, states, landed_versions(session.root.home, run.partitions) if self.name == "version" else {})
        seconds = {result.name: result.seconds for result in results}
        return [(state, seconds.get(state.asset.split(".")[1], 0.0)) for state in states]


def model_group(name: str, manifest_path: Path, publish: Callable[[Session, Run], None] | None = None) -> ModelGroup:
    """Read a group's models from the manifest."""
    manifest = read_manifest(manifest_path)
    translate = translator()
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model" and name in node["config"]["tags"]]
    nodes = {translate.get_asset_key(node): node for node in models if not is_shown_only(node)}
    return ModelGroup(name, manifest, nodes, [node for node in models if node["schema"] != STAGING and is_shown_only(node)], publish)


def build_model_assets(group: ModelGroup, partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    """Build the assets of a group.

    Not by `dbt_assets`, which asks dbt's selectors for the models that are known here: half of the time that definitions took."""
    translate = translator()
    specs = [translate.get_asset_spec(group.manifest, str(node["unique_id"]), None) for node in group.nodes.values()]

    @dg.multi_asset(
        name=f"{group.name}_models", specs=specs, partitions_def=partitions, pool="warehouse",
        backfill_policy=dg.BackfillPolicy.single_run(), can_subset=True, required_resource_keys={"session"},
    )
    def models(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        session: Session = context.resources.session
        run = session.step(group.name, list(context.partition_keys))
        with session.root.warehouse.hold():
            states = group.build(session, run, context.selected_asset_keys)
            if group.name == "current":
                reach("current.recorded")
                project_accounts(session.root, run)
            elif group.name == "mart":
                project_slices(session.root, run)
        session.finished(group.name)
        for state, seconds in states:
            yield state_result(context, state, {"seconds": dg.MetadataValue.float(seconds)})

    return models
