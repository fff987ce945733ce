{#- One row for each patient number that a merge or a change of number retires (MRG-1), beside the patient that remains. All numbers of the
    best kind that MRG-1 lists are retired, never the one that remains. -#}
{{ config(told_by=['MRG']) }}
with retired as (
  select identifier.record_id, identifier.record_locator, identifier.unit_id, identifier.patient_group, identifier.system, identifier.numbering,
    identifier.value, identifier.preference,
    min(identifier.preference) over (partition by identifier.unit_id, identifier.patient_group) as best_preference
  from {{ ref('stg_hl7v2__identifier') }} identifier
  where identifier.segment_name = 'mrg' and identifier.preference is not null
)
select retired.record_id, retired.record_locator, retired.unit_id, retired.system, retired.value, subject.kind, subject.record_id as subject_record_id,
  subject.facility_id, {{ patient_key('subject.facility_id', 'retired.numbering', 'retired.value') }} as prior_key
from retired
join {{ ref('stg_hl7v2__subject') }} subject on subject.unit_id = retired.unit_id and subject.patient_group = retired.patient_group
where retired.preference = retired.best_preference and subject.kind in ('merge', 'rename') and subject.patient_key is not null
  and not (retired.numbering = subject.patient_numbering and retired.value = subject.patient_value)
