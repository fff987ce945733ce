"""What a resolution writes: edges, links with their history and change log, nodes, persons, and questions to stewards."""

from __future__ import annotations

from datetime import datetime

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from assets.stores.identity_read import AFFECTED, SCOPE, edges_of
from assets.stores.warehouse import Warehouse
from transforms.identity.persons import Persons
from transforms.identity.resolution import changes
from transforms.identity.tables import TABLES

_WHOLE_EDGE = ", ".join(name for name, _ in TABLES["identity.edge"])


def append(warehouse: Warehouse, table: str, rows: pa.Table) -> None:
    """Append rows, if there are any: an empty file would be loaded for nothing."""
    if rows.num_rows:
        warehouse.load(table, rows)


def replace_edges(warehouse: Warehouse, edges: pa.Table, run_seq: int) -> None:
    """Replace the edges of the scope that the policy found; what people decided stays. A linking edge that goes or says something else now
    is kept as it was until this run."""
    linking = edges_of(SCOPE, _WHOLE_EDGE, "zone = 'auto'")
    warehouse.execute(f"insert into identity.resolve_past ({_WHOLE_EDGE}) {linking}")
    for end in ("patient_key_l", "patient_key_r"):
        warehouse.execute(f"delete from identity.edge where {end} in ({SCOPE}) and zone in ('auto', 'review')")
    append(warehouse, "identity.edge", edges)
    warehouse.execute(f"""
        insert into identity.edge_past ({_WHOLE_EDGE}, until_seq)
        select {_WHOLE_EDGE}, cast(? as bigint) from (
          select {_WHOLE_EDGE} from identity.resolve_past
          except
          select {_WHOLE_EDGE} from identity.edge where zone = 'auto'
            and patient_key_l in (select patient_key_l from identity.resolve_past where patient_key_l is not null)
        ) gone
    """, [run_seq])


def note_vetoes(warehouse: Warehouse, found: pa.Table) -> None:
    """Write on the trusted merges among affected records which veto speaks against them."""
    append(warehouse, "identity.resolve_veto", found)
    for table in ("edge", "resolve_edge"):
        warehouse.execute(
            f"update identity.{table} set veto = null "
            f"where rule_or_model = 'trusted_merge' and veto is not null and patient_key_l in ({AFFECTED})")
        warehouse.execute(f"""
            update identity.{table} set veto = found.veto from identity.resolve_veto found
            where {table}.rule_or_model = 'trusted_merge' and {table}.patient_key_l = found.patient_key_l
              and {table}.patient_key_r = found.patient_key_r
        """)


def write_links(warehouse: Warehouse, connection: duckdb.DuckDBPyConnection, before: pa.Table, after: pa.Table, run_seq: int,
                model_version: str, policy_version: str) -> int:
    """Write the links that differ, what they were to the history and the change log; give the number of records that moved."""
    after = _with(after, policy_version=policy_version)
    changed = changes(connection, before, after)
    warehouse.execute("delete from identity.resolve_scope")
    append(warehouse, "identity.resolve_scope", changed.filter(pc.is_valid(changed["old_person_id"])).select(["patient_key"]))
    warehouse.execute(f"delete from identity.link where patient_key in ({SCOPE})")
    kept = changed.filter(pc.is_valid(changed["person_id"]))
    append(warehouse, "identity.link", _with(
        kept.select(["patient_key", "facility_id", "person_id", "link_rule", "score"]), policy_version=policy_version, run_seq=run_seq))
    moved = changed.filter(changed["is_moved"])
    _write_history(warehouse, moved, run_seq, model_version, policy_version)
    log = pa.table({
        "fact_key": moved["patient_key"], "facility_id": moved["facility_id"], "old_subject_key": moved["old_person_id"],
        "new_subject_key": moved["person_id"],
    })
    append(warehouse, "control.change_log", _with(log, run_seq=run_seq, object="link"))
    return int(moved.num_rows)


def _write_history(warehouse: Warehouse, moved: pa.Table, run_seq: int, model_version: str, policy_version: str) -> None:
    events = (("unlink", "old_person_id", "old_link_rule", "old_score"), ("link", "person_id", "link_rule", "score"))
    for event, person, rule, score in events:
        rows = moved.filter(pc.is_valid(moved[person]))
        table = pa.table({"patient_key": rows["patient_key"], "facility_id": rows["facility_id"], "person_id": rows[person],
                          "link_rule": rows[rule], "score": rows[score]})
        append(warehouse, "identity.link_history", _with(
            table, event=event, run_seq=run_seq, model_version=model_version, policy_version=policy_version))


