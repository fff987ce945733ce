"""Which records a resolution compares, reads and clusters anew: sets in the warehouse.

Three growing sets live in helper tables that are empty between resolutions: the *scope* (records to compare: changed content, changed
decisions, blocks that crossed their cap), the *readable* records (partners of the scope and their components) and the *affected*
ones (all components that the changes touch). Text that both engines run; keys never leave the warehouse except as Arrow.
"""

from __future__ import annotations

import pyarrow as pa

from assets.stores.warehouse import Warehouse
from transforms.identity.model import IdentityModel
from transforms.identity.policy import Policy
from transforms.identity.records import FEATURE_SCHEMA, FULL_BLOCK_SCHEMA, blocks_of
from transforms.identity.resolution import DECIDED, EDGE_SCHEMA, KEY_SCHEMA, LINK_SCHEMA

_DECIDED = ", ".join(f"'{rule}'" for rule in DECIDED)
_SCOPE = "select patient_key from identity.resolve_scope"
_AFFECTED = "select patient_key from identity.resolve_affected"
_FEATURES = f"select {', '.join(FEATURE_SCHEMA.names)} from identity.patient_features"
_SAME_PAIR = "{a}.patient_key_l = {b}.patient_key_l and {a}.patient_key_r = {b}.patient_key_r"

# what people say now: the newest decision of each pair, and trusted merges (HL7 v2 A40) that no steward parted
_WANTED = f"""
with newest as (
  select patient_key_l, patient_key_r, decision,
    row_number() over (partition by patient_key_l, patient_key_r order by decision_seq desc) as recency
  from identity.decision
),
steward as (
  select patient_key_l, patient_key_r, case decision when 'link' then 'steward_link' else 'steward_cannot_link' end as rule_or_model,
    case decision when 'link' then 'decided' else 'parted' end as zone
  from newest where recency = 1 and decision in ('link', 'cannot_link')
),
merged as (
  select case when patient_key < survivor_key then patient_key else survivor_key end as patient_key_l,
    case when patient_key < survivor_key then survivor_key else patient_key end as patient_key_r
  from canonical.patient_survivor where patient_key <> survivor_key
),
said as (
  select patient_key_l, patient_key_r, rule_or_model, zone from steward
  union all
  select distinct merged.patient_key_l, merged.patient_key_r, 'trusted_merge', 'decided' from merged
  where not exists (select 1 from steward where {_SAME_PAIR.format(a='steward', b='merged')})
)
select said.patient_key_l, said.patient_key_r, said.rule_or_model, said.zone
from said
join identity.patient_features l on l.patient_key = said.patient_key_l
join identity.patient_features r on r.patient_key = said.patient_key_r
"""


def collect_scope(warehouse: Warehouse, consumer: str, model: IdentityModel, policy: Policy, everything: bool) -> int:
    """Fill the scope and bring the decided edges up to date; give the number of records in scope."""
    clear(warehouse)
    _sync_decided(warehouse)
    if everything:
        warehouse.execute(f"insert into identity.resolve_scope select patient_key from identity.patient_features where patient_key not in ({_SCOPE})")
        warehouse.execute(f"insert into identity.resolve_scope select patient_key from identity.node where patient_key not in ({_SCOPE})")
        return _count(warehouse, "identity.resolve_scope")
    warehouse.execute(f"""
        insert into identity.resolve_scope
        select changed.patient_key from (
          select fact_key as patient_key from control.change_log where object = 'patient' and {_unseen(consumer)}
          union
          select old_subject_key from control.change_log where object = 'patient_identifier' and {_unseen(consumer)}
          union
          select new_subject_key from control.change_log where object = 'patient_identifier' and {_unseen(consumer)}
        ) changed
        left join identity.patient_features features on features.patient_key = changed.patient_key
        left join identity.node node on node.patient_key = changed.patient_key
        where coalesce(features.features_hash, '') <> coalesce(node.features_hash, '') and changed.patient_key not in ({_SCOPE})
    """)
    # another model or policy: nothing that was said under the old one may stay
    warehouse.execute(
        f"insert into identity.resolve_scope select patient_key from identity.node "
        f"where (model_version <> ? or policy_version <> ?) and patient_key not in ({_SCOPE})", [model.version, policy.version])
    return _count(warehouse, "identity.resolve_scope")


