{{ config(materialized='view', told_by=['OBX']) }}
{#-
  One row for each value of OBX-5 of a result message: one OBX, or one repetition where numbers, codes or times repeat; repetitions of text are
  lines of one text. OBX-2 governs what OBX-5 means (v2-to-FHIR, OBX[Observation]). A deleted or unobtainable result keeps no value.
-#}
{%- set carried = ['record_id', 'record_locator', 'unit_id', 'facility_id', 'batch_date', 'segment_ordinal', 'order_group', 'timezone', 'value_type',
  'obx_3_1', 'obx_3_2', 'obx_3_3', 'obx_3_4', 'obx_3_5', 'obx_3_6', 'obx_3_10', 'obx_3_11', 'obx_3_12', 'obx_4', 'test', 'unit', 'other_unit', 'other_unit_system', 'result_status', 'obx_14_1',
  'performer_display'] -%}
{%- set components = ['v_1', 'v_2', 'v_3', 'v_4', 'v_5', 'v_6', 'v_10', 'v_11', 'v_12'] -%}
{%- set repeating_types = "('NM', 'SN', 'CE', 'CWE', 'CNE', 'CF', 'TS', 'DTM', 'DT')" -%}
{%- set compared = '(<=|>=|<|>) *[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)' -%}
{%- set said -%}
    obx.record_id, obx.record_locator, obx.unit_id, obx.facility_id, obx.batch_date, obx.segment_ordinal, obx.order_group, orders.timezone,
    {{ hl7_value('obx.obx_2_1') }} as value_type, obx.obx_3_1, obx.obx_3_2, obx.obx_3_3, obx.obx_3_4, obx.obx_3_5, obx.obx_3_6,
    obx.obx_3_10, obx.obx_3_11, obx.obx_3_12, obx.obx_4,
    {{ observed_test('obx') }} as test,
    coalesce({{ hl7_value('obx.obx_6_1') }}, {{ hl7_value('obx.obx_6_2') }}) as unit, {{ hl7_value('obx.obx_6_4') }} as other_unit, upper(obx.obx_6_6) as other_unit_system,
    {{ hl7_value('obx.obx_11_1') }} as result_status, obx.obx_14_1,
    coalesce({{ hl7_value('obx.obx_23_1') }}, {{ person_display('obx.obx_16') }}) as performer_display
{%- endset -%}
with again as (
  select listing.unit_id, listing.segment_ordinal, listing.repetition, listing.c1 as v_1, listing.c2 as v_2, listing.c3 as v_3, listing.c4 as v_4,
    listing.c5 as v_5, listing.c6 as v_6, listing.c10 as v_10, listing.c11 as v_11, listing.c12 as v_12, {{ joined_components('listing.c', 1, 12) }} as whole
  from {{ source('raw', 'raw_hl7v2__repetition') }} listing
  where {{ in_scope('listing') }} and listing.field = 'obx_5' and listing.repetition > 1
),
more_lines as (
  select again.unit_id, again.segment_ordinal, {{ dbt.listagg("coalesce(again.whole, '')", "'\n'", 'order by again.repetition') }} as lines
  from again group by again.unit_id, again.segment_ordinal
),
{#- Twice the same select rather than one expression read twice, which the engine would store: results are the largest table. -#}
each_value as (
  select
{{ said }},
    obx.obx_5_1 as v_1, obx.obx_5_2 as v_2, obx.obx_5_3 as v_3, obx.obx_5_4 as v_4, obx.obx_5_5 as v_5, obx.obx_5_6 as v_6,
    obx.obx_5_10 as v_10, obx.obx_5_11 as v_11, obx.obx_5_12 as v_12, 1 as repetition,
    case when obx.obx_2_1 in {{ repeating_types }} or more_lines.lines is null then {{ joined_components('obx.obx_5_', 1, 12) }}
      else coalesce({{ joined_components('obx.obx_5_', 1, 12) }}, '') || '
' || more_lines.lines end as whole
  from {{ source('raw', 'raw_hl7v2__obx') }} obx
  join {{ ref('stg_hl7v2__order') }} orders on orders.unit_id = obx.unit_id and orders.order_group = obx.order_group and orders.kind = 'result'
  left join more_lines on more_lines.unit_id = obx.unit_id and more_lines.segment_ordinal = obx.segment_ordinal
  where {{ in_scope('obx') }}
  union all
  select
{{ said }},
    again.v_1, again.v_2, again.v_3, again.v_4, again.v_5, again.v_6, again.v_10, again.v_11, again.v_12, again.repetition, again.whole
  from {{ source('raw', 'raw_hl7v2__obx') }} obx
  join {{ ref('stg_hl7v2__order') }} orders on orders.unit_id = obx.unit_id and orders.order_group = obx.order_group and orders.kind = 'result'
  join again on again.unit_id = obx.unit_id and again.segment_ordinal = obx.segment_ordinal
  where {{ in_scope('obx') }} and obx.obx_2_1 in {{ repeating_types }} and again.whole is not null
),
read as (
  select {% for name in carried + components %}each_value.{{ name }}, {% endfor %}each_value.repetition, state.fhir_code as status,
    case when state.fhir_code in ('entered-in-error', 'cancelled') or {{ hl7_value('each_value.whole') }} is null then 'none'
      when each_value.value_type = 'NM' then 'number'
      when each_value.value_type = 'SN' then
        case when each_value.v_3 in (':', '/') then 'ratio' when each_value.v_3 = '-' then 'range' when each_value.v_3 is null then 'number' else 'text' end
      when each_value.value_type in ('CE', 'CWE', 'CNE', 'CF') then 'code'
      when each_value.value_type in ('TS', 'DTM', 'DT') then 'time'
      when each_value.value_type in ('ED', 'RP') then 'attachment'
      else 'text' end as kind,
    {#- A number, or a comparator and a number (NM and SN, ch. 2A). FHIR knows no other comparator. -#}
    case when each_value.value_type = 'NM' then trim(each_value.v_1) when coalesce(each_value.v_1, '=') = '=' then each_value.v_2
      when each_value.v_1 in ('<', '<=', '>', '>=') then each_value.v_1 || each_value.v_2 end as measured,
    case when each_value.value_type = 'SN' then coalesce(each_value.v_1, '') || coalesce(each_value.v_2, '') || coalesce(each_value.v_3, '') || coalesce(each_value.v_4, '')
      else {{ hl7_value('each_value.whole') }} end as whole
  from each_value
  {{ join_hl7_table('state', '0085', 'each_value.result_status') }}
),
measured as (
  select {% for name in carried + components %}read.{{ name }}, {% endfor %}read.repetition, read.status, read.kind, read.whole,
    case when read.kind <> 'number' then null when {{ is_plain_number('read.measured') }} then read.measured
      when {{ regexp_full('read.measured', compared) }} then ltrim(read.measured, '<>= ') end as number_text,
    case when read.kind = 'number' and {{ regexp_full('read.measured', compared) }} then
      case when substr(read.measured, 2, 1) = '=' then left(read.measured, 2) else left(read.measured, 1) end end as comparator,
    case when read.kind in ('ratio', 'range') then {{ plain_number('read.v_2') }} end as first_number,
    case when read.kind in ('ratio', 'range') then {{ plain_number('read.v_4') }} end as second_number
  from read
),
counted as (
  select {% for name in carried + components %}measured.{{ name }}, {% endfor %}measured.repetition, measured.status, measured.kind, measured.whole,
    measured.number_text, measured.comparator, measured.first_number, measured.second_number, {{ exact_decimal('measured.number_text') }} as number
  from measured
)
select {% for name in carried + components %}counted.{{ name }}, {% endfor %}counted.repetition, counted.status, counted.whole,
  case when counted.kind = 'time' then {{ hl7_value('counted.v_1') }} end as time_text, counted.comparator, counted.first_number, counted.second_number,
  counted.number_text, counted.number,
  {#- What is not of its declared type is text, never a guessed number and never 0. -#}
  case when counted.kind = 'number' and counted.number is null then 'text'
    when counted.kind in ('ratio', 'range') and (counted.first_number is null or counted.second_number is null) then 'text'
    else counted.kind end as kind,
  counted.value_type = 'NM' and counted.kind = 'number' and (counted.number_text is null or counted.comparator is not null) as is_not_numeric
from counted
