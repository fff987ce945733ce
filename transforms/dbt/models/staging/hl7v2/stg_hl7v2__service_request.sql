{#- One row for each order of an order message. Its status is what the order control says (table 0119), else the order status (table 0038). -#}
{{ config(told_by=['ORC', 'OBR']) }}
{%- set coded = coded_columns('request', 'orders', 'obr_4') -%}
select
  {{ staging_select('service_request', hl7_header('orders', 'orders', {
    'fact_key': fact_key('service_request', 'orders.facility_id', [
      "case when orders.placer_value is not null then orders.placer_numbering else orders.result_numbering end", "coalesce(orders.placer_value, orders.result_number)"]),
    'is_fact': 'true', 'maintains': '1',
    'identifier_system': 'case when orders.placer_value is not null then orders.placer_system else orders.filler_system end',
    'identifier_value': 'coalesce(orders.placer_value, orders.filler_value)',
    'subject_key': 'orders.patient_key', 'encounter_key': 'orders.encounter_key', 'encounter_identifier_value': 'orders.visit_value',
    'status': "coalesce(control.fhir_code, state.fhir_code, 'unknown')", 'service_date': 'orders.ordered_day', 'service_end_date': 'orders.ordered_day',
    'code_code': coded['code'], 'code_system': coded['system'], 'code_text': coded['text'], 'code_local_code': coded['local_code'],
    'code_local_system': coded['local_system'], 'code_translations': coded['translations'],
    'authored_on': "case when orders.order_control = 'NW' then orders.ordered end", 'priority': 'priority.fhir_code',
    'requester_display': 'orders.requester_display', 'reject_code': 'orders.reject_code',
    'flags': more_flags([[coded['is_unmapped'], 'code.unmapped_local']], 'orders.time_flags')}), full_record=false) }}
from {{ ref('stg_hl7v2__order') }} orders
{{ join_coded('request', 'orders', 'obr_4', 'service_request') }}
{{ join_hl7_table('control', '0119', 'orders.order_control') }}
{{ join_hl7_table('state', '0038', 'orders.order_status') }}
{{ join_hl7_table('priority', '0485', 'coalesce(orders.obr_priority, orders.timing_priority)') }}
where orders.kind = 'order'