def _sync_decided(warehouse: Warehouse) -> None:
    """Make the decided edges those that hold now; the ends of each change enter the scope."""
    same = _SAME_PAIR.format(a="edge", b="wanted") + " and edge.rule_or_model = wanted.rule_or_model"
    gone = f"edge.rule_or_model in ({_DECIDED}) and not exists (select 1 from ({_WANTED}) wanted where {same})"
    new = f"select wanted.* from ({_WANTED}) wanted where not exists (select 1 from identity.edge edge where {same})"
    warehouse.execute(f"""
        insert into identity.resolve_scope
        select patient_key_l from identity.edge edge where {gone} union select patient_key_r from identity.edge edge where {gone}
        union select patient_key_l from ({new}) fresh union select patient_key_r from ({new}) fresh
    """)
    warehouse.execute(f"""
        insert into identity.edge (patient_key_l, patient_key_r, rule_or_model, zone)
        select patient_key_l, patient_key_r, rule_or_model, zone from ({new}) fresh
    """)
    warehouse.execute(f"delete from identity.edge where {gone}")


def replace_blocks(warehouse: Warehouse, model: IdentityModel) -> int:
    """Replace the blocks of the scope; records of blocks that crossed their cap enter the scope. Gives its final size."""
    touched = f"insert into identity.resolve_block select distinct block_rule, block_key from identity.block where patient_key in ({_SCOPE})"
    warehouse.execute(touched)
    warehouse.execute(f"delete from identity.block where patient_key in ({_SCOPE})")
    compared = warehouse.query(f"{_FEATURES} where patient_key in ({_SCOPE}) and patient_key not in ({_RETIRED})").cast(FEATURE_SCHEMA)
    append(warehouse, "identity.block", blocks_of(compared))
    warehouse.execute(touched)
    cap = "case block.block_rule " + " ".join(f"when '{rule}' then {size}" for rule, size in model.block_caps.items()) + " end"
    full = f"""
        select block.block_rule, block.block_key, count(*) as patients
        from identity.block block
        join (select distinct block_rule, block_key from identity.resolve_block) touched
          on touched.block_rule = block.block_rule and touched.block_key = block.block_key
        group by block.block_rule, block.block_key having count(*) > max({cap})
    """
    warehouse.execute(f"""
        insert into identity.resolve_scope
        select distinct block.patient_key
        from identity.block block
        join (select distinct block_rule, block_key from identity.resolve_block) touched
          on touched.block_rule = block.block_rule and touched.block_key = block.block_key
        left join identity.full_block before on before.block_rule = block.block_rule and before.block_key = block.block_key
        left join ({full}) now on now.block_rule = block.block_rule and now.block_key = block.block_key
        where (before.block_key is null) <> (now.block_key is null) and block.patient_key not in ({_SCOPE})
    """)
    warehouse.execute("""
        delete from identity.full_block
        where exists (select 1 from identity.resolve_block touched
                      where touched.block_rule = full_block.block_rule and touched.block_key = full_block.block_key)
    """)
    warehouse.execute(f"insert into identity.full_block (block_rule, block_key, patients) {full}")
    return _count(warehouse, "identity.resolve_scope")


# records that a trusted merge retired: their survivor speaks for them
_RETIRED = """
select survivor.patient_key from canonical.patient_survivor survivor
join identity.edge merged on merged.rule_or_model = 'trusted_merge'
  and merged.patient_key_l = case when survivor.patient_key < survivor.survivor_key then survivor.patient_key else survivor.survivor_key end
  and merged.patient_key_r = case when survivor.patient_key < survivor.survivor_key then survivor.survivor_key else survivor.patient_key end
"""


def collect_readable(warehouse: Warehouse, everything: bool) -> None:
    """Collect the records whose features are needed: the scope, all that share a block with it, and their components."""
    if everything:
        warehouse.execute("insert into identity.resolve_affected select patient_key from identity.patient_features")
        return
    warehouse.execute(f"""
        insert into identity.resolve_affected
        select patient_key from identity.resolve_scope
        union
        select partner.patient_key
        from identity.block own
        join identity.block partner on partner.block_rule = own.block_rule and partner.block_key = own.block_key
        left join identity.full_block held on held.block_rule = own.block_rule and held.block_key = own.block_key
        where own.patient_key in ({_SCOPE}) and held.block_key is null
    """)
    _add_components(warehouse)


def collect_affected(warehouse: Warehouse) -> None:
    """Collect the records to cluster anew: the scope, what it is linked with now, and all components of these before."""
    warehouse.execute("delete from identity.resolve_affected")
    warehouse.execute(f"""
        insert into identity.resolve_affected
        select patient_key from identity.resolve_scope
        union select patient_key_r from identity.edge where zone in ('auto', 'decided') and patient_key_l in ({_SCOPE})
        union select patient_key_l from identity.edge where zone in ('auto', 'decided') and patient_key_r in ({_SCOPE})
    """)
    _add_components(warehouse)


