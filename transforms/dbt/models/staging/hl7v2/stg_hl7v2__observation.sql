{#- One row for each value that a result message gives: keyed by order number, what was observed (OBX-3), its sub-id (OBX-4), occurrence and
    repetition, never by OBX-1. -#}
{{ config(told_by=['OBX']) }}
{%- set test = coded_columns('test', 'result', 'obx_3') -%}
{%- set answer = coded_columns('answer', 'result', 'v') -%}
{%- set result_obx -%}
  {{ source('raw', 'raw_hl7v2__obx') }} obx
  join {{ ref('stg_hl7v2__order') }} orders on orders.unit_id = obx.unit_id and orders.order_group = obx.order_group and orders.kind = 'result'
{%- endset -%}
{%- set time_types = "('TS', 'DTM', 'DT')" -%}
with dated as (
  select orders.timezone, obx.obx_14_1 from {{ result_obx }} where {{ in_scope('obx') }} and obx.obx_14_1 is not null
),
{{ hl7_times('observed', 'dated', 'obx_14_1') }},
timed as (
  select orders.timezone, obx.obx_5_1 as time_text from {{ result_obx }} where {{ in_scope('obx') }} and obx.obx_2_1 in {{ time_types }}
  union all
  select orders.timezone, listing.c1 as time_text from {{ result_obx }}
  join {{ source('raw', 'raw_hl7v2__repetition') }} listing on listing.unit_id = obx.unit_id and listing.segment_ordinal = obx.segment_ordinal
  where {{ in_scope('obx') }} and {{ in_scope('listing') }} and listing.field = 'obx_5' and obx.obx_2_1 in {{ time_types }}
),
{{ hl7_times('answered', 'timed', 'time_text') }},
{#- The same test twice under one order number: its occurrence joins the key. Rare, so only the later ones are joined back. -#}
counted as (
  select obx.record_id, row_number() over (
    partition by obx.unit_id, orders.result_group, {{ observed_test('obx') }}, obx.obx_4 order by obx.segment_ordinal) as occurrence
  from {{ result_obx }} where {{ in_scope('obx') }}
),
later as (
  select counted.record_id, counted.occurrence from counted where counted.occurrence > 1
),
result as (
  select said.record_id, said.record_locator, said.unit_id, said.facility_id, said.batch_date, said.order_group, said.timezone, said.repetition,
    said.obx_3_1, said.obx_3_2, said.obx_3_3, said.obx_3_4, said.obx_3_5, said.obx_3_6, said.obx_3_10, said.obx_3_11, said.obx_3_12,
    said.obx_4, said.test, said.obx_14_1, said.performer_display, said.status,
    said.kind, said.number, said.number_text, said.comparator, said.first_number, said.second_number, said.whole, said.time_text, said.is_not_numeric,
    case when said.kind = 'code' then {{ hl7_value('said.v_1') }} end as v_1, case when said.kind = 'code' then {{ hl7_value('said.v_2') }} end as v_2,
    case when said.kind = 'code' then said.v_3 end as v_3, case when said.kind = 'code' then said.v_4 end as v_4,
    case when said.kind = 'code' then said.v_5 end as v_5, case when said.kind = 'code' then said.v_6 end as v_6,
    case when said.kind = 'code' then said.v_10 end as v_10, case when said.kind = 'code' then said.v_11 end as v_11,
    case when said.kind = 'code' then said.v_12 end as v_12,
    case when said.kind in ('number', 'ratio', 'range') then said.unit end as unit,
    case when said.other_unit_system = 'UCUM' then said.other_unit end as other_ucum
  from {{ ref('stg_hl7v2__result') }} said
)
select
  {{ staging_select('observation', hl7_header('orders', 'result', {
    'fact_key': fact_key('observation', 'orders.facility_id',
      ['orders.result_numbering', 'orders.result_number', 'result.test', 'result.obx_4', 'coalesce(later.occurrence, 1)', 'result.repetition']),
    'is_fact': 'true', 'maintains': '1',
    'identifier_system': 'orders.filler_system', 'identifier_value': "orders.filler_value || ' ' || result.test || coalesce(' ' || result.obx_4, '')",
    'subject_key': 'orders.patient_key', 'encounter_key': 'orders.encounter_key', 'encounter_identifier_value': 'orders.visit_value',
    'status': "coalesce(result.status, 'unknown')",
    'service_date': 'coalesce(observed.local_day, orders.effective_day, orders.issued_day)',
    'service_end_date': 'coalesce(observed.local_day, orders.effective_day, orders.issued_day)',
    'code_code': test['code'], 'code_system': test['system'], 'code_text': test['text'], 'code_local_code': test['local_code'],
    'code_local_system': test['local_system'], 'code_translations': test['translations'],
    'effective_datetime': 'coalesce(observed.value, orders.effective_datetime)', 'issued': 'orders.issued',
    'value_quantity_value': "case when result.kind = 'number' then result.number end",
    'value_quantity_value_source': "case when result.kind = 'number' then result.number_text end",
    'value_quantity_comparator': "case when result.kind = 'number' then result.comparator end",
    'value_quantity_unit': ucum_unit('spelled', 'result.unit', 'result.other_ucum'), 'value_quantity_unit_source': 'result.unit',
    'value_string': "case when result.kind = 'text' then result.whole end",
    'value_codeable_concept_code': answer['code'], 'value_codeable_concept_system': answer['system'],
    'value_codeable_concept_text': "coalesce(" ~ answer['text'] ~ ", result.v_1)",
    'value_datetime': 'answered.value',
    'value_ratio_numerator_value': "case when result.kind = 'ratio' then result.first_number end",
    'value_ratio_denominator_value': "case when result.kind = 'ratio' then result.second_number end",
    'value_range_low_value': "case when result.kind = 'range' then result.first_number end",
    'value_range_high_value': "case when result.kind = 'range' then result.second_number end",
    'data_absent_reason_code': "case when result.status = 'cancelled' then 'unknown' end",
    'performer_display': 'coalesce(result.performer_display, orders.interpreter_display)',
    'report_identifier_value': 'orders.filler_value', 'based_on_identifier_value': 'orders.placer_value',
    'reject_code': 'coalesce(' ~ time_reject(['observed', 'answered']) ~ ', orders.reject_code)',
    'flags': flag_list([[test['is_unmapped'] ~ " or (result.kind = 'code' and " ~ answer['is_unmapped'] ~ ")", 'code.unmapped_local'],
                        ["result.unit is not null and " ~ ucum_unit('spelled', 'result.unit', 'result.other_ucum') ~ " is null", 'unit.not_ucum'],
                        ['result.is_not_numeric', 'hl7.nm_not_numeric']] + time_flags(['observed', 'answered']))}), full_record=false) }}
from result
join {{ ref('stg_hl7v2__order') }} orders on orders.unit_id = result.unit_id and orders.order_group = result.order_group
left join later on later.record_id = result.record_id
{{ hl7_time_join('observed', 'result.timezone', 'result.obx_14_1') }}
{{ hl7_time_join('answered', 'result.timezone', 'result.time_text') }}
{{ join_coded('test', 'result', 'obx_3', 'observation') }}
{{ join_coded('answer', 'result', 'v', 'observation_value') }}
{{ join_unit_of_measure('spelled', 'result.unit') }}
