"""What a resolution reads: the records, edges and links of its work lists, as Arrow with stated types.

Types are stated because a result without rows, or with nulls only, has none on Snowflake.
"""

from __future__ import annotations

import pyarrow as pa

from assets.stores.warehouse import Warehouse
from transforms.errors import UnavailableError
from transforms.identity.records import FEATURE_SCHEMA, FULL_BLOCK_SCHEMA
from transforms.identity.resolution import EDGE_SCHEMA, KEY_SCHEMA, LINK_SCHEMA, RECORD_SCHEMA
from transforms.identity.restoring import LinkEvent

# `is not null` leaves nothing out: only where the keys are filtered does DuckDB ask a Bloom filter of them while it reads the other side,
# so that the other columns of a million rows are not read for a handful
SCOPE = "select patient_key from identity.resolve_scope where patient_key is not null"
ALTERED = "select patient_key from identity.resolve_altered where patient_key is not null"
REDECIDED = ("select patient_key_l as patient_key from identity.resolve_redecided "
             "union select patient_key_r from identity.resolve_redecided")
AFFECTED = "select patient_key from identity.resolve_affected where patient_key is not null"
_FEATURES = f"select {', '.join(FEATURE_SCHEMA.names)} from identity.patient_features"

# records that a trusted merge retired: their survivor speaks for them
RETIRED = """
select survivor.patient_key from canonical.patient_survivor survivor
join identity.edge merged on merged.rule_or_model = 'trusted_merge'
  and merged.patient_key_l = case when survivor.patient_key < survivor.survivor_key then survivor.patient_key else survivor.survivor_key end
  and merged.patient_key_r = case when survivor.patient_key < survivor.survivor_key then survivor.survivor_key else survivor.patient_key end
"""


def refuse_older_features(warehouse: Warehouse) -> None:
    """Raise UnavailableError where the features of records were made by an earlier version and lack a column: the next run adds it."""
    held = {name.lower() for name in warehouse.query("select * from identity.patient_features where 1 = 0").column_names}
    lacking = [name for name in FEATURE_SCHEMA.names if name not in held]
    if lacking:
        raise UnavailableError(f"identity: no run of this version has worked on this root yet, and its records lack {', '.join(lacking)}. "
                               "Remedy: run `lakehouse materialize` for any partition, then decide again (docs/upgrading.md).")


def scope_features(warehouse: Warehouse) -> pa.Table:
    """Features of the records in scope."""
    return _features(warehouse, SCOPE)


def scope_keys(warehouse: Warehouse) -> pa.Table:
    """Records in scope."""
    return warehouse.query(SCOPE).cast(KEY_SCHEMA)


def retired_keys(warehouse: Warehouse) -> pa.Table:
    """Records that a trusted merge retired."""
    return warehouse.query(RETIRED).cast(KEY_SCHEMA)


def all_features(warehouse: Warehouse) -> pa.Table:
    """Features of all records."""
    return warehouse.query(_FEATURES).cast(FEATURE_SCHEMA)


def readable_features(warehouse: Warehouse) -> pa.Table:
    """Features of the readable records."""
    return _features(warehouse, AFFECTED)


def _features(warehouse: Warehouse, keys: str) -> pa.Table:
    wanted = warehouse.few("identity.patient_features", f"patient_key in ({keys})")
    return warehouse.query(f"{_FEATURES} where {wanted}").cast(FEATURE_SCHEMA)


def full_blocks(warehouse: Warehouse) -> pa.Table:
    """Blocks over their cap."""
    return warehouse.query("select block_rule, block_key from identity.full_block").cast(FULL_BLOCK_SCHEMA)


def affected_records(warehouse: Warehouse) -> pa.Table:
    """Affected records that exist, by rising key: patient_key, facility_id, features_hash."""
    return warehouse.query("select patient_key, facility_id, features_hash from identity.patient_features "
                           f"where patient_key in ({AFFECTED}) order by patient_key").cast(RECORD_SCHEMA)


def edges_of(keys: str, columns: str, condition: str = "true") -> str:
    """Give the query of those `columns` of the edges of some records (`keys`: a query) of which `condition` is true. One end at a time:
    an `or` of both would read all columns of all edges."""
    return (f"select {columns} from identity.edge where patient_key_l in ({keys}) and {condition} union all "
            f"select {columns} from identity.edge where patient_key_r in ({keys}) and patient_key_l not in ({keys}) and {condition}")


