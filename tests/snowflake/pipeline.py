"""The steps of a run on one data root, as the assets take them, without Dagster: the same on either target."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from assets.accounts import project_accounts, project_slices
from assets.recording import AssetState, asset_states
from assets.root import Root, Run
from assets.stores.control import Partition
from assets.stores.dbt_runner import NodeResult
from assets.stores.identity import resolve_changes, root_settings
from checks.gate import apply_gate, hold, judge, judge_current, write_verdicts
from checks.ledger import judge_ledger
from checks.slices import publish_slices
from orchestration.landing import arrivals_of_network, land_arrivals

RECEIVED = datetime(2026, 1, 20, 6, tzinfo=UTC)
RECEIVED_AGAIN = datetime(2026, 1, 21, 6, tzinfo=UTC)


@dataclass(frozen=True)
class Ran:
    """What one run did: the nodes that dbt built, and the states of their tables as the catalog records them."""

    run: Run
    built: tuple[NodeResult, ...]
    states: tuple[AssetState, ...]


def land(root: Root, feeds: Path) -> list[Partition]:
    """Land a generated network; gives its partitions."""
    arrivals = list(arrivals_of_network(feeds))
    land_arrivals(root, arrivals, RECEIVED)
    return sorted({(one.facility_id, one.batch_date) for one in arrivals})


def deliver_again(root: Root, feeds: Path, partition: Partition) -> None:
    """Deliver a partition's files once more a day later, with its results corrected: final FHIR results amended, HL7 v2 results marked C."""
    facility_id, day = partition
    for arrival in arrivals_of_network(feeds):
        if (arrival.facility_id, arrival.batch_date) == partition:
            root.landing.land(
                corrected(arrival.path.read_bytes()), facility_id=facility_id, source=arrival.source, batch_date=day,
                original_name=f"again_{arrival.path.name}", received_time=RECEIVED_AGAIN,
            )


def corrected(content: bytes) -> bytes:
    """Correct every result of a file: FHIR Observation.status, HL7 v2 OBX-11 (table 0085). Other files stay as they are."""
    return re.sub(rb"((?:^|[\r\n])OBX\|[^\r\n]*\|)F\|", rb"\1C|", content).replace(b'"status":"final"', b'"status":"amended"')


def run(root: Root, run_id: str, partitions: Sequence[Partition], hold_by_hand: Partition | None = None) -> Ran:
    """Take the steps of a run over partitions; before the first, hold a partition by a person's order."""
    begun = root.begin(run_id, partitions)
    if hold_by_hand is not None:
        with root.warehouse.open() as warehouse:
            hold(warehouse, run_id, begun.run_seq, *hold_by_hand, "a test", "tester")
    root.raw.replace(root.warehouse.open, run_id, begun.partitions)
    built = root.build(begun, ["tag:version"])
    with root.warehouse.open() as warehouse:
        apply_gate(warehouse, run_id, begun.run_seq, judge(warehouse, run_id, begun.partitions))
    built += root.build(begun, ["tag:current"])
    with root.warehouse.open() as warehouse:
        resolve_changes(warehouse, begun.run_seq, root_settings(root.keys, root.identity_policy))
    built += root.build(begun, ["tag:mart"])
    with root.warehouse.open() as warehouse:
        publish_slices(warehouse, run_id, begun.run_seq)
    project_accounts(root, begun)
    project_slices(root, begun)
    return Ran(begun, tuple(built), tuple(_judge_published(root, begun, built)))


def _judge_published(root: Root, begun: Run, built: Sequence[NodeResult]) -> list[AssetState]:
    """Judge current rows and the ledger, as the last step does; give the states of what was built."""
    with root.warehouse.open() as warehouse:
        found = [*judge_current(warehouse, begun.run_id, begun.partitions), *judge_ledger(warehouse, begun.run_id, begun.partitions)]
        with warehouse.transaction():
            write_verdicts(warehouse, begun.run_id, found)
        # a state is given for the one schema in which the table is
        names = [(f"{schema}.{one.name}", schema) for one in built for schema in ("canonical", "identity", "marts")]
        return asset_states(warehouse, begun, names)
