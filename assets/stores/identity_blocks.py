"""Blocks of the records in scope: replaced, counted, and what crossed its cap brought into scope.

`identity.block` is by far the largest table: it is read by keys alone, only what is touched is looked at, and of an increment once for what
is counted and what is paired. A block that is full already is not read: its size is kept, and what came and went is known.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from assets.stores.identity_read import SCOPE, count
from assets.stores.identity_write import append
from assets.stores.warehouse import Warehouse
from transforms.identity.blocking import COUNTING

_ROW = "patient_key, block_rule, block_key"
_SAME_ROW = "{0}.patient_key = {1}.patient_key and {0}.block_key = {1}.block_key"
_GONE = ("identity.resolve_former former where not exists "
         f"(select 1 from identity.resolve_fresh fresh where {_SAME_ROW.format('fresh', 'former')})")
_NEW = ("identity.resolve_fresh fresh where not exists "
        f"(select 1 from identity.resolve_former former where {_SAME_ROW.format('former', 'fresh')})")
_TOUCHED = "block_key in (select block_key from identity.resolve_block where block_key is not null)"


def replace_blocks(warehouse: Warehouse, caps: Mapping[str, int], blocks: pa.Table, everything: bool) -> int:
    """Replace the blocks of the scope by `blocks` (patient_key, block_rule, block_key); records of blocks that crossed their cap
    (`caps`: of each rule) enter the scope. Gives its final size. Of an increment, resolve_member holds who pairs with whom afterwards."""
    if everything:
        warehouse.execute(f"delete from identity.block where patient_key in ({SCOPE})")
        append(warehouse, "identity.block", blocks)
        _count_all(warehouse, caps)
        _keep_full(warehouse)
        return count(warehouse, "identity.resolve_scope")
    _write_changed(warehouse, blocks)
    _collect_members(warehouse, "block_key not in (select block_key from identity.full_block where block_key is not null)")
    _count_touched(warehouse, caps)
    before = count(warehouse, "identity.resolve_scope")
    _collect_crossed(warehouse)
    _keep_full(warehouse)
    compared = count(warehouse, "identity.resolve_scope")
    if compared > before:
        _collect_crossed_blocks(warehouse)
    return compared


def _write_changed(warehouse: Warehouse, blocks: pa.Table) -> None:
    """Write the blocks of the scope that are not what they were; rows of others stay where they lie."""
    warehouse.execute(f"insert into identity.resolve_former ({_ROW}) select {_ROW} from identity.block where patient_key in ({SCOPE})")
    append(warehouse, "identity.resolve_fresh", blocks)
    for table in ("former", "fresh"):
        warehouse.execute("insert into identity.resolve_block (block_rule, block_key) "
                          f"select distinct block_rule, block_key from identity.resolve_{table} where block_key not in "
                          "(select block_key from identity.resolve_block where block_key is not null)")
    warehouse.execute(f"insert into identity.resolve_moved select distinct former.patient_key from {_GONE}")
    moved = "select patient_key from identity.resolve_moved where patient_key is not null"
    if count(warehouse, "identity.resolve_moved"):
        warehouse.execute(f"delete from identity.block where patient_key in ({moved})")
    warehouse.execute(f"""
        insert into identity.block ({_ROW})
        select {_ROW} from identity.resolve_fresh where patient_key in ({moved})
        union all
        select {_ROW} from {_NEW} and fresh.patient_key not in ({moved})
    """)


def _collect_members(warehouse: Warehouse, wanted: str) -> None:
    """Collect the records of the touched blocks that `wanted` (a condition) names."""
    warehouse.execute(f"""
        insert into identity.resolve_member (patient_key, block_key)
        select patient_key, block_key from identity.block
        where block_key in (select block_key from identity.resolve_block where block_key is not null and {wanted})
    """)


def _count_touched(warehouse: Warehouse, caps: Mapping[str, int]) -> None:
    """Find the touched blocks over their cap: those that were full by what came and went, all others by their members."""
    warehouse.execute(f"""
        insert into identity.resolve_full (block_rule, block_key, patients)
        with sized as (
          select block_key, count(*) as patients from identity.resolve_member group by block_key having count(*) > {min(caps.values())}
          union all
          select block_key, sum(patients) as patients
          from (
            select block_key, patients from identity.full_block where {_TOUCHED}
            union all select fresh.block_key, 1 from {_NEW}
            union all select former.block_key, -1 from {_GONE}
          ) told
          where block_key in (select block_key from identity.full_block where block_key is not null)
          group by block_key
        )
        select ruled.block_rule, sized.block_key, sized.patients
        from sized join identity.resolve_block ruled on ruled.block_key = sized.block_key
        where sized.patients > {_cap(caps, 'ruled')}
    """)


def _count_all(warehouse: Warehouse, caps: Mapping[str, int]) -> None:
    """Find the blocks over their cap. Nearly all are small: the rule is looked up for those that may be full."""
    warehouse.execute(f"""
        insert into identity.resolve_full (block_rule, block_key, patients)
        with large as (
          select block_key, count(*) as patients from identity.block group by block_key having count(*) > {min(caps.values())}
        )
        select counted.block_rule, counted.block_key, counted.patients
        from (
          select min(ruled.block_rule) as block_rule, large.block_key, min(large.patients) as patients
          from large join identity.block ruled on ruled.block_key = large.block_key
          group by large.block_key
        ) counted
        where counted.patients > {_cap(caps, 'counted')}
    """)
    warehouse.execute("delete from identity.full_block")


def _cap(caps: Mapping[str, int], rows: str) -> str:
    return f"case {rows}.block_rule " + " ".join(f"when '{rule}' then {size}" for rule, size in caps.items()) + " end"


def _keep_full(warehouse: Warehouse) -> None:
    warehouse.execute(f"delete from identity.full_block where {_TOUCHED}")
    warehouse.execute("insert into identity.full_block (block_rule, block_key, patients) "
                      "select block_rule, block_key, patients from identity.resolve_full")


def _collect_crossed(warehouse: Warehouse) -> None:
    """Bring into scope the records of touched blocks that became full or are full no longer; the latters' members are collected."""
    shrunk = (f"select block_key from identity.full_block where {_TOUCHED} "
              "and block_key not in (select block_key from identity.resolve_full where block_key is not null)")
    if count(warehouse, f"({shrunk}) shrunk"):
        _collect_members(warehouse, f"block_key in ({shrunk})")
    warehouse.execute(f"""
        insert into identity.resolve_scope
        select distinct member.patient_key
        from identity.resolve_member member
        join (
          select block_key from identity.resolve_full
          where block_key not in (select block_key from identity.full_block where block_key is not null)
          union all
          {shrunk}
        ) crossed on crossed.block_key = member.block_key
        where member.patient_key not in ({SCOPE})
    """)


def _collect_crossed_blocks(warehouse: Warehouse) -> None:
    """Note the pairing blocks of the records that crossed blocks brought into scope, and their members; nothing of them changed."""
    warehouse.execute("delete from identity.resolve_fresh")
    warehouse.execute(f"""
        insert into identity.resolve_fresh ({_ROW})
        select patient_key, block_rule, block_key from identity.block
        where patient_key in ({SCOPE}) and block_rule not in {COUNTING}
    """)
    warehouse.execute("delete from identity.resolve_former")
    warehouse.execute(f"""
        insert into identity.resolve_former ({_ROW})
        select distinct cast(null as varchar), block_rule, block_key from identity.resolve_fresh
        where block_key not in (select block_key from identity.resolve_block where block_key is not null)
          and block_key not in (select block_key from identity.full_block where block_key is not null)
    """)
    warehouse.execute("insert into identity.resolve_block (block_rule, block_key) "
                      "select block_rule, block_key from identity.resolve_former")
    _collect_members(warehouse, "block_key in (select block_key from identity.resolve_former where block_key is not null)")
