"""Dagster's asset checks as views of verdicts: the names are stable, a result sums up the partitions of a run.

A check shows; the verdict decides. So no check blocks in Dagster, where in a range run it would stop every facility. Metadata hold
counts and coordinates only. What belongs here: which checks a table has, and how they look in Dagster.
"""

# no `from __future__ import annotations`: Dagster reads annotations where it decorates

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

import dagster as dg

from checks.drift import CODED
from checks.ledger import ASSET as LEDGER_ASSET
from checks.new_codes import LOCAL_CODES
from checks.references import REFERENCES
from checks.schemas import RAW_TABLES, SCHEMAS, VERSION_TABLES
from checks.shares import NULL_LIMITS
from checks.silence import LateFeed
from checks.table_schema import Severity
from checks.verdict import (
    CONTROL_TOTAL,
    DRIFT,
    LEDGER,
    NEW_CODE,
    NULL_RATE,
    PLAUSIBILITY,
    RECONCILIATION,
    REFERENTIAL,
    SCHEMA,
    WORDS,
    Verdict,
)
from transforms.facilities.registry import FacilityEntry, Registry

SILENCE = "silence"
SILENCE_ASSET = dg.AssetKey(["raw", "delivery"])
SILENCE_WORDS = "Every feed has delivered since its facility's last extraction window opened."

# Metadata name the first failing partitions or feeds; all are in `control.verdict`.
NAMED = 20


def check_names(asset: str) -> tuple[str, ...]:
    """Give the checks of a table (`schema.table`), in a fixed order; none for a table that nothing is promised of."""
    if asset == LEDGER_ASSET:
        return (LEDGER,)
    if asset not in SCHEMAS:
        return ()
    names = [SCHEMA]
    if any(rule.severity is Severity.PLAUSIBLE for rule in SCHEMAS[asset].rules):
        names.append(PLAUSIBILITY)
    if asset in RAW_TABLES:
        names += {"raw.raw_unit": [RECONCILIATION], "raw.raw_delivery": [CONTROL_TOTAL]}.get(asset, [REFERENTIAL])
    if asset in VERSION_TABLES:
        resource = asset.removeprefix("canonical.").removesuffix("_version")
        by_resource = ((REFERENTIAL, REFERENCES), (NULL_RATE, NULL_LIMITS))
        names += [name for name, known in by_resource if resource in known]
        if resource in CODED or resource in NULL_LIMITS:
            names.append(DRIFT)
        if resource in LOCAL_CODES:
            names.append(NEW_CODE)
    return tuple(names)


def asset_check_specs(asset_keys: Iterable[dg.AssetKey], partitions_def: dg.PartitionsDefinition | None = None) -> list[dg.AssetCheckSpec]:
    """Give the checks of the tables among `asset_keys` (`schema/table`), none of them blocking."""
    return [
        dg.AssetCheckSpec(name, asset=key, description=WORDS[name], blocking=False, partitions_def=partitions_def)
        for key in asset_keys for name in check_names(".".join(key.path))
    ]


def asset_check_results(verdicts: Sequence[Verdict], asset_key: dg.AssetKey) -> list[dg.AssetCheckResult]:
    """Sum up the verdicts on one table: one result for each of its checks, passed where no partition failed."""
    asset = ".".join(asset_key.path)
    return [
        _result(asset_key, name, [one for one in verdicts if one.asset == asset and one.check_name == name]) for name in check_names(asset)
    ]


def silence_spec() -> dg.AssetCheckSpec:
    """Give the check of the feeds' freshness by facility, on the deliveries."""
    return dg.AssetCheckSpec(SILENCE, asset=SILENCE_ASSET, description=SILENCE_WORDS, blocking=False)


def silence_result(registry: Registry, newest: Mapping[tuple[str, str], datetime], late: Sequence[LateFeed],
                   now: datetime) -> dg.AssetCheckResult:
    """Show freshness: one line for each facility registered at `now`, those with overdue feeds first."""
    feeds = sum(len(entry.sources) for entry in _open(registry, now))
    return dg.AssetCheckResult(
        passed=not late, asset_key=SILENCE_ASSET, check_name=SILENCE, severity=dg.AssetCheckSeverity.WARN,
        description=f"{len(late):,} of {feeds:,} feeds are overdue." if late else SILENCE_WORDS,
        metadata={"overdue_feeds": len(late), "feeds": feeds,
                  "facilities": dg.MetadataValue.table(_by_facility(registry, newest, late, now))},
    )


def _by_facility(registry: Registry, newest: Mapping[tuple[str, str], datetime], late: Sequence[LateFeed],
                 now: datetime) -> list[dg.TableRecord]:
    lines: list[tuple[int, str, dict[str, str | int]]] = []
    for entry in _open(registry, now):
        overdue = [one for one in late if one.facility_id == entry.facility_id]
        times = [newest[entry.facility_id, name] for name in entry.sources if (entry.facility_id, name) in newest]
        lines.append((-len(overdue), entry.facility_id, {
            "facility": entry.facility_id, "overdue": len(overdue), "feeds": len(entry.sources),
            "overdue_feeds": ", ".join(one.source for one in overdue[:NAMED]),
            "newest_delivery": max(times).isoformat(timespec="seconds") if times else "never",
        }))
    return [dg.TableRecord(line) for _, _, line in sorted(lines, key=lambda one: one[:2])]


def _open(registry: Registry, now: datetime) -> list[FacilityEntry]:
    return [entry for entry in registry.entries if entry.valid_from <= now.astimezone(UTC).date() < entry.valid_to]


def _result(asset_key: dg.AssetKey, name: str, verdicts: Sequence[Verdict]) -> dg.AssetCheckResult:
    failing = sorted((one for one in verdicts if not one.has_passed), key=lambda one: (-one.failed_rows, one.partition))
    held = [one for one in failing if one.is_blocking]
    metadata: dict[str, int | str] = {
        "partitions": len(verdicts), "failing_partitions": len(failing), "held_partitions": len(held),
        "failed_rows": sum(one.failed_rows for one in verdicts), "total_rows": sum(one.total_rows for one in verdicts),
    }
    if failing:
        metadata["first_failing"] = ", ".join(f"{one.batch_date.isoformat()}|{one.facility_id}" for one in failing[:NAMED])
    return dg.AssetCheckResult(
        passed=not failing, asset_key=asset_key, check_name=name,
        severity=dg.AssetCheckSeverity.ERROR if held else dg.AssetCheckSeverity.WARN,
        description=_sentence(failing) if failing else WORDS[name], metadata=metadata,
    )


def _sentence(failing: Sequence[Verdict]) -> str:
    worst = failing[0]
    others = f" {len(failing) - 1:,} more partitions fail." if len(failing) > 1 else ""
    return f"{worst.facility_id} on {worst.batch_date.isoformat()}: {worst.description}{others}"
