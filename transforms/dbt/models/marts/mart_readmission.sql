{{ config(materialized='scoped', strategy='replace_slices', mart='mart_readmission') }}
-- depends_on: {{ ref('touch_mart_readmission') }}
with slice as (
  select rebuild.facility_id, rebuild.service_date from {{ slices_to_rebuild('mart_readmission') }} rebuild
),
index_stay as (
  select encounter.facility_id, encounter.service_end_date, encounter.fact_key, encounter.service_date, encounter.period_end,
    encounter.discharge_disposition_code, person.person_id,
    coalesce(person.survivor_key, encounter.subject_key) as patient_key,
    coalesce(person.human_key, encounter.subject_key) as human_key
  from {{ ref('encounter') }} encounter
  join slice on slice.facility_id = encounter.facility_id and slice.service_date = encounter.service_end_date
  left join {{ ref('disposition_group') }} disposition on disposition.disposition_code = lower(encounter.discharge_disposition_code)
  left join {{ ref('patient_person') }} person on person.patient_key = encounter.subject_key
  where {{ is_inpatient_stay('encounter') }}
    and coalesce(disposition.disposition_group, 'discharged') not in ('died', 'transferred', 'planned_return', 'still_patient')
),
{#- All records of the people concerned, at any facility; a record that identity has not seen stands for itself. -#}
member as (
  select person.patient_key, person.human_key
  from {{ ref('patient_person') }} person
  join (select distinct index_stay.human_key from index_stay) sought on sought.human_key = person.human_key
  union
  select index_stay.human_key, index_stay.human_key from index_stay where index_stay.person_id is null
),
later_stay as (
  select member.human_key, encounter.fact_key, encounter.facility_id, encounter.service_date, encounter.period_start,
    {{ instant('encounter.period_start') }} as started_at
  from {{ ref('encounter') }} encounter
  join member on member.patient_key = encounter.subject_key
  where {{ is_inpatient_stay('encounter') }}
),
{#- After the discharge by the clock where both times state one, else by date. Local dates of two facilities may run backwards by one. -#}
candidate as (
  select index_stay.fact_key as index_key, later_stay.fact_key, later_stay.facility_id, later_stay.service_date,
    case when later_stay.service_date < index_stay.service_end_date then 0
      else {{ dbt.datediff('index_stay.service_end_date', 'later_stay.service_date', 'day') }} end as days,
    row_number() over (
      partition by index_stay.fact_key order by later_stay.started_at nulls last, later_stay.facility_id, later_stay.fact_key
    ) as place
  from index_stay
  join later_stay on later_stay.human_key = index_stay.human_key and later_stay.fact_key <> index_stay.fact_key
  where {{ dbt.datediff('index_stay.service_end_date', 'later_stay.service_date', 'day') }} between -1 and 30
    and case when length(index_stay.period_end) > 10 and length(later_stay.period_start) > 10
        then later_stay.started_at >= {{ instant('index_stay.period_end') }}
        else later_stay.service_date >= index_stay.service_end_date end
)
select index_stay.facility_id, index_stay.service_end_date as service_date, index_stay.fact_key as index_encounter_key,
  index_stay.person_id, index_stay.patient_key,
  index_stay.service_date as admission_date, {{ instant('index_stay.period_end') }} as discharged_at,
  index_stay.discharge_disposition_code,
  case when candidate.fact_key is not null then true else false end as is_readmitted,
  cast(candidate.days as integer) as days_to_readmission,
  candidate.facility_id as readmission_facility_id,
  candidate.fact_key as readmission_encounter_key,
  candidate.service_date as readmission_date
from index_stay
left join candidate on candidate.index_key = index_stay.fact_key and candidate.place = 1
