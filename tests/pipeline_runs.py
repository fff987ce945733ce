"""Runs of the real job in process, for tests: land a network, materialize partitions, with Dagster's storage in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg

from assets.root import Root
from assets.stores.control import Partition
from orchestration.landing import Arrival, arrivals_of_network, land_arrivals
from orchestration.materialize import materialize
from orchestration.settings import Settings

RECEIVED = datetime(2026, 1, 20, 6, tzinfo=UTC)


def land_network(root: Root, network: Path, *, reverse: bool = False, only: Iterable[str] | None = None) -> list[Arrival]:
    """Land a generated network, in order of time or reversed; `only` names facilities."""
    arrivals = [one for one in arrivals_of_network(network / "feeds") if only is None or one.facility_id in set(only)]
    if reverse:
        arrivals.reverse()
    land_arrivals(root, arrivals, RECEIVED)
    return arrivals


def run(root: Root, settings: Settings, partitions: Sequence[Partition], select: Sequence[str] = ()) -> None:
    """Materialize partitions; a failed run fails the test."""
    with dg.DagsterInstance.ephemeral() as instance:
        for result in materialize(root, settings, partitions, select=select, instance=instance):
            assert result.success, f"run over {result.first_key} to {result.last_key}: {result.problem}"


def landed_partitions(root: Root) -> list[Partition]:
    """Give every partition that has a delivery."""
    return [(facility, day) for facility, day, _ in root.landing.partitions()]


def days(first: date, count: int) -> list[date]:
    """Give consecutive days."""
    return [first + timedelta(days=offset) for offset in range(count)]
