{{ config(materialized='scoped', strategy='replace_slices', mart='mart_encounter_summary') }}
-- depends_on: {{ ref('touch_mart_encounter_summary') }}
with slice as (
  select rebuild.facility_id, rebuild.service_date from {{ slices_to_rebuild('mart_encounter_summary') }} rebuild
),
visit as (
  select encounter.facility_id, encounter.service_date, encounter.service_end_date, encounter.fact_key, encounter.identifier_value,
    encounter.subject_key,
    encounter.class_code, encounter.status, encounter.location_point_of_care, encounter.discharge_disposition_code,
    {{ instant('encounter.period_start') }} as started_at, {{ instant('encounter.period_end') }} as ended_at,
    {{ exact_instant('encounter.period_start') }} as measured_start, {{ exact_instant('encounter.period_end') }} as measured_end,
    case when {{ is_inpatient_stay('encounter') }} then true else false end as is_inpatient_stay,
    case when {{ is_open('encounter') }} then true else false end as is_open
  from {{ ref('encounter') }} encounter
  join slice on slice.facility_id = encounter.facility_id and slice.service_date = encounter.service_date
  where {{ is_valid_encounter('encounter') }}
),
finding as (
  select named.fact_key, named.facility_id, named.encounter_key, named.encounter_identifier_value
  from {{ facts_naming('visit', 'observation', ['status']) }} named
  where coalesce(named.status, 'unknown') not in ('cancelled', 'entered-in-error')
),
observed as (
  select belongs.encounter_key, count(belongs.fact_key) as observation_count
  from {{ encounters_of('finding') }} belongs
  group by belongs.encounter_key
),
request as (
  select named.fact_key, named.facility_id, named.encounter_key, named.encounter_identifier_value
  from {{ facts_naming('visit', 'service_request', ['status']) }} named
  where coalesce(named.status, 'unknown') not in ('revoked', 'entered-in-error')
),
ordered as (
  select belongs.encounter_key, count(belongs.fact_key) as order_count
  from {{ encounters_of('request') }} belongs
  group by belongs.encounter_key
),
problem as (
  select named.fact_key, named.facility_id, named.encounter_key, named.encounter_identifier_value, named.code_code, named.code_system,
    {{ instant('named.recorded_date') }} as recorded_at, {{ instant('named.onset_datetime') }} as onset_at
  from {{ facts_naming('visit', 'condition', ['status', 'verification_status', 'code_code', 'code_system', 'recorded_date', 'onset_datetime']) }} named
  where coalesce(named.status, 'unknown') <> 'entered-in-error'
    and coalesce(named.verification_status, 'unconfirmed') not in ('entered-in-error', 'refuted')
),
diagnosis as (
  select belongs.encounter_key, problem.fact_key, problem.code_code, problem.code_system,
    row_number() over (
      partition by belongs.encounter_key
      order by problem.recorded_at nulls last, problem.onset_at nulls last, problem.code_code nulls last, problem.fact_key
    ) as place
  from problem
  join {{ encounters_of('problem') }} belongs on belongs.fact_key = problem.fact_key
),
diagnosed as (
  select diagnosis.encounter_key, count(diagnosis.fact_key) as condition_count,
    max(case when diagnosis.place = 1 then diagnosis.code_code end) as primary_condition_code,
    max(case when diagnosis.place = 1 then diagnosis.code_system end) as primary_condition_system
  from diagnosis
  group by diagnosis.encounter_key
)
select visit.facility_id, visit.service_date, visit.fact_key as encounter_key,
  person.person_id,
  coalesce(person.survivor_key, visit.subject_key) as patient_key,
  visit.class_code, visit.status, visit.is_inpatient_stay, visit.is_open,
  visit.started_at, visit.ended_at, visit.service_end_date,
  case when visit.measured_end >= visit.measured_start then {{ hours_between('visit.measured_start', 'visit.measured_end') }} end
    as length_of_stay_hours,
  visit.location_point_of_care, visit.discharge_disposition_code, disposition.disposition_group,
  coalesce(observed.observation_count, 0) as observation_count,
  coalesce(diagnosed.condition_count, 0) as condition_count,
  coalesce(ordered.order_count, 0) as order_count,
  diagnosed.primary_condition_code, diagnosed.primary_condition_system
from visit
left join {{ ref('patient_person') }} person on person.patient_key = visit.subject_key
left join {{ ref('disposition_group') }} disposition on disposition.disposition_code = lower(visit.discharge_disposition_code)
left join observed on observed.encounter_key = visit.fact_key
left join ordered on ordered.encounter_key = visit.fact_key
left join diagnosed on diagnosed.encounter_key = visit.fact_key
