{#- One row for each PR1 of a visit message (by-product): key is the visit, the code and when it was done. -#}
{{ config(told_by=['PR1']) }}
{%- set coded = coded_columns('code', 'said', 'pr1_3', 'coalesce(said.pr1_3_3, said.pr1_2_1)') -%}
with said as (
  select pr1.record_id, pr1.record_locator, pr1.facility_id, pr1.batch_date, subject.record_id as subject_record_id, subject.timezone,
    pr1.pr1_2_1, pr1.pr1_3_1, coalesce(pr1.pr1_3_2, pr1.pr1_4_1) as pr1_3_2, pr1.pr1_3_3, pr1.pr1_3_4, pr1.pr1_3_5, pr1.pr1_3_6,
    pr1.pr1_3_10, pr1.pr1_3_11, pr1.pr1_3_12, pr1.pr1_5_1, pr1.pr1_20_1
  from {{ source('raw', 'raw_hl7v2__pr1') }} pr1
  join {{ ref('stg_hl7v2__subject') }} subject on subject.unit_id = pr1.unit_id and subject.patient_group = pr1.patient_group
  where {{ in_scope('pr1') }} and subject.kind = 'visit' and subject.patient_key is not null
    and coalesce(pr1.pr1_3_1, pr1.pr1_3_2, pr1.pr1_3_4, pr1.pr1_3_5, pr1.pr1_4_1) is not null
),
{{ hl7_times('performed', 'said', 'pr1_5_1') }}
select
  {{ staging_select('procedure', hl7_header('subject', 'said', {
    'fact_key': fact_key('procedure', 'subject.facility_id', ['coalesce(subject.encounter_key, subject.patient_key)',
      'coalesce(said.pr1_3_1, said.pr1_3_4, said.pr1_3_2)', 'case when said.pr1_3_1 is not null then coalesce(said.pr1_3_3, said.pr1_2_1) else said.pr1_3_6 end',
      'performed.value']),
    'maintains': '1', 'subject_key': 'subject.patient_key', 'encounter_key': 'subject.encounter_key', 'encounter_identifier_value': 'subject.visit_value',
    'status': "case when said.pr1_20_1 = 'D' then 'entered-in-error' else 'completed' end",
    'service_date': 'performed.local_day', 'service_end_date': 'performed.local_day',
    'code_code': coded['code'], 'code_system': coded['system'], 'code_text': coded['text'], 'code_local_code': coded['local_code'],
    'code_local_system': coded['local_system'], 'code_translations': coded['translations'], 'performed_datetime': 'performed.value',
    'reject_code': time_reject(['performed']),
    'flags': flag_list([[coded['is_unmapped'], 'code.unmapped_local']] + time_flags(['performed']))}), full_record=false) }}
from said
join {{ ref('stg_hl7v2__subject') }} subject on subject.record_id = said.subject_record_id
{{ hl7_time_join('performed', 'said.timezone', 'said.pr1_5_1') }}
{{ join_coded('code', 'said', 'pr1_3', 'procedure', 'coalesce(said.pr1_3_3, said.pr1_2_1)') }}
