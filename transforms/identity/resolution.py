"""From records to edges, and from edges to links: the sets, in the records' own DuckDB.

What belongs here: values in, values out. Where they come from and go to is `assets/stores/identity.py`.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa

from transforms.batches import in_batches
from transforms.identity.blocking import COUNTING
from transforms.identity.evidence import EVIDENCE, find_promising, judge_pairs, level_pairs
from transforms.identity.model import IdentityModel
from transforms.identity.policy import Policy

TRUSTED_MERGE, STEWARD_LINK, STEWARD_CANNOT_LINK = "trusted_merge", "steward_link", "steward_cannot_link"
DECIDED = (STEWARD_LINK, TRUSTED_MERGE, STEWARD_CANNOT_LINK)
# rules of records that nothing links: with what others have too, or with nothing to compare (no block that pairs)
SINGLE, INCOMPARABLE = "single", "nothing_to_compare"
KEY_SCHEMA = pa.schema([("patient_key", pa.string())])
RECORD_SCHEMA = pa.schema([(name, pa.string()) for name in ("patient_key", "facility_id", "features_hash")])
EDGE_SCHEMA = pa.schema([(name, pa.string()) for name in ("patient_key_l", "patient_key_r", "rule_or_model")]
                        + [("score", pa.float64()), ("zone", pa.string()), ("given", pa.string())])
# levels of the given name that take two names for two spellings of one
SLIPS = ("sound", "typo", "root", "tangled")
LINK_SCHEMA = pa.schema([(name, pa.string()) for name in ("patient_key", "facility_id", "person_id", "link_rule")]
                        + [("score", pa.float64()), ("policy_version", pa.string()), ("run_seq", pa.int64()), ("ordinal", pa.int64())])


def find_edges(connection: duckdb.DuckDBPyConnection, scope: pa.Table, retired: pa.Table, model: IdentityModel, policy: Policy) -> pa.Table:
    """Compare the records of `scope` with all others that share a block: rows of identity.edge, zone auto or review.

    scope, retired: KEY_SCHEMA. Retired records are spoken for by their survivor and are not compared. Table `block` is gone afterwards.
    """
    for name, keys in (("scope", scope), ("retired", retired)):
        connection.register("keys", in_batches(keys))
        connection.execute(f"create or replace table {name} as select record.id from record join keys using (patient_key)")
        connection.unregister("keys")
    # twelve blocks a record: where all records are compared none of them is looked up
    outside = connection.execute("select exists (from record anti join scope using (id))").fetchall()[0][0]
    connection.execute(f"""
        create or replace table candidate as
        with member as (
          select block.id, block.block_key, {"block.id in (select id from scope)" if outside else "true"} as in_scope
          from block anti join full_block using (block_key)
          where block.block_rule not in {COUNTING} and block.id not in (select id from retired)
        )
        select distinct l.id as id_l, r.id as id_r
        from member l join member r on l.block_key = r.block_key and l.id < r.id
        where l.in_scope or r.in_scope
    """)
    # of the blocks, which take the most room, only this is asked again
    connection.execute(f"create or replace table comparable as select distinct id from block where block_rule not in {COUNTING}")
    connection.execute("drop table block")
    # the dear parts, names and weights, are for pairs that they can still link or show to somebody
    find_promising(connection, policy, "candidate", "promising")
    level_pairs(connection, policy, "promising", "levelled")
    judge_pairs(connection, model, policy, "levelled", "judged")
    edges: pa.Table = connection.execute(f"""
        select l.patient_key as patient_key_l, r.patient_key as patient_key_r, judged.rule as rule_or_model, judged.weight as score,
          '{model.version}' as model_version, judged.zone, judged.veto, {', '.join(f'judged.{name}' for name in EVIDENCE)}
        from judged join record l on l.id = judged.id_l join record r on r.id = judged.id_r
    """).to_arrow_table()
    # what was levelled is not levelled again inside the clusters
    connection.execute("create or replace table known_veto as select id_l, id_r, veto from levelled")
    for table in ("candidate", "promising", "levelled", "judged"):
        connection.execute(f"drop table {table}")
    return edges


def vetoes(connection: duckdb.DuckDBPyConnection, policy: Policy, pairs: pa.Table) -> pa.Table:
    """Give the pairs (patient_key_l, patient_key_r) that stand under a veto, with column `veto`; after `find_edges`."""
    if not pairs.num_rows:
        return pairs.append_column("veto", pa.array([], pa.string()))
    connection.register("asked_pair", in_batches(pairs))
    connection.execute("""
        create or replace table asked as
        select l.id as id_l, r.id as id_r
        from asked_pair join record l on l.patient_key = asked_pair.patient_key_l join record r on r.patient_key = asked_pair.patient_key_r
    """)
    connection.unregister("asked_pair")
    connection.execute("create or replace table unknown_pair as select id_l, id_r from asked anti join known_veto using (id_l, id_r)")
    level_pairs(connection, policy, "unknown_pair", "levelled")
    found: pa.Table = connection.execute("""
        select l.patient_key as patient_key_l, r.patient_key as patient_key_r, told.veto
        from (select id_l, id_r, veto from known_veto semi join asked using (id_l, id_r)
              union all select id_l, id_r, veto from levelled) told
        join record l on l.id = told.id_l join record r on r.id = told.id_r
        where told.veto is not null
    """).to_arrow_table()
    for table in ("asked", "unknown_pair", "levelled"):
        connection.execute(f"drop table {table}")
    return found


def sayings(connection: duckdb.DuckDBPyConnection, component: pa.Table) -> tuple[dict[str, int], dict[str, str]]:
    """Give of a component table's records (patient_key) the birth dates that are known to the day, as days since 1970, and the given names
    that are known."""
    connection.register("component", in_batches(component))
    found = connection.execute("""
        select patient_key, date_diff('day', date '1970-01-01', birth_date) as day, given
        from record semi join component using (patient_key)
    """).to_arrow_table().to_pylist()
    connection.unregister("component")
    return ({row["patient_key"]: row["day"] for row in found if row["day"] is not None},
            {row["patient_key"]: row["given"] for row in found if row["given"] is not None})


def contested(connection: duckdb.DuckDBPyConnection, component: pa.Table, pairs: pa.Table, edges: pa.Table) -> pa.Table:
    """Give the rows of the components (patient_key, component_key) that may not be one cluster: a pair of `pairs` (patient_key_l) lies in
    them, or two birth dates that two records each insist on, or two given names and an edge that takes them for one with a slip."""
    for name, table in (("component", component), ("opposed", pairs), ("joining", edges)):
        connection.register(name, in_batches(table))
    found: pa.Table = connection.execute(f"""
        with said as (
          select component.component_key, 'birth' as kind, cast(record.birth_date as varchar) as value
          from component join record using (patient_key) where record.birth_date is not null
          union all
          select component.component_key, 'given', record.given from component join record using (patient_key)
          where record.given is not null and component.component_key in (
            select held.component_key from component held
            join joining on joining.patient_key_l = held.patient_key and joining.given in {SLIPS})
        ),
        insisted as (select component_key, kind, value from said group by all having count(*) > 1)
        select component.patient_key, component.component_key from component
        where component.component_key in (select component_key from insisted group by component_key, kind having count(*) > 1)
          or component.component_key in (
            select held.component_key from component held join opposed on opposed.patient_key_l = held.patient_key)
        order by component.patient_key
    """).to_arrow_table()
    for name in ("component", "opposed", "joining"):
        connection.unregister(name)
    return found


def pairs_within(connection: duckdb.DuckDBPyConnection, component: pa.Table, retired: pa.Table) -> pa.Table:
    """Give all pairs inside components of three records and more (`component`: patient_key, component_key), smaller key left.

    In a component of two the only pair is the edge itself. Retired records bring no vetoes: their survivor speaks for them.
    """
    connection.register("component", in_batches(component))
    connection.register("retired_key", retired)
    pairs: pa.Table = connection.execute("""
        with member as (
          select patient_key, component_key from component anti join retired_key using (patient_key)
          qualify count(*) over (partition by component_key) >= 3
        )
        select l.patient_key as patient_key_l, r.patient_key as patient_key_r
        from member l join member r on l.component_key = r.component_key and l.patient_key < r.patient_key
    """).to_arrow_table()
    connection.unregister("component")
    connection.unregister("retired_key")
    return pairs


def links(connection: duckdb.DuckDBPyConnection, person: pa.Table, edges: pa.Table, rank: dict[str, int]) -> pa.Table:
    """Give each record its link: patient_key, facility_id, person_id, link_rule, score.

    person: patient_key, person_id. edges: columns of identity.edge. The rule and the score are those of the strongest edge that holds
    the record in its person; a record alone has rule `single`, or `nothing_to_compare` where it could share a block with nobody.
    """
    ranks = pa.table({"rule": pa.array(list(rank), pa.string()), "rank": pa.array(list(rank.values()), pa.int64())})
    for name, table in (("person", person), ("edge", edges), ("rule_rank", ranks)):
        connection.register(name, in_batches(table))
    held: pa.Table = connection.execute(f"""
        with inside as (
          select edge.patient_key_l, edge.patient_key_r, edge.rule_or_model, edge.score, rule_rank.rank
          from edge join rule_rank on rule_rank.rule = edge.rule_or_model
          join person l on l.patient_key = edge.patient_key_l join person r on r.patient_key = edge.patient_key_r
          where edge.zone in ('auto', 'decided') and l.person_id = r.person_id
        ),
        held as (
          select patient_key_l as patient_key, rule_or_model, score, rank, patient_key_r as other from inside
          union all
          select patient_key_r, rule_or_model, score, rank, patient_key_l from inside
        ),
        strongest as (
          select patient_key, rule_or_model, score from held
          qualify row_number() over (partition by patient_key order by rank, score desc nulls last, other) = 1
        )
        select person.patient_key, record.facility_id, person.person_id,
          case when strongest.rule_or_model is not null then strongest.rule_or_model
               when record.id in (select id from comparable) then '{SINGLE}'
               else '{INCOMPARABLE}' end as link_rule,
          strongest.score
        from person join record using (patient_key) left join strongest using (patient_key)
    """).to_arrow_table()
    for name in ("person", "edge", "rule_rank"):
        connection.unregister(name)
    return held


def changes(connection: duckdb.DuckDBPyConnection, before: pa.Table, after: pa.Table) -> pa.Table:
    """Compare links before and after: rows whose person, rule or score differ.

    Columns patient_key, facility_id, old_person_id, old_facility_id, person_id, link_rule, score, is_moved (the person differs).
    """
    connection.register("link_before", in_batches(before))
    connection.register("link_after", in_batches(after))
    changed: pa.Table = connection.execute("""
        select coalesce(a.patient_key, b.patient_key) as patient_key, coalesce(a.facility_id, b.facility_id) as facility_id,
          b.person_id as old_person_id, b.link_rule as old_link_rule, b.score as old_score, a.person_id, a.link_rule, a.score,
          a.person_id is distinct from b.person_id as is_moved
        from link_after a full join link_before b on b.patient_key = a.patient_key
        where a.person_id is distinct from b.person_id or a.link_rule is distinct from b.link_rule or a.score is distinct from b.score
          or a.policy_version is distinct from b.policy_version
        order by 1
    """).to_arrow_table()
    connection.unregister("link_before")
    connection.unregister("link_after")
    return changed
