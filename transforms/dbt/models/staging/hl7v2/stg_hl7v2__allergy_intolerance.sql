{#- One row for each AL1 of an ADT message (by-product): key is the patient and the substance, since AL1 has no identifier (ch. 3, s3.4.6). -#}
{{ config(told_by=['AL1']) }}
{%- set coded = coded_columns('allergen', 'said', 'al1_3') -%}
with said as (
  select al1.record_id, al1.record_locator, al1.facility_id, al1.batch_date, subject.record_id as subject_record_id, subject.timezone,
    al1.al1_3_1, al1.al1_3_2, al1.al1_3_3, al1.al1_3_4, al1.al1_3_5, al1.al1_3_6, al1.al1_3_10, al1.al1_3_11, al1.al1_3_12, al1.al1_6_1
  from {{ source('raw', 'raw_hl7v2__al1') }} al1
  join {{ ref('stg_hl7v2__subject') }} subject on subject.unit_id = al1.unit_id and subject.patient_group = al1.patient_group
  where {{ in_scope('al1') }} and subject.is_adt and subject.patient_key is not null
    and coalesce(al1.al1_3_1, al1.al1_3_2, al1.al1_3_4, al1.al1_3_5) is not null
),
{{ hl7_times('identified', 'said', 'al1_6_1') }}
select
  {{ staging_select('allergy_intolerance', hl7_header('subject', 'said', {
    'fact_key': fact_key('allergy_intolerance', 'subject.facility_id', ['subject.patient_key',
      'coalesce(said.al1_3_1, said.al1_3_4, said.al1_3_2)', 'case when said.al1_3_1 is not null then said.al1_3_3 else said.al1_3_6 end']),
    'maintains': '1', 'subject_key': 'subject.patient_key',
    'service_date': 'identified.local_day', 'service_end_date': 'identified.local_day',
    'code_code': coded['code'], 'code_system': coded['system'], 'code_text': coded['text'], 'code_local_code': coded['local_code'],
    'code_local_system': coded['local_system'], 'code_translations': coded['translations'],
    'clinical_status': "'active'", 'onset_datetime': 'identified.value',
    'reject_code': time_reject(['identified']),
    'flags': flag_list([[coded['is_unmapped'], 'code.unmapped_local']] + time_flags(['identified']))}), full_record=false) }}
from said
join {{ ref('stg_hl7v2__subject') }} subject on subject.record_id = said.subject_record_id
{{ hl7_time_join('identified', 'said.timezone', 'said.al1_6_1') }}
{{ join_coded('allergen', 'said', 'al1_3', 'allergy_intolerance') }}
