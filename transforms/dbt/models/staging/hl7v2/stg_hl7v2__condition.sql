{#- One row for each DG1 of a visit message (by-product): key is the visit and the code, so that a diagnosis sent again is the same one. -#}
{{ config(told_by=['DG1']) }}
{%- set coded = coded_columns('diagnosis', 'said', 'dg1_3', 'coalesce(said.dg1_3_3, said.dg1_2_1)') -%}
with said as (
  select dg1.record_id, dg1.record_locator, dg1.unit_id, dg1.facility_id, dg1.batch_date, subject.record_id as subject_record_id, subject.timezone,
    dg1.dg1_2_1, dg1.dg1_3_1, coalesce(dg1.dg1_3_2, dg1.dg1_4_1) as dg1_3_2, dg1.dg1_3_3, dg1.dg1_3_4, dg1.dg1_3_5, dg1.dg1_3_6,
    dg1.dg1_3_10, dg1.dg1_3_11, dg1.dg1_3_12, dg1.dg1_5_1, dg1.dg1_6_1, dg1.dg1_19_1, dg1.dg1_21_1
  from {{ source('raw', 'raw_hl7v2__dg1') }} dg1
  join {{ ref('stg_hl7v2__subject') }} subject on subject.unit_id = dg1.unit_id and subject.patient_group = dg1.patient_group
  where {{ in_scope('dg1') }} and subject.kind = 'visit' and subject.patient_key is not null
    and coalesce(dg1.dg1_3_1, dg1.dg1_3_2, dg1.dg1_3_4, dg1.dg1_3_5, dg1.dg1_4_1) is not null
),
{{ hl7_times('onset', 'said', 'dg1_5_1') }},
{{ hl7_times('attested', 'said', 'dg1_19_1') }}
select
  {{ staging_select('condition', hl7_header('subject', 'said', {
    'fact_key': fact_key('condition', 'subject.facility_id', ['coalesce(subject.encounter_key, subject.patient_key)',
      'coalesce(said.dg1_3_1, said.dg1_3_4, said.dg1_3_2)', 'case when said.dg1_3_1 is not null then coalesce(said.dg1_3_3, said.dg1_2_1) else said.dg1_3_6 end']),
    'maintains': '1', 'subject_key': 'subject.patient_key', 'encounter_key': 'subject.encounter_key', 'encounter_identifier_value': 'subject.visit_value',
    'service_date': 'onset.local_day', 'service_end_date': 'onset.local_day',
    'code_code': coded['code'], 'code_system': coded['system'], 'code_text': coded['text'], 'code_local_code': coded['local_code'],
    'code_local_system': coded['local_system'], 'code_translations': coded['translations'],
    'verification_status': "case when said.dg1_21_1 = 'D' then 'entered-in-error' else type.fhir_code end",
    'onset_datetime': 'onset.value', 'recorded_date': 'attested.value',
    'reject_code': time_reject(['onset', 'attested']),
    'flags': flag_list([[coded['is_unmapped'], 'code.unmapped_local']] + time_flags(['onset', 'attested']))}), full_record=false) }}
from said
join {{ ref('stg_hl7v2__subject') }} subject on subject.record_id = said.subject_record_id
{{ hl7_time_join('onset', 'said.timezone', 'said.dg1_5_1') }}
{{ hl7_time_join('attested', 'said.timezone', 'said.dg1_19_1') }}
{{ join_coded('diagnosis', 'said', 'dg1_3', 'condition', 'coalesce(said.dg1_3_3, said.dg1_2_1)') }}
{{ join_hl7_table('type', '0052', 'said.dg1_6_1') }}
