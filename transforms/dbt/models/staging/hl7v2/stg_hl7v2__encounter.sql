{#- One row for each visit message: what PV1 says of the visit. Its status is what this message alone tells; the current one comes
    from the fold (PV1-45 and class, the event only opens, cancels or discharges: s3.3.11, s3.3.13). A23 deletes the visit (s3.3.23). -#}
{{ config(told_by=['PV1']) }}
with said as (
  select pv1.record_id, pv1.record_locator, pv1.facility_id, pv1.batch_date, subject.timezone, subject.record_id as subject_record_id,
    pv1.pv1_2, pv1.pv1_2_1, pv1.pv1_3, pv1.pv1_3_1, pv1.pv1_3_1_1, pv1.pv1_3_2, pv1.pv1_3_2_1, pv1.pv1_3_3, pv1.pv1_3_3_1, pv1.pv1_7, pv1.pv1_7_1, pv1.pv1_36, pv1.pv1_36_1, pv1.pv1_44_1, pv1.pv1_45_1,
    case when pv1.pv1_7_9_2 is null then coalesce(pv1.pv1_7_9_1, pv1.pv1_7_9) else pv1.pv1_7_9_1 end as attending_namespace,
    {{ hd_uri('pv1.pv1_7_9_2', 'pv1.pv1_7_9_3') }} as attending_uri
  from {{ source('raw', 'raw_hl7v2__pv1') }} pv1
  join {{ ref('stg_hl7v2__subject') }} subject on subject.visit_record_id = pv1.record_id
  where {{ in_scope('pv1') }} and subject.kind in ('visit', 'visit_deleted') and subject.encounter_key is not null and subject.patient_key is not null
),
{{ hl7_times('started', 'said', 'pv1_44_1') }},
{{ hl7_times('ended', 'said', 'pv1_45_1') }}
select
  {{ staging_select('encounter', hl7_header('subject', 'said', {
    'fact_key': 'subject.encounter_key', 'subject_key': 'subject.patient_key', 'encounter_key': 'subject.encounter_key', 'is_fact': 'true', 'maintains': '1',
    'is_deleted': "subject.kind = 'visit_deleted'",
    'identifier_system': 'subject.visit_system', 'identifier_value': 'subject.visit_value', 'encounter_identifier_value': 'subject.visit_value',
    'service_date': 'started.local_day', 'service_end_date': "case when subject.clears_end then null else ended.local_day end",
    'status': "case when subject.status_event = 'cancelled' then 'cancelled' when subject.clears_end then 'in-progress'"
      ~ " when ended.value is not null or subject.status_event = 'finished' then 'finished' when coalesce(class.fhir_code, class_mapped.code) = 'PRENC' then 'planned'"
      ~ " when coalesce(class.fhir_code, class_mapped.code) is not null then 'in-progress' end",
    'status_event': 'subject.status_event',
    'status_event_mark': "case when subject.status_event is not null then 'V' end",
    'class_code': 'coalesce(class.fhir_code, class_mapped.code)', 'class_local_code': hl7_value('said.pv1_2_1'), 'class_mark': hl7_mark('said.pv1_2'),
    'period_start': 'started.value', 'period_start_mark': hl7_mark('said.pv1_44_1'),
    'period_end': "case when subject.clears_end then null else ended.value end",
    'period_end_mark': "case when subject.clears_end then 'N' else " ~ hl7_mark('said.pv1_45_1') ~ " end",
    'location_point_of_care': hl7_first('said.pv1_3_1'), 'location_room': hl7_first('said.pv1_3_2'), 'location_bed': hl7_first('said.pv1_3_3'),
    'location_mark': hl7_mark('said.pv1_3'),
    'discharge_disposition_code': 'coalesce(disposition_mapped.code, disposition.fhir_code)', 'disposition_mark': hl7_mark('said.pv1_36'),
    'practitioner_key': "case when " ~ hl7_value('said.pv1_7_1') ~ " is not null then "
      ~ practitioner_key('subject.facility_id', own_numbering('coalesce(attending.system, said.attending_uri, said.attending_namespace)', 'subject'), 'said.pv1_7_1') ~ " end",
    'practitioner_mark': hl7_mark('said.pv1_7'),
    'reject_code': time_reject(['started', 'ended']),
    'flags': flag_list([["class.fhir_code is null and class_mapped.code is null and said.pv1_2_1 not in ('N', 'U', '\"\"')", 'code.unmapped_local']]
                       + time_flags(['started', 'ended']))}), full_record=false) }}
from said
join {{ ref('stg_hl7v2__subject') }} subject on subject.record_id = said.subject_record_id
{{ hl7_time_join('started', 'said.timezone', 'said.pv1_44_1') }}
{{ hl7_time_join('ended', 'said.timezone', 'said.pv1_45_1') }}
{{ join_hl7_table('class', '0004', 'said.pv1_2_1') }}
{{ join_code_map('class_mapped', 'said', 'encounter_class', 'said.pv1_2_1') }}
{{ join_hl7_table('disposition', '0112', 'said.pv1_36_1') }}
{{ join_code_map('disposition_mapped', 'said', 'encounter_discharge_disposition', 'said.pv1_36_1') }}
left join {{ source('ref', 'authority') }} attending on {{ in_force('attending', 'said') }} and attending.namespace = said.attending_namespace
