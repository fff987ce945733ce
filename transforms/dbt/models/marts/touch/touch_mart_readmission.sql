{{ config(materialized='scoped', strategy='append_touches', mart='mart_readmission') }}
{#- A changed stay reaches its own discharge before and after, and each discharge of its human, at any facility, that may have it as
    readmission. A changed person reaches every discharge of the humans before and after. -#}
with encounter_change as (
  select changed.fact_key, changed.facility_id, changed.batch_date, changed.old_from, changed.old_to, changed.new_from, changed.new_to,
    changed.old_subject_key, changed.new_subject_key
  from {{ unseen_changes('mart_readmission', ['encounter']) }} changed
),
stay_change as (
  select encounter_change.facility_id, encounter_change.batch_date, encounter_change.old_from, encounter_change.old_to,
    encounter_change.new_from, encounter_change.new_to, encounter_change.old_subject_key, encounter_change.new_subject_key
  from encounter_change
  where encounter_change.fact_key in (
    select said.fact_key from {{ ever_said('encounter', ['class_code'], 'encounter_change') }} said where {{ is_inpatient('said') }})
),
admission as (
  select stay_change.old_subject_key as patient_key, stay_change.old_from as admission_date, stay_change.facility_id, stay_change.batch_date
  from stay_change
  union
  select stay_change.new_subject_key, stay_change.new_from, stay_change.facility_id, stay_change.batch_date
  from stay_change
),
admitted as (
  select coalesce(person.human_key, admission.patient_key) as human_key, admission.admission_date, admission.facility_id, admission.batch_date
  from admission left join {{ ref('patient_person') }} person on person.patient_key = admission.patient_key
),
regrouped as (
  select patient.patient_key, patient.by_facility_id as facility_id, patient.by_batch_date as batch_date
  from {{ regrouped_patients('mart_readmission') }} patient
),
link_change as (
  select changed.object, changed.facility_id, changed.batch_date, changed.old_subject_key, changed.new_subject_key
  from {{ unseen_changes('mart_readmission', ['link', 'patient_survivor']) }} changed
),
{#- Subjects of a link are persons, those of a moved survivor patient records. A record whose link was null counted as its survivor's
    human, which no subject names. -#}
regrouped_human as (
  select coalesce(person.human_key, regrouped.patient_key) as human_key, regrouped.facility_id, regrouped.batch_date
  from regrouped left join {{ ref('patient_person') }} person on person.patient_key = regrouped.patient_key
  union
  select surviving.human_key, regrouped.facility_id, regrouped.batch_date
  from regrouped
  join {{ ref('patient_person') }} person on person.patient_key = regrouped.patient_key
  join {{ ref('patient_person') }} surviving on surviving.patient_key = person.survivor_key
  {%- for subject in ['old_subject_key', 'new_subject_key'] %}
  union
  select coalesce(person.human_key, link_change.{{ subject }}), link_change.facility_id, link_change.batch_date
  from link_change
  left join {{ ref('patient_person') }} person
    on person.patient_key = link_change.{{ subject }} and link_change.object = 'patient_survivor'
  {%- endfor %}
),
discharge as (
  select encounter.facility_id, encounter.service_end_date, coalesce(person.human_key, encounter.subject_key) as human_key
  from {{ ref('encounter') }} encounter
  left join {{ ref('patient_person') }} person on person.patient_key = encounter.subject_key
  where {{ is_inpatient_stay('encounter') }} and encounter.service_end_date is not null
),
touched as (
  select own.facility_id, own.service_date, own.by_facility_id, own.by_batch_date from {{ own_slices('stay_change', 'to') }} own
  union
  select discharge.facility_id, discharge.service_end_date, admitted.facility_id, admitted.batch_date
  from admitted
  join discharge on discharge.human_key = admitted.human_key
    and {{ dbt.datediff('discharge.service_end_date', 'admitted.admission_date', 'day') }} between -1 and 30
  union
  select discharge.facility_id, discharge.service_end_date, regrouped_human.facility_id, regrouped_human.batch_date
  from regrouped_human join discharge on discharge.human_key = regrouped_human.human_key
)
select touched.facility_id, touched.service_date, touched.by_facility_id, touched.by_batch_date
from touched where touched.service_date is not null
