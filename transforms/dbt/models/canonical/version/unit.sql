{{ config(materialized='scoped', strategy='replace_scope', log_key='content_hash') }}
{#- What a unit alone tells. Its reason is that of the outermost level that fails: decoder, then rules on the whole unit, then its records. -#}
{%- set stagings = all_stagings() -%}
with found as (
  select unit_id, reject_code as reason, 1 as level, 'quarantine' as reason_kind
  from {{ source('raw', 'raw_unit') }} raw_unit where reject_code is not null and {{ in_scope('raw_unit') }}
  {%- for dialect in unit_rule_dialects() %}
  union all
  select unit_id, reason, 2 as level, reason_kind from {{ ref('stg_' ~ dialect ~ '__unit_rule') }} where reason_kind <> 'flag'
  {%- endfor %}
  {%- for staging in stagings %}
  union all
  select unit_id, reject_code, 3 as level, 'quarantine' from {{ ref(staging) }} where reject_code is not null
  {%- endfor %}
),
outermost as (
  select unit_id, reason, reason_kind,
    row_number() over (partition by unit_id order by level, reason_kind desc nulls last, reason) as place
  from found
),
timed as (
  {%- for staging in stagings %}
  select unit_id, source_time from {{ ref(staging) }} where is_fact
  {{ 'union all' if not loop.last }}
  {%- endfor %}
),
first_time as (
  select unit_id, min(source_time) as source_time from timed group by unit_id
),
money as (
  select raw_x12__unit.unit_id, raw_x12__unit.amount from {{ source('raw', 'raw_x12__unit') }} raw_x12__unit where {{ in_scope('raw_x12__unit') }}
)
select
  raw_unit.unit_id, raw_unit.facility_id, raw_unit.batch_date, raw_unit.delivery_id, raw_unit.payload_id, raw_unit.source, raw_unit.received_time,
  raw_unit.unit_ordinal, raw_unit.unit_kind, raw_unit.unit_locator, raw_unit.record_type, raw_unit.content_hash,
  outermost.reason as own_reason, outermost.reason_kind as own_reason_kind,
  coalesce(first_time.source_time, raw_unit.received_time) as source_time,
  {#- Money that the unit moves: the charge of a claim (CLM02), what a claim payment pays (CLP04). #}
  {{ x12_amount('money.amount') }} as amount
from {{ source('raw', 'raw_unit') }} raw_unit
left join outermost on outermost.unit_id = raw_unit.unit_id and outermost.place = 1
left join first_time on first_time.unit_id = raw_unit.unit_id
left join money on money.unit_id = raw_unit.unit_id
where {{ in_scope('raw_unit') }}
