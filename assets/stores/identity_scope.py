"""Which records a resolution compares, reads and clusters anew: sets in the warehouse.

Sets that grow live in helper tables that are empty between resolutions: the *altered* records (their content is not what it was), the
*scope* (records to compare: the altered, the ends of merges that came or went, blocks that crossed their cap), the *redecided* records
(what people say of them changed: clustered anew, not compared), the *readable* records (partners of the scope and all their components) and
the *affected* ones (all components that the changes touch). Text that both engines run; keys never leave the warehouse except as Arrow.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from assets.stores.identity_read import AFFECTED, ALTERED, REDECIDED, SCOPE, count, edges_of
from assets.stores.identity_write import append
from assets.stores.warehouse import Warehouse
from transforms.identity.blocking import COUNTING
from transforms.identity.model import IdentityModel
from transforms.identity.policy import Policy
from transforms.identity.tables import WORK_TABLES

_SAME_PAIR = "{a}.patient_key_l = {b}.patient_key_l and {a}.patient_key_r = {b}.patient_key_r"

# what people say now: the newest decision of each pair, and trusted merges (HL7 v2 A40) that no steward parted
_WANTED = f"""
with newest as (
  select patient_key_l, patient_key_r, decision,
    row_number() over (partition by patient_key_l, patient_key_r order by decision_seq desc nulls last) as recency
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
),
known as (
  select patient_key from identity.patient_features
  where patient_key in (select patient_key_l from said where patient_key_l is not null union select patient_key_r from said)
)
select said.patient_key_l, said.patient_key_r, said.rule_or_model, said.zone
from said
join known l on l.patient_key = said.patient_key_l
join known r on r.patient_key = said.patient_key_r
"""


def collect_scope(warehouse: Warehouse, consumer: str, model: IdentityModel, policy: Policy, everything: bool) -> int:
    """Fill the scope and bring the decided edges up to date; give the number of records to compare or to cluster anew."""
    clear(warehouse)
    _sync_decided(warehouse)
    if everything:
        for table in ("patient_features", "node"):
            warehouse.execute(
                f"insert into identity.resolve_scope select patient_key from identity.{table} where patient_key not in ({SCOPE})")
        _collect_altered(warehouse, SCOPE)
        return count(warehouse, "identity.resolve_scope")
    _collect_altered(warehouse, f"""
        select fact_key as patient_key from control.change_log where object in ('patient', 'feature_rule') and {_unseen(consumer)}
        union
        select old_subject_key from control.change_log where object = 'patient_identifier' and {_unseen(consumer)}
        union
        select new_subject_key from control.change_log where object = 'patient_identifier' and {_unseen(consumer)}
    """)
    warehouse.execute(f"insert into identity.resolve_scope {ALTERED} and patient_key not in ({SCOPE})")
    # another model or policy: nothing that was said under the old one may stay
    for column, version in (("model_version", model.version), ("policy_version", policy.version)):
        warehouse.execute(f"insert into identity.resolve_scope select patient_key from identity.node "
                          f"where {column} <> ? and patient_key not in ({SCOPE})", [version])
    return count(warehouse, f"({SCOPE} union {REDECIDED}) touched")


def _collect_altered(warehouse: Warehouse, suspected: str) -> None:
    """Collect the `suspected` records (a query) whose content is not what it was when they were last resolved: new, changed or gone."""
    warehouse.execute(f"""
        insert into identity.resolve_altered
        select suspected.patient_key from ({suspected}) suspected
        left join identity.patient_features features on features.patient_key = suspected.patient_key
        left join identity.node node on node.patient_key = suspected.patient_key
        where coalesce(features.features_hash, '') <> coalesce(node.features_hash, '')
    """)


def _sync_decided(warehouse: Warehouse) -> None:
    """Make the decided edges those that hold now. The ends of each change are redecided; of a merge, the retired one enters the scope too:
    a merge silences it, and the merge's end lets it speak again. Nothing changes for the survivor; where the source says no longer which
    one survived, both enter.
    """
    same = _SAME_PAIR + " and held.rule_or_model = wanted.rule_or_model"
    gone = f"not exists (select 1 from identity.resolve_wanted wanted where {same.format(a='held', b='wanted')})"
    new = ("identity.resolve_wanted wanted where not exists "
           f"(select 1 from identity.resolve_held held where {same.format(a='held', b='wanted')})")
    warehouse.execute(f"insert into identity.resolve_wanted (patient_key_l, patient_key_r, rule_or_model, zone) {_WANTED}")
    # one zone at a time: an equality is asked while the column is read
    for zone in ("decided", "parted"):
        warehouse.execute("insert into identity.resolve_held (patient_key_l, patient_key_r, rule_or_model) "
                          f"select patient_key_l, patient_key_r, rule_or_model from identity.edge where zone = '{zone}'")
    warehouse.execute(f"""
        insert into identity.resolve_redecided (patient_key_l, patient_key_r, rule_or_model)
        select patient_key_l, patient_key_r, rule_or_model from identity.resolve_held held where {gone}
        union all select patient_key_l, patient_key_r, rule_or_model from {new}
    """)
    if not count(warehouse, "identity.resolve_redecided"):
        return
    warehouse.execute(f"""
        insert into identity.edge (patient_key_l, patient_key_r, rule_or_model, zone)
        select patient_key_l, patient_key_r, rule_or_model, zone from {new}
    """)
    warehouse.execute(f"""
        delete from identity.edge where zone in ('decided', 'parted') and patient_key_l in (
          select patient_key_l from identity.resolve_redecided where patient_key_l is not null)
          and {gone.replace('held.', 'edge.')}
    """)
    merged = "from identity.resolve_redecided where rule_or_model = 'trusted_merge'"
    warehouse.execute(f"""
        insert into identity.resolve_scope
        select distinct patient_key
        from (
          select patient_key_l as patient_key, patient_key_r as other {merged}
          union all select patient_key_r, patient_key_l {merged}
        ) ended
        where not exists (
          select 1 from canonical.patient_survivor said
          where said.patient_key = ended.other and said.survivor_key = ended.patient_key)
    """)


def collect_readable(warehouse: Warehouse) -> None:
    """Collect the records whose features are needed: the scope, all that share a block with it, the redecided, and their components."""
    warehouse.execute(f"""
        insert into identity.resolve_affected
        select patient_key from identity.resolve_scope
        union {REDECIDED}
        union
        select partner.patient_key
        from identity.resolve_member partner
        join (
          select block_key from identity.resolve_block where block_rule not in {COUNTING}
          except
          select block_key from identity.full_block
        ) pairing on pairing.block_key = partner.block_key
    """)
    warehouse.execute(f"""
        insert into identity.resolve_component (patient_key, component_key)
        select patient_key, component_key from identity.node
        where component_key in (select component_key from identity.node where patient_key in ({AFFECTED}))
    """)
    _add_components(warehouse)


def collect_affected(warehouse: Warehouse, edges: pa.Table, everything: bool) -> None:
    """Collect the records to cluster anew: the scope, what it is linked with now (by its `edges` or by what people say), the redecided,
    and all components of these before. None is outside the readable ones."""
    warehouse.execute("delete from identity.resolve_affected")
    if everything:
        warehouse.execute(f"insert into identity.resolve_affected {SCOPE}")
        return
    joining = edges.filter(pc.equal(edges["zone"], "auto"))
    ends = pa.chunked_array([*joining["patient_key_l"].chunks, *joining["patient_key_r"].chunks], pa.string()).unique()
    append(warehouse, "identity.resolve_affected", pa.table({"patient_key": ends}))
    decided = "from identity.resolve_wanted where zone = 'decided' and"
    warehouse.execute(f"""
        insert into identity.resolve_affected
        select patient_key from (
          {SCOPE}
          union {REDECIDED}
          union select patient_key_r {decided} patient_key_l in ({SCOPE})
          union select patient_key_l {decided} patient_key_r in ({SCOPE})
        ) touched
        where patient_key not in ({AFFECTED})
    """)
    _add_components(warehouse)


def collect_edges(warehouse: Warehouse) -> None:
    """Collect the edges of the affected records: for the clusters and for the questions, and the engine would else join all edges with all
    links."""
    columns = ", ".join(name for name, _ in WORK_TABLES["identity.resolve_edge"])
    warehouse.execute(f"insert into identity.resolve_edge ({columns}) {edges_of(AFFECTED, columns)}")


def _add_components(warehouse: Warehouse) -> None:
    warehouse.execute(f"""
        insert into identity.resolve_affected
        select patient_key from identity.resolve_component
        where component_key in (select component_key from identity.resolve_component where patient_key in ({AFFECTED}))
          and patient_key not in ({AFFECTED})
    """)


def clear(warehouse: Warehouse) -> None:
    """Empty the helper tables."""
    for table in WORK_TABLES:
        warehouse.execute(f"delete from {table}")


def move_watermark(warehouse: Warehouse, consumer: str, run_seq: int) -> None:
    """Note that this run has seen all changes so far."""
    warehouse.execute("delete from control.consumer where consumer = ?", [consumer])
    warehouse.execute("insert into control.consumer (consumer, run_seq) values (?, ?)", [consumer, run_seq])


def _unseen(consumer: str) -> str:
    return f"run_seq > coalesce((select max(seen.run_seq) from control.consumer seen where seen.consumer = '{consumer}'), -1)"
