"""What arrives at the proof's root, and what a run leaves in the catalog: the same on either target."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from assets.accounts import project_accounts, project_slices
from assets.recording import AssetState, asset_states
from assets.root import Root
from assets.stores.control import Partition
from orchestration.landing import arrivals_of_network, land_arrivals
from orchestration.parity.sides import Ran
from tests.corrections import corrected

RECEIVED = datetime(2026, 1, 20, 6, tzinfo=UTC)
RECEIVED_AGAIN = datetime(2026, 1, 21, 6, tzinfo=UTC)


def land(root: Root, feeds: Path) -> list[Partition]:
    """Land a generated network; gives its partitions."""
    arrivals = list(arrivals_of_network(feeds))
    land_arrivals(root, arrivals, RECEIVED)
    return sorted({(one.facility_id, one.batch_date) for one in arrivals})


def deliver_again(root: Root, feeds: Path, partition: Partition) -> None:
    """Deliver a partition's files once more a day later, with its results corrected."""
    facility_id, day = partition
    for arrival in arrivals_of_network(feeds):
        if (arrival.facility_id, arrival.batch_date) == partition:
            root.landing.land(
                corrected(arrival.path.read_bytes()), facility_id=facility_id, source=arrival.source, batch_date=day,
                original_name=f"again_{arrival.path.name}", received_time=RECEIVED_AGAIN,
            )


def account(root: Root, ran: Ran) -> list[AssetState]:
    """Write a run's accounts to its side's catalog, as the last step does; give the states of what was built."""
    project_accounts(root, ran.run)
    project_slices(root, ran.run)
    # a state is given for the one schema in which the table is
    names = [(f"{schema}.{one.name}", schema) for one in ran.built for schema in ("canonical", "identity", "marts")]
    with root.warehouse.open(read_only=True) as warehouse:
        return asset_states(warehouse, ran.run, names)
