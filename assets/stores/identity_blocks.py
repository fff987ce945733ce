"""Blocks of the records in scope: replaced, counted, and what crossed its cap brought into scope.

`identity.block` is by far the largest table: it is counted and joined by keys alone, and only what is touched is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from assets.stores.identity_read import SCOPE, count
from assets.stores.identity_write import append
from assets.stores.warehouse import Warehouse

_TOUCHED = "{0}.block_key in (select block_key from identity.resolve_block where block_key is not null)"
# blocks of the scope as they are written
_NOTED = f"insert into identity.resolve_block select distinct block_rule, block_key from identity.block where patient_key in ({SCOPE})"


def replace_blocks(warehouse: Warehouse, caps: Mapping[str, int], blocks: pa.Table, everything: bool) -> int:
    """Replace the blocks of the scope by `blocks` (patient_key, block_rule, block_key); records of blocks that crossed their cap
    (`caps`: of each rule) enter the scope. Gives its final size."""
    if not everything:
        warehouse.execute(_NOTED)
        append(warehouse, "identity.resolve_block", blocks.select(["block_rule", "block_key"]))
    warehouse.execute(f"delete from identity.block where patient_key in ({SCOPE})")
    append(warehouse, "identity.block", blocks)
    cap = "case counted.block_rule " + " ".join(f"when '{rule}' then {size}" for rule, size in caps.items()) + " end"
    # nearly all blocks are small: the rule is looked up for those that may be full
    looked_at, ruled = ("", "identity.block") if everything else (f"where {_TOUCHED.format('block')}", "identity.resolve_block")
    warehouse.execute(f"""
        insert into identity.resolve_full (block_rule, block_key, patients)
        with large as (
          select block_key, count(*) as patients from identity.block block {looked_at}
          group by block_key having count(*) > {min(caps.values())}
        )
        select counted.block_rule, counted.block_key, counted.patients
        from (
          select min(ruled.block_rule) as block_rule, large.block_key, min(large.patients) as patients
          from large join {ruled} ruled on ruled.block_key = large.block_key
          group by large.block_key
        ) counted
        where counted.patients > {cap}
    """)
    before = count(warehouse, "identity.resolve_scope")
    if not everything:
        _collect_crossed(warehouse)
    warehouse.execute(f"delete from identity.full_block {'' if everything else 'where ' + _TOUCHED.format('full_block')}")
    warehouse.execute("insert into identity.full_block (block_rule, block_key, patients) "
                      "select block_rule, block_key, patients from identity.resolve_full")
    compared = count(warehouse, "identity.resolve_scope")
    if compared > before:
        warehouse.execute(_NOTED)
    return compared


def _collect_crossed(warehouse: Warehouse) -> None:
    """Bring into scope the records of touched blocks that became full or are full no longer."""
    earlier = f"select block_key from identity.full_block full_block where {_TOUCHED.format('full_block')}"
    now = "select block_key from identity.resolve_full"
    warehouse.execute(f"""
        insert into identity.resolve_scope
        select distinct block.patient_key
        from identity.block block
        join (({now} except {earlier}) union all ({earlier} except {now})) crossed
          on crossed.block_key = block.block_key
        where block.patient_key not in ({SCOPE})
    """)
