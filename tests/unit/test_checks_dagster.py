"""Dagster's checks as views of verdicts: stable names, sums over partitions, counts only."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg

from checks.asset_checks import asset_check_results, asset_check_specs, check_names, silence_result, silence_spec
from checks.schemas import SCHEMAS
from checks.silence import late_feeds
from checks.verdict import Verdict
from transforms.facilities.registry import load_registry

OBSERVATION = dg.AssetKey(["canonical", "observation_version"])
DAY = date(2026, 1, 5)


def verdict(facility: str, *, failed: int = 0, blocks: bool = True, check: str = "schema", asset: str = "canonical.observation_version",
            description: str = "in order") -> Verdict:
    """A verdict on 10 rows of a facility."""
    return Verdict(asset, check, facility, DAY, blocks, not failed, failed, 10, description)


def values(result: dg.AssetCheckResult) -> dict[str, Any]:
    """A result's metadata as plain values."""
    return {name: value.value for name, value in result.metadata.items()}


def test_check_names_are_stable() -> None:
    """The checks of each kind of table have these names, in this order: they are the history's keys in Dagster."""
    assert check_names("raw.raw_delivery") == ("schema", "control_total")
    assert check_names("raw.raw_unit") == ("schema", "reconciliation")
    assert check_names("raw.raw_hl7v2__pid") == ("schema", "referential")
    assert check_names("canonical.observation_version") == ("schema", "plausibility", "referential", "null_rate", "drift", "new_code")
    assert check_names("canonical.patient") == ("schema", "plausibility")
    assert check_names("canonical.ledger") == ("ledger",)
    assert check_names("marts.mart_daily_census") == ("schema",)
    assert check_names("staging.stg_fhir__patient") == ()


def test_specs_cover_every_promised_table_and_never_block() -> None:
    """Every table with a schema has a check in Dagster, and none of them blocks there."""
    specs = asset_check_specs(dg.AssetKey(asset.split(".")) for asset in SCHEMAS)
    assert {".".join(spec.asset_key.path) for spec in specs} == set(SCHEMAS)
    assert not any(spec.blocking for spec in [*specs, silence_spec()])
    assert len({(spec.asset_key, spec.name) for spec in specs}) == len(specs)


def test_a_result_sums_up_its_partitions() -> None:
    """Failing rows, partitions and holds are counted over the run; the worst partition is described, the failing ones are named."""
    verdicts = [
        verdict("north", failed=2, description="2 of 10: status is no code of its value set (2)."), verdict("south"),
        verdict("west", failed=1, blocks=False, description="1 of 10: x (1)."), verdict("north", failed=9, check="drift", blocks=False),
    ]
    result = asset_check_results(verdicts, OBSERVATION)[0]
    assert (result.passed, result.check_name, result.severity) == (False, "schema", dg.AssetCheckSeverity.ERROR)
    assert result.description == "north on 2026-01-05: 2 of 10: status is no code of its value set (2). 1 more partitions fail."
    assert values(result) == {
        "partitions": 3, "failing_partitions": 2, "held_partitions": 1, "failed_rows": 3, "total_rows": 30,
        "first_failing": "2026-01-05|north, 2026-01-05|west",
    }


def test_a_failure_that_holds_nothing_is_a_warning() -> None:
    """Without a blocking failure the severity is a warning, and checks nobody judged pass with no partition."""
    results = {result.check_name: result for result in asset_check_results([verdict("west", failed=1, blocks=False)], OBSERVATION)}
    assert results["schema"].severity == dg.AssetCheckSeverity.WARN
    assert results["drift"].passed
    assert values(results["drift"])["partitions"] == 0


def test_an_op_can_yield_the_results() -> None:
    """A Dagster asset that declares the checks may yield the results, and downstream assets run although one fails."""
    @dg.multi_asset(specs=[dg.AssetSpec(OBSERVATION)], check_specs=asset_check_specs([OBSERVATION]))
    def gate():  # type: ignore[no-untyped-def]  # noqa: ANN202
        yield dg.MaterializeResult(asset_key=OBSERVATION)
        yield from asset_check_results([verdict("north", failed=2)], OBSERVATION)

    @dg.asset(deps=[OBSERVATION])
    def current() -> None:
        """Stands for what reads the gate's result."""

    run = dg.materialize([gate, current])
    assert run.success
    evaluated = {one.check_name: one.passed for one in run.get_asset_check_evaluations()}
    assert evaluated == {"schema": False, "plausibility": True, "referential": True, "null_rate": True, "drift": True, "new_code": True}
    assert len(run.asset_materializations_for_node("current")) == 1


SILENCE_REGISTRY = """
registry_version: 1
first_batch_date: 2026-01-01
facilities:
- {facility_id: north, valid_from: 2026-01-01, name: N, region: w, owner: n@x.example, timezone: America/Denver, charset: utf-8,
   source_system: epic, default_authority: N, authorities: {N: 'urn:oid:2.999.1'}, sources: {adt: {kind: hl7v2}, bulk: {kind: fhir_ndjson}}}
- {facility_id: east, valid_from: 2026-01-01, name: E, region: e, owner: e@x.example, timezone: America/Denver, charset: utf-8,
   source_system: epic, default_authority: E, authorities: {E: 'urn:oid:2.999.2'}, sources: {adt: {kind: hl7v2}}}
"""


def test_silence_shows_freshness_by_facility() -> None:
    """The freshness check warns with the number of overdue feeds and a line for each facility, the worst first."""
    now = datetime(2026, 1, 9, 12, tzinfo=UTC)
    registry = load_registry(SILENCE_REGISTRY)
    newest = {("north", "adt"): now - timedelta(days=2), ("north", "bulk"): now, ("east", "adt"): now}
    late = silence_result(registry, newest, late_feeds(registry, newest, now), now)
    assert (late.passed, late.severity, late.description) == (False, dg.AssetCheckSeverity.WARN, "1 of 3 feeds are overdue.")
    assert [dict(record.data) for record in late.metadata["facilities"].records] == [
        {"facility": "north", "overdue": 1, "feeds": 2, "overdue_feeds": "adt", "newest_delivery": "2026-01-09T12:00:00+00:00"},
        {"facility": "east", "overdue": 0, "feeds": 1, "overdue_feeds": "", "newest_delivery": "2026-01-09T12:00:00+00:00"},
    ]
    newest["north", "adt"] = now
    assert silence_result(registry, newest, late_feeds(registry, newest, now), now).passed
