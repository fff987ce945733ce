{{ config(materialized='view') }}
{#- What became of the units of each facility, batch date and record type. -#}
select
  outcome.facility_id, outcome.batch_date, outcome.source, outcome.unit_kind, outcome.record_type,
  count(*) as units,
  cast(sum(case when outcome.outcome = 'canonical' then 1 else 0 end) as bigint) as canonical,
  cast(sum(case when outcome.outcome = 'duplicate' then 1 else 0 end) as bigint) as duplicate,
  cast(sum(case when outcome.outcome = 'superseded' then 1 else 0 end) as bigint) as superseded,
  cast(sum(case when outcome.outcome = 'quarantined' then 1 else 0 end) as bigint) as quarantined,
  cast(sum(case when outcome.outcome = 'ignored_by_rule' then 1 else 0 end) as bigint) as ignored_by_rule,
  {#- Money of claims and claim payments; null where units move none. #}
  cast(sum(outcome.amount) as decimal(18,2)) as amount,
  {%- for name in ['canonical', 'duplicate', 'superseded', 'quarantined', 'ignored_by_rule'] %}
  cast(sum(case when outcome.outcome = '{{ name }}' then outcome.amount end) as decimal(18,2)) as {{ name }}_amount{{ ',' if not loop.last }}
  {%- endfor %}
from {{ ref('unit_outcome') }} outcome
group by outcome.facility_id, outcome.batch_date, outcome.source, outcome.unit_kind, outcome.record_type
