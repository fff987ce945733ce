"""Everybody compared anew, held against what stood: the check that the increments were right.

What stood is kept in tables of its own (`identity.resolve_before_*`) from before the resolution until it was compared, so that both engines
compare sets, however many records there are. What differs is counted by table, and records whose person differs are named by their keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from assets.stores.identity import Resolution, Settings, resolve_full
from assets.stores.identity_read import count
from assets.stores.warehouse import Warehouse

# what a full run must find as the increments left it; run numbers and history are no part of it
COMPARED = {
    "link": "patient_key, person_id, link_rule, score, policy_version",
    "edge": "patient_key_l, patient_key_r, rule_or_model, score, zone, veto",
    "review_pair": "patient_key_l, patient_key_r, reason, rule_or_model, score, veto, policy_version",
    "node": "patient_key, component_key, features_hash, model_version, policy_version",
    "block": "patient_key, block_rule, block_key",
    "full_block": "block_rule, block_key, patients",
}


@dataclass(frozen=True)
class Difference:
    """A table of the person index: rows that stand now, rows that stood before and are gone, rows that came."""

    table: str
    rows: int
    gone: int
    came: int


@dataclass(frozen=True)
class Rebuilt:
    """What a full run found: its counts, each table's difference, and up to `shown` records whose person differs (keys only)."""

    resolution: Resolution
    differences: list[Difference]
    moved: list[dict[str, object]]

    @property
    def is_same(self) -> bool:
        """Nothing differs."""
        return not any(one.gone or one.came for one in self.differences)


def rebuild(warehouse: Warehouse, run_seq: int, settings: Settings, on_step: Callable[[str], None], shown: int = 20) -> Rebuilt:
    """Resolve everybody anew, in one transaction as any resolution, and say what differs from what stood."""
    on_step("keeping what stands")
    with _kept(warehouse):
        on_step("comparing and clustering everybody, the longest part")
        resolution = resolve_full(warehouse, run_seq, settings)
        on_step("holding what stood against it")
        return Rebuilt(resolution, [_difference(warehouse, *one) for one in COMPARED.items()], _moved(warehouse, shown))


@contextmanager
def _kept(warehouse: Warehouse) -> Iterator[None]:
    """Keep what stands until it was compared. DDL: outside any transaction."""
    try:
        for table, columns in COMPARED.items():
            # what a killed rebuild left is of no use
            warehouse.execute(f"drop table if exists identity.resolve_before_{table}")
            warehouse.execute(f"create table identity.resolve_before_{table} as select {columns} from identity.{table}")
        yield
    finally:
        for table in COMPARED:
            warehouse.execute(f"drop table if exists identity.resolve_before_{table}")


def _difference(warehouse: Warehouse, table: str, columns: str) -> Difference:
    before, now = (f"select {columns} from identity.{name}" for name in (f"resolve_before_{table}", table))
    gone, came = (count(warehouse, f"({one} except {other}) different") for one, other in ((before, now), (now, before)))
    return Difference(table, count(warehouse, f"identity.{table}"), gone, came)


def _moved(warehouse: Warehouse, shown: int) -> list[dict[str, object]]:
    found: list[dict[str, object]] = warehouse.query(f"""
        select coalesce(was.patient_key, link.patient_key) as patient_key, was.person_id as person_before, link.person_id as person_now
        from identity.resolve_before_link was full join identity.link link on link.patient_key = was.patient_key
        where coalesce(was.person_id, '') <> coalesce(link.person_id, '')
        order by 1 limit {shown}
    """).to_pylist()
    return found
