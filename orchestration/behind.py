"""Which partitions are behind: read under registry entries or concept maps that were edited since.

Equal answers are promised once none is behind. A run over them reads them anew; what it then says otherwise is a restatement in the log.
"""

from __future__ import annotations

from datetime import date

from assets.root import Root
from assets.stores.catalog_reading import read_catalog
from assets.stores.control import Partition


def behind_partitions(root: Root) -> list[Partition]:
    """Give the partitions of registered facilities that a run has read under other rules than would hold now, by facility and date."""
    found = []
    read_under: dict[str, list[tuple[date, str | None]]] = {}
    for row in read_catalog(root.home, _READ_UNDER):
        read_under.setdefault(row["facility_id"], []).append((date.fromisoformat(row["batch_date"]), row["reading_rules"]))
    for facility_id, now in root.reading_rules(sorted(set(root.registry.facility_ids) & set(read_under))).items():
        found += sorted({(facility_id, day) for day, rules in read_under[facility_id] if now.on(day) not in (None, rules)})
    return found


_READ_UNDER = """
select distinct facility_id, batch_date, reading_rules from materialization
where asset = 'raw.raw_delivery' or asset = 'canonical.unit' or asset like 'canonical.%!_version' escape '!'
"""
