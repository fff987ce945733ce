{{ config(materialized='scoped', strategy='replace_scope') }}
{#- Flags that a unit alone tells: one row for each unit and code. They mark it without changing its outcome. -#}
{%- set stagings = all_stagings() -%}
with said as (
  select raw_unit.unit_id, raw_unit.facility_id, raw_unit.batch_date, raw_unit.flags
  from {{ source('raw', 'raw_unit') }} raw_unit where raw_unit.flags is not null and {{ in_scope('raw_unit') }}
  {%- for dialect in unit_rule_dialects() %}
  union all
  select unit_id, facility_id, batch_date, reason from {{ ref('stg_' ~ dialect ~ '__unit_rule') }} where reason_kind = 'flag'
  {%- endfor %}
  {%- for staging in stagings %}
  union all
  select unit_id, facility_id, batch_date, flags from {{ ref(staging) }} where flags is not null
  {%- endfor %}
),
distinct_said as (
  select distinct unit_id, facility_id, batch_date, ',' || replace(flags, ' ', '') || ',' as flags from said
)
select distinct distinct_said.unit_id, distinct_said.facility_id, distinct_said.batch_date, reason_code.code as flag
from distinct_said
join {{ ref('reason_code') }} reason_code
  on reason_code.kind = 'flag' and contains(distinct_said.flags, ',' || reason_code.code || ',')
