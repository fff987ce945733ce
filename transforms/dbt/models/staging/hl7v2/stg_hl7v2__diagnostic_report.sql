{#- One row for each OBR of a result message: the report that its observations belong to. -#}
{{ config(told_by=['OBR']) }}
{%- set coded = coded_columns('report', 'orders', 'obr_4') -%}
select
  {{ staging_select('diagnostic_report', hl7_header('orders', 'orders', {
    'fact_key': fact_key('diagnostic_report', 'orders.facility_id', ['orders.result_numbering', 'orders.result_number']),
    'is_fact': 'true', 'maintains': '1',
    'identifier_system': 'orders.filler_system', 'identifier_value': 'orders.filler_value',
    'subject_key': 'orders.patient_key', 'encounter_key': 'orders.encounter_key', 'encounter_identifier_value': 'orders.visit_value',
    'status': "coalesce(state.fhir_code, 'unknown')",
    'service_date': 'coalesce(orders.effective_day, orders.issued_day)', 'service_end_date': 'coalesce(orders.effective_day, orders.issued_day)',
    'code_code': coded['code'], 'code_system': coded['system'], 'code_text': coded['text'], 'code_local_code': coded['local_code'],
    'code_local_system': coded['local_system'], 'code_translations': coded['translations'],
    'based_on_identifier_value': 'orders.placer_value', 'effective_datetime': 'orders.effective_datetime', 'issued': 'orders.issued',
    'performer_display': 'orders.interpreter_display', 'reject_code': 'orders.reject_code',
    'flags': more_flags([[coded['is_unmapped'], 'code.unmapped_local']], 'orders.time_flags')}), full_record=false) }}
from {{ ref('stg_hl7v2__order') }} orders
{{ join_coded('report', 'orders', 'obr_4', 'diagnostic_report') }}
{{ join_hl7_table('state', '0123', 'orders.report_status') }}
where orders.kind = 'result' and orders.has_obr = 1
