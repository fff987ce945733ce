"""Which landed partitions no run has finished: what a nightly look finds after failed runs, crashes and missed ticks.

Landing is the truth of what arrived, the catalog of what was done. A partition is finished when a run that succeeded decoded exactly
the deliveries that are landed now.
"""

from __future__ import annotations

from assets.root import Root
from assets.stores.catalog_reading import read_catalog
from assets.stores.control import Partition


def unfinished_partitions(root: Root) -> list[Partition]:
    """Give the landed partitions whose deliveries are not all decoded, or whose last run did not succeed, by facility and date."""
    decoded: dict[tuple[str, str], set[str]] = {}
    failed: set[tuple[str, str]] = set()
    if (root.home / "catalog" / "audit.sqlite").exists():
        for row in read_catalog(root.home, "select facility_id, batch_date, delivery_id from delivery where units is not null"):
            decoded.setdefault((row["facility_id"], row["batch_date"]), set()).add(row["delivery_id"])
        failed = {(row["facility_id"], row["batch_date"]) for row in read_catalog(root.home, _NOT_SUCCEEDED)}
    return [
        (facility_id, day) for facility_id, day, names in root.landing.partitions()
        if (facility_id, day.isoformat()) in failed or decoded.get((facility_id, day.isoformat()), set()) != set(names)
    ]


_NOT_SUCCEEDED = """
select written.facility_id, written.batch_date from materialization written
join run on run.run_id = written.run_id
where written.asset = 'raw.raw_delivery' and run.state <> 'success'
"""