def affected_edges(warehouse: Warehouse) -> pa.Table:
    """Edges between affected records that join or part them, of the edges at hand."""
    return warehouse.query(f"""
        select patient_key_l, patient_key_r, rule_or_model, score, zone, given from identity.resolve_edge
        where zone in ('auto', 'decided', 'parted') and patient_key_l in ({AFFECTED}) and patient_key_r in ({AFFECTED})
    """).cast(EDGE_SCHEMA)


def affected_links(warehouse: Warehouse) -> pa.Table:
    """Links before, with the ordinal of the person."""
    return warehouse.query(f"""
        select link.patient_key, link.facility_id, link.person_id, link.link_rule, link.score, link.policy_version, link.run_seq,
          minted.ordinal
        from identity.link link join identity.person_minted minted on minted.person_id = link.person_id
        where link.patient_key in ({AFFECTED})
    """).cast(LINK_SCHEMA)


def ended_persons(warehouse: Warehouse) -> list[tuple[str, int, str]]:
    """Persons that were merged away and have no record now: affected record, ordinal, person id."""
    found = warehouse.query(f"""
        with newest as (
          select person_id, to_person_id, row_number() over (partition by person_id order by run_seq desc nulls last) as recency
          from identity.person_redirect
        )
        select distinct history.patient_key, minted.ordinal, history.person_id
        from identity.link_history history
        join newest on newest.person_id = history.person_id and newest.recency = 1 and newest.to_person_id <> newest.person_id
        join identity.person_minted minted on minted.person_id = history.person_id
        where history.event = 'link' and history.patient_key in ({AFFECTED})
        order by history.patient_key, minted.ordinal
    """)
    columns = (found[name].to_pylist() for name in ("patient_key", "ordinal", "person_id"))
    return [(str(key), int(ordinal), str(person)) for key, ordinal, person in zip(*columns, strict=True)]


def passing_events(warehouse: Warehouse) -> list[LinkEvent]:
    """Links and unlinks, by rising run, of the persons that affected records belonged to and between which records ever passed."""
    found = warehouse.query(f"""
        with event as (
          select run_seq, patient_key, event, person_id from identity.link_history
          where person_id in (select person_id from identity.link_history where patient_key in ({AFFECTED}))
        ),
        passed as (
          select run_seq, patient_key from identity.link_history where patient_key in (select patient_key from event)
          group by run_seq, patient_key having min(event) <> max(event)
        ),
        marked as (
          select event.run_seq, event.patient_key, event.event, event.person_id, passed.patient_key is not null as has_passed
          from event left join passed on passed.run_seq = event.run_seq and passed.patient_key = event.patient_key
        )
        select marked.run_seq, marked.patient_key, marked.event, marked.person_id, marked.has_passed,
          link.patient_key is not null as is_living
        from marked left join identity.link link on link.patient_key = marked.patient_key
        where marked.person_id in (select person_id from marked where has_passed)
        order by marked.run_seq, marked.patient_key, marked.event, marked.person_id
    """)
    columns = (found[name].to_pylist() for name in ("run_seq", "patient_key", "event", "person_id", "has_passed", "is_living"))
    return [LinkEvent(int(run_seq), str(key), event == "link", str(person), bool(passed), bool(living))
            for run_seq, key, event, person, passed, living in zip(*columns, strict=True)]


def arrivals(warehouse: Warehouse, since: int) -> dict[str, int]:
    """Affected records that no earlier run than `since` knew, each with the run that brought it."""
    found = warehouse.query(f"""
        select patient_key, min(run_seq) as run_seq from identity.link_history
        where patient_key in ({AFFECTED})
        group by patient_key having min(run_seq) >= ?
    """, [since])
    return dict(zip(found["patient_key"].to_pylist(), found["run_seq"].to_pylist(), strict=True))


def next_ordinal(warehouse: Warehouse) -> int:
    """Ordinal of the next person to be minted."""
    return int(warehouse.query("select coalesce(max(ordinal), 0) + 1 as ordinal from identity.person_minted")["ordinal"][0].as_py())


def count(warehouse: Warehouse, table: str) -> int:
    """Number of rows of a table."""
    return int(warehouse.query(f"select count(*) as n from {table}")["n"][0].as_py())
