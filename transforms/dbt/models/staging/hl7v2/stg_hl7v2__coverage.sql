{#- One row for each IN1 of an ADT message (by-product): key is the patient, the plan and the policy. -#}
{{ config(told_by=['IN1']) }}
with said as (
  select in1.record_id, in1.record_locator, in1.facility_id, in1.batch_date, subject.record_id as subject_record_id, subject.timezone,
    coalesce({{ hl7_value('in1.in1_2_1') }}, {{ hl7_value('in1.in1_2_2') }}) as plan, coalesce({{ hl7_value('in1.in1_3_1') }}, {{ hl7_value('in1.in1_4_1') }}) as company,
    {{ hl7_value('in1.in1_4_1') }} as company_name, coalesce({{ hl7_value('in1.in1_36_1') }}, {{ hl7_value('in1.in1_49_1') }}) as policy,
    {{ hl7_value('in1.in1_15_1') }} as plan_type, in1.in1_12_1, in1.in1_13_1
  from {{ source('raw', 'raw_hl7v2__in1') }} in1
  join {{ ref('stg_hl7v2__subject') }} subject on subject.unit_id = in1.unit_id and subject.patient_group = in1.patient_group
  where {{ in_scope('in1') }} and subject.is_adt and subject.patient_key is not null
),
{{ hl7_times('starts', 'said', 'in1_12_1') }},
{{ hl7_times('ends', 'said', 'in1_13_1') }}
select
  {{ staging_select('coverage', hl7_header('subject', 'said', {
    'fact_key': fact_key('coverage', 'subject.facility_id', ['subject.patient_key', 'said.company', 'said.plan', 'said.policy']),
    'maintains': '1', 'subject_key': 'subject.patient_key', 'status': "'active'", 'identifier_value': 'said.policy',
    'service_date': 'starts.local_day', 'service_end_date': 'ends.local_day',
    'subscriber_id': 'said.policy', 'payor_display': 'said.company_name', 'type_code': 'mapped.code',
    'period_start': 'starts.value', 'period_end': 'ends.value', 'reject_code': time_reject(['starts', 'ends']),
    'flags': flag_list(time_flags(['starts', 'ends']))}), full_record=false) }}
from said
join {{ ref('stg_hl7v2__subject') }} subject on subject.record_id = said.subject_record_id
{{ hl7_time_join('starts', 'said.timezone', 'said.in1_12_1') }}
{{ hl7_time_join('ends', 'said.timezone', 'said.in1_13_1') }}
{{ join_code_map('mapped', 'said', 'coverage_type', 'said.plan_type') }}
