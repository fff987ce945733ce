"""Questions to the person index: who someone was at a time, as known at a time; what speaks for a pair."""

from __future__ import annotations

from datetime import date

from assets.stores.warehouse import Warehouse
from transforms.identity.evidence import EVIDENCE
from transforms.identity.resolution import INCOMPARABLE

# `on`: what sources said by then. `known`: what we had received and linked by then. The newest link of each record that was known holds.
WHO_WAS = """
with heard as (
  select history.patient_key, history.person_id, history.event, history.link_rule, history.policy_version,
    row_number() over (partition by history.patient_key order by history.run_seq desc nulls last,
                       case history.event when 'link' then 0 else 1 end) as recency
  from identity.link_history history
  join identity.resolution resolution on resolution.run_seq = history.run_seq
  where resolution.recorded_time < cast(? as timestamp)
),
linked as (select patient_key, person_id, link_rule, policy_version from heard where recency = 1 and event = 'link'),
asked as (select person_id from linked where patient_key = ?),
said as (
  select version.fact_key, version.facility_id, version.name_family, version.name_given, version.birth_date, version.gender,
    version.source_time,
    row_number() over (partition by version.fact_key order by version.source_time desc nulls last,
                       version.source_order desc nulls last, version.record_id) as recency
  from canonical.patient_version version
  where version.source_time < cast(? as timestamp) and version.received_time < cast(? as timestamp)
)
select linked.person_id, linked.patient_key, said.facility_id, said.name_family, said.name_given, said.birth_date, said.gender,
  said.source_time, linked.link_rule, linked.policy_version
from linked join asked on asked.person_id = linked.person_id join said on said.fact_key = linked.patient_key and said.recency = 1
order by said.facility_id, linked.patient_key
"""


def who_was(warehouse: Warehouse, patient_key: str, on: date, known: date) -> list[dict[str, object]]:
    """Give the records of the person that a record belonged to, as they stood at the end of day `on`, as known at the end of day `known`.

    Both days end at midnight UTC. An empty list: the record was not linked, or its person had no record by then.
    """
    until, heard = (date.fromordinal(day.toordinal() + 1).isoformat() for day in (on, known))
    return list(warehouse.query(WHO_WAS, [heard, patient_key, until, heard]).to_pylist())


def pair_evidence(warehouse: Warehouse, left: str, right: str) -> dict[str, object] | None:
    """Give the edge of a pair with its evidence levels, or None."""
    found = warehouse.query("select * from identity.edge where patient_key_l = ? and patient_key_r = ? and given is not null",
                            sorted((left, right))).to_pylist()
    return dict(found[0]) if found else None


_LEVELS = " || ' ' || ".join(f"'{name}=' || coalesce(own.{name}, case when own.other is not null then 'unknown' end)"
                             for name in EVIDENCE)
# the linking edges of a record as they stood at each of its links: the one that a later run found gone first, else the one that stands
_HISTORY = f"""
with edge as (
  select patient_key_l, patient_key_r, rule_or_model, score, until_seq, {', '.join(EVIDENCE)} from identity.edge_past
  union all
  select patient_key_l, patient_key_r, rule_or_model, score, cast(null as bigint), {', '.join(EVIDENCE)} from identity.edge
  where zone = 'auto'
),
own as (
  select case when patient_key_l = ? then patient_key_r else patient_key_l end as other, edge.* from edge
  where patient_key_l = ? or patient_key_r = ?
),
told as (
  select history.run_seq, history.event, history.person_id, history.link_rule, history.score, history.model_version, history.policy_version,
    own.other, {_LEVELS} as evidence,
    row_number() over (partition by history.run_seq, history.event order by own.until_seq asc nulls last, own.other) as recency
  from identity.link_history history
  left join own on history.event = 'link' and own.rule_or_model = history.link_rule and own.score = history.score
    and (own.until_seq is null or own.until_seq > history.run_seq)
  where history.patient_key = ?
)
select run_seq, event, person_id, link_rule, score, model_version, policy_version, other, evidence
from told where recency = 1 order by run_seq, event desc
"""


def link_history(warehouse: Warehouse, patient_key: str) -> list[dict[str, object]]:
    """Give the links and unlinks of a record, oldest first: run, event, person, rule, score, versions, and of a link that evidence made
    the record at its other end (`other`) with the levels that spoke for it then (`evidence`); null for a record alone and where people
    decided."""
    return list(warehouse.query(_HISTORY, [patient_key] * 4).to_pylist())


def incomparable(warehouse: Warehouse) -> int:
    """Count the records that say nothing by which they could be compared: each is a person of its own."""
    return int(warehouse.query("select count(*) as n from identity.link where link_rule = ?", [INCOMPARABLE])["n"][0].as_py())
