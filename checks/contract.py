"""Verdict `contract`: the columns of delivered files against the feed's contract in force.

Never blocking: the rows of a file that breaks its contract are in quarantine already, its neighbours are sound. What belongs here: the
words, which name columns, and the event. Not here: what a change is (`stg_extract__column_change`) or what it does to rows.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from assets.stores.control import Partition
from assets.stores.warehouse import Warehouse, existing_tables
from checks.reading import as_day, in_run
from checks.verdict import CONTRACT, Verdict, words
from transforms.governance.events import Event, partition_subject

ASSET = "raw.raw_extract__column"
MISSING, UNFIT, ADDED, WIDENED = "missing", "unfit", "added", "widened"
BREAKING = (MISSING, UNFIT)
_PHRASES = {
    MISSING: "{source} misses {column} (contract version {version}, {rows} rows wait)",
    UNFIT: "{source} has values that {column} has no room for ({rows} rows wait)",
    ADDED: "{source} adds {column}, kept in raw only",
    WIDENED: "{source} has wider values in {column} ({rows} rows)",
}
# A header may hold anything; only what reads like a name is repeated outside the warehouse.
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.#-]{0,63}")


@dataclass(frozen=True)
class ColumnChange:
    """A column of a feed that differs from its contract in one partition, and how many rows that touches."""

    partition: Partition
    source: str
    column: str
    change: str
    rows: int
    version: str

    def words(self) -> str:
        """Say what differs and where, by name."""
        return _PHRASES[self.change].format(source=self.source, column=self.column, version=self.version, rows=f"{self.rows:,}")


def column_changes(warehouse: Warehouse, run_id: str, partitions: Collection[Partition]) -> list[ColumnChange]:
    """Read what differs in the run's partitions, worst first."""
    if not {"staging.stg_extract__column_change", "ref.contract"} <= existing_tables(warehouse):
        return []
    found = [
        ColumnChange((row["facility_id"], as_day(row["batch_date"])), row["source"], _shown(row["column_name"]), row["change"],
                     int(row["affected_rows"]), row["contract_version"])
        for row in warehouse.query(_CHANGES, [run_id]).to_pylist()
    ]
    rank = (*BREAKING, ADDED, WIDENED)
    return sorted((one for one in found if one.partition in partitions),
                  key=lambda one: (one.partition, rank.index(one.change), one.source, one.column))


def judge_contract(changes: Sequence[ColumnChange]) -> Iterator[Verdict]:
    """Give a verdict for each partition in which a file differs; it fails where rows wait for that."""
    for partition in dict.fromkeys(one.partition for one in changes):
        mine = [one for one in changes if one.partition == partition]
        breaking = [one for one in mine if one.change in BREAKING]
        said = words(CONTRACT, len(breaking), len(mine), [one.words() for one in mine])
        if not breaking:
            said = "; ".join(one.words() for one in mine) + "."
        yield Verdict(ASSET, CONTRACT, *partition, False, not breaking, len(breaking), len(mine), said)


def drift_events(changes: Sequence[ColumnChange], run_id: str) -> list[Event]:
    """Give the log's entries of files whose columns are not the contract's: one a partition and feed."""
    by_feed: dict[tuple[Partition, str], dict[str, list[str]]] = {}
    for one in changes:
        if one.change in (ADDED, MISSING):
            by_feed.setdefault((one.partition, one.source), {ADDED: [], MISSING: []})[one.change].append(one.column)
    return [
        Event("schema.drift", partition_subject(source, facility_id, day.isoformat()), {
            "facility_id": facility_id, "batch_date": day.isoformat(), "source": source, "added": found[ADDED], "missing": found[MISSING],
        }, run_id=run_id)
        for ((facility_id, day), source), found in by_feed.items()
    ]


def _shown(column: str) -> str:
    return column if _NAME.fullmatch(column) else "#unprintable"


_CHANGES = f"""
select changed.facility_id, changed.batch_date, changed.source, changed.column_name, changed.change, contract.contract_version,
  sum(changed.affected_rows) as affected_rows
from LAKE.staging.stg_extract__column_change changed
join LAKE.ref.contract contract on contract.facility_id = changed.facility_id and contract.source = changed.source
  and changed.batch_date >= contract.valid_from and changed.batch_date < contract.valid_to
where {in_run('changed')}
group by changed.facility_id, changed.batch_date, changed.source, changed.column_name, changed.change, contract.contract_version
"""
