{{ config(materialized='view') }}
{#- What became of the units of each facility, batch date and record type. -#}
select
  outcome.facility_id, outcome.batch_date, outcome.source, outcome.unit_kind, outcome.record_type,
  count(*) as units,
  sum(case when outcome.outcome = 'canonical' then 1 else 0 end) as canonical,
  sum(case when outcome.outcome = 'duplicate' then 1 else 0 end) as duplicate,
  sum(case when outcome.outcome = 'superseded' then 1 else 0 end) as superseded,
  sum(case when outcome.outcome = 'quarantined' then 1 else 0 end) as quarantined,
  sum(case when outcome.outcome = 'ignored_by_rule' then 1 else 0 end) as ignored_by_rule
from {{ ref('unit_outcome') }} outcome
group by outcome.facility_id, outcome.batch_date, outcome.source, outcome.unit_kind, outcome.record_type
