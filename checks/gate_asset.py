"""The gate as an asset between version and current tables, and the last step of a run, which judges what was published.

Dagster's checks are views of the verdicts: none blocks there, where in a range run it would stop every facility.
"""

from collections.abc import Iterable, Iterator, Sequence

import dagster as dg

from assets.code_version import code_version
from assets.raw import raw_asset
from assets.session import Session
from assets.stores.crash_points import reach
from checks.asset_checks import asset_check_results, asset_check_specs, check_names
from checks.contract import column_changes, drift_events
from checks.gate import apply_gate, judge, judge_current, write_verdicts
from checks.ledger import judge_ledger
from checks.schemas import VERSION_TABLES
from checks.verdict import SCHEMA, Verdict
from checks.verdict_recording import record_holds, record_verdicts

OWNER = "platform@northstar.example"
RAW_WORDS = "Every raw table of the asset holds what it promises: columns, keys, references, and as many units as were received."
HELD, VERDICT = dg.AssetKey(["control", "held_partition"]), dg.AssetKey(["control", "verdict"])


def build_gate_asset(partitions: dg.PartitionsDefinition, version_keys: Iterable[dg.AssetKey]) -> dg.AssetsDefinition:
    """Build the gate: it judges the run's raw and version rows and holds the partitions that fail a blocking check."""
    deps = [key for key in version_keys if ".".join(key.path) in VERSION_TABLES]
    specs = [
        dg.AssetSpec(HELD, deps=deps, group_name="control", owners=[OWNER], kinds={"python"}, skippable=True,
                     code_version=code_version("checks"),
                     description="Partitions that current tables, identity and marts do not read, with the check that failed."),
        dg.AssetSpec(VERDICT, deps=deps, group_name="control", owners=[OWNER], kinds={"python"}, skippable=True,
                     code_version=code_version("checks"),
                     description="What each check says of each table and partition: the truth behind Dagster's checks."),
    ]

    @dg.multi_asset(name="gate", specs=specs, partitions_def=partitions, backfill_policy=dg.BackfillPolicy.single_run(), pool="warehouse",
                    required_resource_keys={"session"})
    def gate(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        session: Session = context.resources.session
        run = session.step("gate", list(context.partition_keys))
        with session.root.warehouse.open() as warehouse:
            verdicts = judge(warehouse, run.run_id, run.partitions)
            drifted = drift_events(column_changes(warehouse, run.run_id, run.partitions), run.run_id)
            result = apply_gate(warehouse, run.run_id, run.run_seq, verdicts)
        reach("gate.decided")
        session.verdicts.extend(verdicts)
        record_verdicts(session.root, run, verdicts)
        record_holds(session.root, run, result)
        with session.root.catalog() as catalog:
            catalog.append(drifted)
        session.finished("gate")
        failing = sum(1 for one in verdicts if not one.has_passed)
        yield dg.MaterializeResult(asset_key=HELD, metadata={"held": len(result.held), "newly_held": len(result.newly_held),
                                                             "newly_published": len(result.newly_published)})
        yield dg.MaterializeResult(asset_key=VERDICT, metadata={"verdicts": len(verdicts), "failing": failing})

    return gate


def build_verdict_checks(asset_keys: Iterable[dg.AssetKey]) -> dg.AssetChecksDefinition:
    """Build the checks of all tables: the last step of a run judges current rows and the ledger, and shows every verdict."""
    every = list(asset_keys)
    keys = [key for key in every if check_names(".".join(key.path))]
    raw_keys = [key for key in every if key.path[0] == "raw"]
    raw_specs = [dg.AssetCheckSpec(SCHEMA, asset=key, description=RAW_WORDS, blocking=False) for key in raw_keys]

    specs = [*asset_check_specs(keys), *raw_specs]

    @dg.multi_asset_check(name="verdicts", specs=specs, required_resource_keys={"session"}, can_subset=True)
    def verdicts(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        session: Session = context.resources.session
        chosen = {key.asset_key for key in context.selected_asset_check_keys}
        if session.begun is not None:
            run = session.step("verdicts", [])
            with session.root.warehouse.open() as warehouse:
                found = [*judge_current(warehouse, run.run_id, run.partitions), *judge_ledger(warehouse, run.run_id, run.partitions)]
                with warehouse.transaction():
                    write_verdicts(warehouse, run.run_id, found)
            reach("verdict.written")
            record_verdicts(session.root, run, found)
            session.verdicts.extend(found)
            session.finished("verdicts")
        for key in keys:
            if key in chosen:
                yield from asset_check_results(session.verdicts, key)
        for key in raw_keys:
            if key in chosen:
                yield _raw_result(session.verdicts, key)

    return verdicts


def _raw_result(verdicts: Sequence[Verdict], key: dg.AssetKey) -> dg.AssetCheckResult:
    """Sum up the verdicts on the raw tables of one asset."""
    mine = [one for one in verdicts if one.asset.startswith("raw.") and raw_asset(one.asset.removeprefix("raw.")) == key.path[1]]
    failing = [one for one in mine if not one.has_passed]
    held = any(one.is_blocking for one in failing)
    return dg.AssetCheckResult(
        passed=not failing, asset_key=key, check_name=SCHEMA,
        severity=dg.AssetCheckSeverity.ERROR if held else dg.AssetCheckSeverity.WARN,
        description=f"{failing[0].asset}: {failing[0].description}" if failing else RAW_WORDS,
        metadata={"verdicts": len(mine), "failing": len(failing)},
    )