def _add_components(warehouse: Warehouse) -> None:
    warehouse.execute(f"""
        insert into identity.resolve_affected
        select patient_key from identity.node
        where component_key in (select component_key from identity.node where patient_key in ({_AFFECTED})) and patient_key not in ({_AFFECTED})
    """)


def replace_edges(warehouse: Warehouse, edges: pa.Table) -> None:
    """Replace the edges of the scope that the policy found; what people decided stays."""
    warehouse.execute(f"""
        delete from identity.edge
        where rule_or_model not in ({_DECIDED}) and (patient_key_l in ({_SCOPE}) or patient_key_r in ({_SCOPE}))
    """)
    append(warehouse, "identity.edge", edges)


def note_vetoes(warehouse: Warehouse, found: pa.Table) -> None:
    """Write on the trusted merges among affected records which veto speaks against them."""
    warehouse.execute(f"update identity.edge set veto = null where rule_or_model = 'trusted_merge' and patient_key_l in ({_AFFECTED})")
    append(warehouse, "identity.resolve_veto", found)
    warehouse.execute("""
        update identity.edge set veto = found.veto from identity.resolve_veto found
        where edge.rule_or_model = 'trusted_merge' and edge.patient_key_l = found.patient_key_l and edge.patient_key_r = found.patient_key_r
    """)


def scope_keys(warehouse: Warehouse) -> pa.Table:
    """Records in scope."""
    return warehouse.query(_SCOPE).cast(KEY_SCHEMA)


def retired_keys(warehouse: Warehouse) -> pa.Table:
    """Records that a trusted merge retired."""
    return warehouse.query(_RETIRED).cast(KEY_SCHEMA)


def features(warehouse: Warehouse) -> pa.Table:
    """Features of the readable records."""
    return warehouse.query(f"{_FEATURES} where patient_key in ({_AFFECTED})").cast(FEATURE_SCHEMA)


def full_blocks(warehouse: Warehouse) -> pa.Table:
    """Blocks over their cap."""
    return warehouse.query("select block_rule, block_key from identity.full_block").cast(FULL_BLOCK_SCHEMA)


def affected_records(warehouse: Warehouse) -> pa.Table:
    """Affected records that exist."""
    return warehouse.query(f"select patient_key from identity.patient_features where patient_key in ({_AFFECTED}) order by patient_key").cast(KEY_SCHEMA)


def affected_edges(warehouse: Warehouse) -> pa.Table:
    """Edges between affected records that join or part them."""
    return warehouse.query(f"""
        select patient_key_l, patient_key_r, rule_or_model, score, zone from identity.edge
        where zone in ('auto', 'decided', 'parted') and patient_key_l in ({_AFFECTED}) and patient_key_r in ({_AFFECTED})
    """).cast(EDGE_SCHEMA)


def affected_links(warehouse: Warehouse) -> pa.Table:
    """Links before, with the ordinal of the person."""
    return warehouse.query(f"""
        select link.patient_key, link.facility_id, link.person_id, link.link_rule, link.score, link.policy_version, link.run_seq, minted.ordinal
        from identity.link link join identity.person_minted minted on minted.person_id = link.person_id
        where link.patient_key in ({_AFFECTED})
    """).cast(LINK_SCHEMA)


def next_ordinal(warehouse: Warehouse) -> int:
    """Ordinal of the next person to be minted."""
    return int(warehouse.query("select coalesce(max(ordinal), 0) + 1 as ordinal from identity.person_minted")["ordinal"][0].as_py())


def clear(warehouse: Warehouse) -> None:
    """Empty the helper tables."""
    for table in ("resolve_scope", "resolve_block", "resolve_affected", "resolve_component", "resolve_veto"):
        warehouse.execute(f"delete from identity.{table}")


def move_watermark(warehouse: Warehouse, consumer: str, run_seq: int) -> None:
    """Note that this run has seen all changes so far."""
    warehouse.execute("delete from control.consumer where consumer = ?", [consumer])
    warehouse.execute("insert into control.consumer (consumer, run_seq) values (?, ?)", [consumer, run_seq])


def append(warehouse: Warehouse, table: str, rows: pa.Table) -> None:
    """Append rows, if there are any: an empty file would be loaded for nothing."""
    if rows.num_rows:
        warehouse.load(table, rows)


def _unseen(consumer: str) -> str:
    return f"run_seq > coalesce((select max(seen.run_seq) from control.consumer seen where seen.consumer = '{consumer}'), -1)"


def _count(warehouse: Warehouse, table: str) -> int:
    return int(warehouse.query(f"select count(*) as n from {table}")["n"][0].as_py())
