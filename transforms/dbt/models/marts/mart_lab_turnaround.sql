{{ config(materialized='scoped', strategy='replace_slices', mart='mart_lab_turnaround') }}
-- depends_on: {{ ref('touch_mart_lab_turnaround') }}
with slice as (
  select rebuild.facility_id, rebuild.service_date from {{ slices_to_rebuild('mart_lab_turnaround') }} rebuild
),
{#- An observation that a report carries is measured with its report; one that answers an order on its own stands for itself. -#}
result as (
  select report.facility_id, report.service_date, report.fact_key, 'diagnostic_report' as result_kind, report.subject_key,
    report.encounter_key, report.encounter_identifier_value, report.code_code, report.code_system, report.status,
    report.based_on_identifier_value,
    {{ exact_instant('report.effective_datetime') }} as collected_at, {{ exact_instant('report.issued') }} as resulted_at
  from {{ ref('diagnostic_report') }} report
  join slice on slice.facility_id = report.facility_id and slice.service_date = report.service_date
  where report.is_deleted = false and report.status in ('final', 'amended', 'corrected', 'appended')
  union all
  select observation.facility_id, observation.service_date, observation.fact_key, 'observation' as result_kind, observation.subject_key,
    observation.encounter_key, observation.encounter_identifier_value, observation.code_code, observation.code_system, observation.status,
    observation.based_on_identifier_value,
    {{ exact_instant('observation.effective_datetime') }}, {{ exact_instant('observation.issued') }}
  from {{ ref('observation') }} observation
  join slice on slice.facility_id = observation.facility_id and slice.service_date = observation.service_date
  where observation.is_deleted = false and observation.status in ('final', 'amended', 'corrected')
    and observation.report_identifier_value is null and observation.based_on_identifier_value is not null
),
{#- A facility may send one order number under several authorities: the newest order by source time is the one meant. -#}
placed as (
  select service_request.facility_id, service_request.identifier_value, service_request.fact_key, service_request.priority,
    {{ exact_instant('service_request.authored_on') }} as ordered_at,
    row_number() over (
      partition by service_request.facility_id, service_request.identifier_value
      order by service_request.source_time desc nulls last, service_request.fact_key
    ) as place
  from {{ ref('service_request') }} service_request
  join (select distinct result.facility_id, result.based_on_identifier_value from result) asked
    on asked.facility_id = service_request.facility_id and asked.based_on_identifier_value = service_request.identifier_value
  where service_request.is_deleted = false and coalesce(service_request.status, 'unknown') <> 'entered-in-error'
)
select result.facility_id, result.service_date, result.fact_key as result_key, result.result_kind,
  person.person_id,
  coalesce(person.survivor_key, result.subject_key) as patient_key,
  belongs.encounter_key, encounter.class_code,
  result.code_code, result.code_system, result.status,
  placed.fact_key as order_key, placed.priority,
  placed.ordered_at, result.collected_at, result.resulted_at,
  {{ minutes_between('placed.ordered_at', 'result.collected_at') }} as order_to_collection_minutes,
  {{ minutes_between('result.collected_at', 'result.resulted_at') }} as collection_to_result_minutes,
  {{ minutes_between('placed.ordered_at', 'result.resulted_at') }} as order_to_result_minutes,
  case when result.resulted_at < result.collected_at or result.collected_at < placed.ordered_at or result.resulted_at < placed.ordered_at
    then true else false end as has_reversed_times
from result
left join {{ ref('patient_person') }} person on person.patient_key = result.subject_key
left join placed on placed.place = 1 and placed.facility_id = result.facility_id
  and placed.identifier_value = result.based_on_identifier_value
left join {{ encounters_of('result') }} belongs on belongs.fact_key = result.fact_key
left join {{ ref('encounter') }} encounter on encounter.fact_key = belongs.encounter_key and {{ is_valid_encounter('encounter') }}