def write_nodes(warehouse: Warehouse, component: pa.Table, persons: Persons, run_seq: int, model_version: str,
                policy_version: str) -> None:
    """Write the nodes of the affected records (`component`: RECORD_SCHEMA and component_key), and the persons that began or were merged
    away."""
    warehouse.execute(f"delete from identity.node where patient_key in ({AFFECTED})")
    append(warehouse, "identity.node", _with(component, model_version=model_version, policy_version=policy_version))
    minted = pa.table({"person_id": pa.array(list(persons.minted), pa.string()),
                       "ordinal": pa.array(list(persons.minted.values()), pa.int64())})
    append(warehouse, "identity.person_minted", _with(minted, run_seq=run_seq))
    redirects = pa.table({"person_id": pa.array(list(persons.redirects), pa.string()),
                          "to_person_id": pa.array(list(persons.redirects.values()), pa.string())})
    append(warehouse, "identity.person_redirect", _with(redirects, run_seq=run_seq))
    # a person that went into one that ends now goes where that one goes: redirects never chain
    warehouse.execute("""
        insert into identity.person_redirect (person_id, to_person_id, run_seq)
        select earlier.person_id, fresh.to_person_id, fresh.run_seq
        from (
          select person_id, to_person_id, row_number() over (partition by person_id order by run_seq desc nulls last) as recency
          from identity.person_redirect
        ) earlier
        join identity.person_redirect fresh on fresh.person_id = earlier.to_person_id and fresh.run_seq = ?
        where earlier.recency = 1 and earlier.person_id <> earlier.to_person_id and fresh.to_person_id <> fresh.person_id
    """, [run_seq])


def write_resolution(warehouse: Warehouse, run_seq: int, recorded_time: datetime, model_version: str, policy_version: str) -> None:
    """Note when what this run says became known; a run that resolves twice keeps its first time."""
    warehouse.execute("""
        insert into identity.resolution (run_seq, recorded_time, model_version, policy_version)
        select said.run_seq, said.recorded_time, said.model_version, said.policy_version
        from (select cast(? as bigint) as run_seq, cast(? as timestamp) as recorded_time, cast(? as varchar) as model_version,
                cast(? as varchar) as policy_version) said
        where not exists (select 1 from identity.resolution known where known.run_seq = said.run_seq)
    """, [run_seq, recorded_time, model_version, policy_version])


# pairs that a steward should see: evidence short of linking, links that a veto stopped, trusted merges under a veto
_WANTED = """
insert into identity.resolve_question (patient_key_l, patient_key_r, reason, rule_or_model, score, veto, model_version)
select edge.patient_key_l, edge.patient_key_r,
  case when edge.rule_or_model = 'trusted_merge' then 'merge_conflict' when edge.zone = 'review' then 'review'
       else 'conflict' end as reason,
  edge.rule_or_model, edge.score, edge.veto, edge.model_version
from identity.resolve_edge edge
join (select patient_key, person_id from identity.link
      where patient_key in (select patient_key_l from identity.resolve_edge where patient_key_l is not null)) l
  on l.patient_key = edge.patient_key_l
join (select patient_key, person_id from identity.link
      where patient_key in (select patient_key_r from identity.resolve_edge where patient_key_r is not null)) r
  on r.patient_key = edge.patient_key_r
left join identity.resolve_edge said on said.patient_key_l = edge.patient_key_l and said.patient_key_r = edge.patient_key_r
  and said.rule_or_model in ('steward_link', 'steward_cannot_link')
where said.patient_key_l is null
  and ((edge.zone in ('auto', 'review', 'decided') and l.person_id <> r.person_id)
       or (edge.rule_or_model = 'trusted_merge' and edge.veto is not null))
"""
_SAME = """wanted.patient_key_l = review_pair.patient_key_l and wanted.patient_key_r = review_pair.patient_key_r
  and wanted.reason = review_pair.reason and wanted.rule_or_model = review_pair.rule_or_model
  and coalesce(wanted.score, 0) = coalesce(review_pair.score, 0)
  and coalesce(wanted.veto, '') = coalesce(review_pair.veto, '')"""


def write_reviews(warehouse: Warehouse, run_seq: int, policy_version: str) -> None:
    """Open the questions that arose among the affected records and close those that were answered; equal ones stay as they are."""
    warehouse.execute(_WANTED)
    warehouse.execute(f"""
        delete from identity.review_pair
        where (review_pair.patient_key_l in ({AFFECTED}) or review_pair.patient_key_r in ({AFFECTED}))
          and (review_pair.policy_version <> ? or not exists (select 1 from identity.resolve_question wanted where {_SAME}))
    """, [policy_version])
    warehouse.execute(f"""
        insert into identity.review_pair (patient_key_l, patient_key_r, reason, rule_or_model, score, veto, model_version,
                                          policy_version, run_seq)
        select wanted.patient_key_l, wanted.patient_key_r, wanted.reason, wanted.rule_or_model, wanted.score, wanted.veto,
          wanted.model_version, cast(? as varchar), cast(? as bigint)
        from identity.resolve_question wanted where not exists (select 1 from identity.review_pair where {_SAME})
    """, [policy_version, run_seq])


def _with(table: pa.Table, **constants: str | int) -> pa.Table:
    """Add constant columns."""
    for name, value in constants.items():
        kind = pa.string() if isinstance(value, str) else pa.int64()
        table = table.append_column(name, pa.repeat(pa.scalar(value, kind), table.num_rows))
    return table
