"""The review queue: what waits, for how long, what decisions came of it, and the opinions that wait for a second steward.

What belongs here: reading and appending sets. What a decision does to persons follows from the next resolution.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from assets.stores.identity_decisions import CANNOT_LINK, LINK, Decision, newest_decision
from assets.stores.identity_read import refuse_older_features
from assets.stores.warehouse import Warehouse
from transforms.errors import ConfigurationError

# by rule: how many wait and since when, how many were decided and how many of these were one human (the yield of asking)
_QUEUE = """
with open_pair as (
  select coalesce(pair.rule_or_model, pair.reason) as asked_by, count(*) as waiting, min(resolution.recorded_time) as since
  from identity.review_pair pair left join identity.resolution resolution on resolution.run_seq = pair.run_seq
  group by coalesce(pair.rule_or_model, pair.reason)
),
newest as (
  select patient_key_l, patient_key_r, decision,
    row_number() over (partition by patient_key_l, patient_key_r order by decision_seq desc nulls last) as recency
  from identity.decision
),
decided as (
  select coalesce(edge.rule_or_model, 'no evidence kept') as asked_by,
    sum(case when newest.decision = 'link' then 1 else 0 end) as linked,
    sum(case when newest.decision = 'cannot_link' then 1 else 0 end) as kept_apart
  from newest left join identity.edge edge
    on edge.patient_key_l = newest.patient_key_l and edge.patient_key_r = newest.patient_key_r and edge.given is not null
  where newest.recency = 1 and newest.decision in ('link', 'cannot_link')
  group by coalesce(edge.rule_or_model, 'no evidence kept')
)
select coalesce(open_pair.asked_by, decided.asked_by) as asked_by, coalesce(open_pair.waiting, 0) as waiting, open_pair.since,
  coalesce(decided.linked, 0) as linked, coalesce(decided.kept_apart, 0) as kept_apart
from open_pair full join decided on decided.asked_by = open_pair.asked_by
order by coalesce(open_pair.waiting, 0) desc nulls last, coalesce(open_pair.asked_by, decided.asked_by)
"""
_OPEN = """
select pair.patient_key_l, pair.patient_key_r, pair.reason, pair.rule_or_model, pair.score, pair.veto, resolution.recorded_time as since,
  l.facility_id as facility_l, r.facility_id as facility_r
from identity.review_pair pair
left join identity.resolution resolution on resolution.run_seq = pair.run_seq
left join identity.link l on l.patient_key = pair.patient_key_l
left join identity.link r on r.patient_key = pair.patient_key_r
order by pair.score desc nulls last, pair.patient_key_l, pair.patient_key_r
"""
_RECORD = """
select features.patient_key, features.facility_id, link.person_id, features.family, features.given, features.middle, features.suffix,
  features.birth_text, features.gender, features.ssn_last4, features.phone, features.email, features.address_number,
  features.address_street, features.address_unit, features.postal_code, patient.identifier_value
from identity.patient_features features
left join identity.link link on link.patient_key = features.patient_key
left join canonical.patient patient on patient.fact_key = features.patient_key
where features.patient_key = ?
"""


def queue(warehouse: Warehouse) -> list[dict[str, object]]:
    """Give for each rule that asks: asked_by, waiting, since (UTC), linked, kept_apart."""
    return list(warehouse.query(_QUEUE).to_pylist())


def open_pairs(warehouse: Warehouse, limit: int) -> list[dict[str, object]]:
    """Give the pairs that wait, likeliest first: keys, facilities, rule, score, veto, since (UTC)."""
    return list(warehouse.query(f"{_OPEN} limit {int(limit)}").to_pylist())


def pair_records(warehouse: Warehouse, left: str, right: str) -> list[dict[str, object]]:
    """Give what both records say, as they are compared. Raises ConfigurationError where one is not in the index, UnavailableError where an
    earlier version made them."""
    refuse_older_features(warehouse)
    records = [dict(row) for key in (left, right) for row in warehouse.query(_RECORD, [key]).to_pylist()]
    if len(records) != 2 or left == right:
        raise ConfigurationError("identity: these are not two records of the index. Remedy: take both keys from the review queue.")
    return records


def standing_opinions(warehouse: Warehouse, left: str, right: str) -> list[dict[str, object]]:
    """Give the newest opinion of each steward on a pair (smaller key left) since it was last decided: decision, said_by, said_time."""
    newest = newest_decision(warehouse, left, right)
    return list(warehouse.query("""
        with said as (
          select decision, said_by, said_time, reason,
            row_number() over (partition by said_by order by opinion_seq desc nulls last) as recency
          from identity.opinion where patient_key_l = ? and patient_key_r = ? and decision_seq = ?
        )
        select decision, said_by, said_time, reason from said where recency = 1 order by said_by
    """, [left, right, newest["decision_seq"] if newest else 0]).to_pylist())


@dataclass(frozen=True)
class Opinions:
    """What a steward may know of the opinions on a pair: those `shown` (decision, said_by, said_time, reason) and how many are `hidden`."""

    shown: Sequence[Mapping[str, object]] = ()
    hidden: int = 0


def opinions_for(warehouse: Warehouse, left: str, right: str, steward: str) -> Opinions:
    """Give the standing opinions on a pair (smaller key left) as a steward may see them: who has said nothing yet is told only how many
    others have, since two who look for themselves are two."""
    standing = standing_opinions(warehouse, left, right)
    if any(one["said_by"] == steward for one in standing):
        return Opinions(standing)
    return Opinions(hidden=len(standing))


def needs_another(warehouse: Warehouse, said: Decision, reviewers: int, said_time: datetime, policy_version: str) -> bool:
    """Keep a steward's opinion; tell whether stewards are missing who say the same before it is a decision.

    reviewers: how many must agree. A decision that is withdrawn needs nobody else: the rules hold again.
    """
    if reviewers < 2 or said.decision not in (LINK, CANNOT_LINK):
        return False
    left, right = sorted((said.left, said.right))
    pair_records(warehouse, left, right)
    newest = newest_decision(warehouse, left, right)
    warehouse.execute("""
        insert into identity.opinion (patient_key_l, patient_key_r, opinion_seq, decision_seq, decision, said_by, said_time, reason,
                                      policy_version)
        select ?, ?, (select coalesce(max(opinion_seq), 0) + 1 from identity.opinion), ?, ?, ?, cast(? as timestamp), ?, ?
    """, [left, right, newest["decision_seq"] if newest else 0, said.decision, said.decided_by, said_time, said.reason, policy_version])
    agreeing = [one for one in standing_opinions(warehouse, left, right) if one["decision"] == said.decision]
    return len(agreeing) < reviewers
