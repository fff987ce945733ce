"""What stewards answered, by rule, veto and score band: what the policy's owner reads before a threshold is changed."""

from __future__ import annotations

from assets.stores.warehouse import Warehouse
from transforms.identity.feedback import Answers

BAND_BITS = 5
_ANSWERS = f"""
with newest as (
  select patient_key_l, patient_key_r, decision, score,
    row_number() over (partition by patient_key_l, patient_key_r order by decision_seq desc nulls last) as recency
  from identity.decision
)
select coalesce(edge.rule_or_model, 'no evidence kept') as rule_name, coalesce(edge.veto, '') as veto, coalesce(edge.zone, '') as zone,
  cast(floor(coalesce(newest.score, edge.score) / {BAND_BITS}) * {BAND_BITS} as double) as band,
  sum(case when newest.decision = 'link' then 1 else 0 end) as one_human,
  sum(case when newest.decision = 'cannot_link' then 1 else 0 end) as two_humans
from newest left join identity.edge edge
  on edge.patient_key_l = newest.patient_key_l and edge.patient_key_r = newest.patient_key_r and edge.given is not null
where newest.recency = 1 and newest.decision in ('link', 'cannot_link')
group by coalesce(edge.rule_or_model, 'no evidence kept'), coalesce(edge.veto, ''), coalesce(edge.zone, ''),
  cast(floor(coalesce(newest.score, edge.score) / {BAND_BITS}) * {BAND_BITS} as double)
order by 1, 2, 4 desc nulls last
"""


def answers(warehouse: Warehouse) -> list[Answers]:
    """Give the answers that hold now, by rule, veto and band of five bits."""
    return [Answers(str(row["rule_name"]), str(row["veto"]), str(row["zone"]), row["band"], int(row["one_human"]), int(row["two_humans"]))
            for row in warehouse.query(_ANSWERS).to_pylist()]
