{#- One row for each identifier that PID-3 lists; after a change of number (A47) the former number too, with use `old` (FHIR identifier-use). -#}
with listed as (
  select identifier.record_id, identifier.record_locator, subject.record_id as subject_record_id, identifier.system, identifier.numbering,
    identifier.value, identifier.type_code, identifier.is_unknown_authority
  from {{ ref('stg_hl7v2__identifier') }} identifier
  join {{ ref('stg_hl7v2__subject') }} subject on subject.unit_id = identifier.unit_id and subject.patient_group = identifier.patient_group
  where identifier.segment_name = 'pid' and subject.patient_key is not null
),
{#- What a change of number says of the former number: it belongs to the new one as `old`, and no longer stands for itself. -#}
former as (
  select retired.record_id, retired.record_locator, retired.subject_record_id, retired.system, retired.value, retired.prior_key,
    subject.patient_system, subject.patient_value, subject.patient_key, false as is_withdrawn
  from {{ ref('stg_hl7v2__prior_patient') }} retired
  join {{ ref('stg_hl7v2__subject') }} subject on subject.record_id = retired.subject_record_id
  where retired.kind = 'rename'
  union all
  select retired.record_id, retired.record_locator, retired.subject_record_id, retired.system, retired.value, retired.prior_key,
    retired.system as patient_system, retired.value as patient_value, retired.prior_key as patient_key, true as is_withdrawn
  from {{ ref('stg_hl7v2__prior_patient') }} retired
  where retired.kind = 'rename'
)
select
  {{ staging_select('patient_identifier', hl7_header('subject', 'listed', {
    'fact_key': fact_key('patient_identifier', 'subject.facility_id', ['subject.patient_key', 'listed.numbering', 'listed.value']),
    'subject_key': 'subject.patient_key', 'identifier_system': 'subject.patient_system', 'identifier_value': 'subject.patient_value',
    'maintains': 'case when subject.is_adt then 1 else 0 end',
    'system': 'listed.system', 'value': 'listed.value', 'type_code': 'listed.type_code',
    'flags': flag_list([['listed.is_unknown_authority', 'identity.unknown_authority']])}), full_record=false) }}
from listed
join {{ ref('stg_hl7v2__subject') }} subject on subject.record_id = listed.subject_record_id
union all
select
  {{ staging_select('patient_identifier', hl7_header('subject', 'former', {
    'fact_key': fact_key('patient_identifier', 'subject.facility_id', ['former.patient_key', 'former.system', 'former.value']),
    'subject_key': 'former.patient_key', 'identifier_system': 'former.patient_system', 'identifier_value': 'former.patient_value',
    'is_deleted': 'former.is_withdrawn', 'maintains': '1',
    'system': 'former.system', 'value': 'former.value', 'type_code': "'MR'", 'use': "'old'"}), full_record=false) }}
from former
join {{ ref('stg_hl7v2__subject') }} subject on subject.record_id = former.subject_record_id
