{#- One row for each drug of a general order message (RXO or RXE; by-product beside the order itself): status by the order control (table 0119). -#}
{{ config(told_by=['RXO', 'RXE']) }}
{%- set coded = coded_columns('drug', 'said', 'drug') -%}
with ordered as (
  select rxo.record_id, rxo.record_locator, rxo.unit_id, rxo.order_group, rxo.segment_ordinal, rxo.rxo_1_1 as drug_1, rxo.rxo_1_2 as drug_2, rxo.rxo_1_3 as drug_3,
    rxo.rxo_1_4 as drug_4, rxo.rxo_1_5 as drug_5, rxo.rxo_1_6 as drug_6, rxo.rxo_1_10 as drug_10, rxo.rxo_1_11 as drug_11, rxo.rxo_1_12 as drug_12,
    coalesce({{ hl7_value('rxo.rxo_7_2') }}, {{ hl7_value('rxo.rxo_7_1') }}) as dosage_text,
    cast(null as varchar) as starts_text, cast(null as varchar) as ends_text, 2 as place
  from {{ source('raw', 'raw_hl7v2__rxo') }} rxo where {{ in_scope('rxo') }}
  union all
  select rxe.record_id, rxe.record_locator, rxe.unit_id, rxe.order_group, rxe.segment_ordinal, rxe.rxe_2_1, rxe.rxe_2_2, rxe.rxe_2_3, rxe.rxe_2_4, rxe.rxe_2_5, rxe.rxe_2_6, rxe.rxe_2_10, rxe.rxe_2_11, rxe.rxe_2_12,
    coalesce({{ hl7_value('rxe.rxe_7_2') }}, {{ hl7_value('rxe.rxe_7_1') }}), rxe.rxe_1_4, rxe.rxe_1_5, 1 as place
  from {{ source('raw', 'raw_hl7v2__rxe') }} rxe where {{ in_scope('rxe') }}
),
{#- What was encoded by the pharmacy goes before what was ordered. -#}
first_said as (
  select ordered.record_id, ordered.record_locator, ordered.unit_id, ordered.order_group, ordered.drug_1, ordered.drug_2, ordered.drug_3, ordered.drug_4, ordered.drug_5,
    ordered.drug_6, ordered.drug_10, ordered.drug_11, ordered.drug_12, ordered.dosage_text, ordered.starts_text, ordered.ends_text,
    row_number() over (partition by ordered.unit_id, ordered.order_group order by ordered.place, ordered.segment_ordinal) as place
  from ordered
),
said as (
  select first_said.record_id, first_said.record_locator, first_said.unit_id, first_said.order_group, orders.facility_id, orders.batch_date, orders.timezone,
    first_said.drug_1, first_said.drug_2, first_said.drug_3, first_said.drug_4, first_said.drug_5, first_said.drug_6,
    first_said.drug_10, first_said.drug_11, first_said.drug_12, first_said.dosage_text, first_said.starts_text, first_said.ends_text
  from first_said
  join {{ ref('stg_hl7v2__order') }} orders on orders.unit_id = first_said.unit_id and orders.order_group = first_said.order_group and orders.kind = 'order'
  where first_said.place = 1
),
{{ hl7_times('starts', 'said', 'starts_text') }},
{{ hl7_times('ends', 'said', 'ends_text') }}
select
  {{ staging_select('medication_request', hl7_header('orders', 'said', {
    'fact_key': fact_key('medication_request', 'orders.facility_id', [
      "case when orders.placer_value is not null then orders.placer_numbering else orders.result_numbering end", "coalesce(orders.placer_value, orders.result_number)"]),
    'maintains': '1', 'identifier_system': 'case when orders.placer_value is not null then orders.placer_system else orders.filler_system end',
    'identifier_value': 'coalesce(orders.placer_value, orders.filler_value)',
    'subject_key': 'orders.patient_key', 'encounter_key': 'orders.encounter_key', 'encounter_identifier_value': 'orders.visit_value',
    'status': "case coalesce(control.fhir_code, state.fhir_code) when 'revoked' then case when orders.order_control in ('DC', 'DR', 'OD') then 'stopped' else 'cancelled' end else coalesce(control.fhir_code, state.fhir_code, 'unknown') end",
    'service_date': 'orders.ordered_day', 'service_end_date': 'orders.ordered_day',
    'medication_code_code': coded['code'], 'medication_code_system': coded['system'], 'medication_text': coded['text'], 'medication_local_code': coded['local_code'],
    'do_not_perform': 'false', 'authored_on': "case when orders.order_control = 'NW' then orders.ordered end", 'dosage_text': 'said.dosage_text',
    'dosage_period_start': 'starts.value', 'dosage_period_end': 'ends.value',
    'reject_code': 'coalesce(' ~ time_reject(['starts', 'ends']) ~ ', orders.reject_code)',
    'flags': flag_list([[coded['is_unmapped'], 'code.unmapped_local']] + time_flags(['starts', 'ends']))}), full_record=false) }}
from said
join {{ ref('stg_hl7v2__order') }} orders on orders.unit_id = said.unit_id and orders.order_group = said.order_group
{{ hl7_time_join('starts', 'said.timezone', 'said.starts_text') }}
{{ hl7_time_join('ends', 'said.timezone', 'said.ends_text') }}
{{ join_coded('drug', 'said', 'drug', 'medication_request') }}
{{ join_hl7_table('control', '0119', 'orders.order_control') }}
{{ join_hl7_table('state', '0038', 'orders.order_status') }}
