{#- One row for each patient number that a merge or a change of number retires (MRG-1), beside the patient that remains. All numbers of the
    best kind that MRG-1 lists are retired, never the one that remains. -#}
with prior as (
  select identifier.record_id, identifier.record_locator, identifier.unit_id, identifier.patient_group, identifier.system, identifier.numbering,
    identifier.value, identifier.preference,
    min(identifier.preference) over (partition by identifier.unit_id, identifier.patient_group) as best_preference
  from {{ ref('stg_hl7v2__identifier') }} identifier
  where identifier.segment_name = 'mrg' and identifier.preference is not null
)
select prior.record_id, prior.record_locator, prior.unit_id, prior.system, prior.value, subject.kind, subject.record_id as subject_record_id,
  subject.facility_id, {{ patient_key('subject.facility_id', 'prior.numbering', 'prior.value') }} as prior_key
from prior
join {{ ref('stg_hl7v2__subject') }} subject on subject.unit_id = prior.unit_id and subject.patient_group = prior.patient_group
where prior.preference = prior.best_preference and subject.kind in ('merge', 'rename') and subject.patient_key is not null
  and not (prior.numbering = subject.patient_numbering and prior.value = subject.patient_value)
