{{ config(materialized='scoped', strategy='append_touches', mart='mart_lab_turnaround') }}
-- depends_on: {{ ref('service_request') }} {{ ref('encounter') }}
with result_change as (
  select changed.facility_id, changed.batch_date, changed.old_from, changed.new_from
  from {{ unseen_changes('mart_lab_turnaround', ['diagnostic_report', 'observation']) }} changed
),
order_change as (
  select changed.fact_key, changed.facility_id, changed.batch_date
  from {{ unseen_changes('mart_lab_turnaround', ['service_request']) }} changed
),
encounter_change as (
  select changed.fact_key, changed.facility_id, changed.batch_date
  from {{ unseen_changes('mart_lab_turnaround', ['encounter']) }} changed
),
ordered as (
  select said.identifier_value, order_change.facility_id, order_change.batch_date
  from order_change join {{ ever_said('service_request', ['identifier_value'], 'order_change') }} said on said.fact_key = order_change.fact_key
),
name as (
  select changed.fact_key, changed.facility_id, changed.identifier_value, changed.batch_date
  from {{ names_of_encounters('encounter_change') }} changed
),
result as (
  select report.facility_id, report.service_date, report.subject_key, report.encounter_key, report.encounter_identifier_value,
    report.based_on_identifier_value
  from {{ ref('diagnostic_report') }} report
  where report.is_deleted = false
  union all
  select observation.facility_id, observation.service_date, observation.subject_key, observation.encounter_key,
    observation.encounter_identifier_value, observation.based_on_identifier_value
  from {{ ref('observation') }} observation
  where observation.is_deleted = false and observation.report_identifier_value is null and observation.based_on_identifier_value is not null
),
touched as (
  select own.facility_id, own.service_date, own.by_facility_id, own.by_batch_date from {{ own_slices('result_change') }} own
  union
  select result.facility_id, result.service_date, ordered.facility_id, ordered.batch_date
  from ordered
  join result on result.facility_id = ordered.facility_id and result.based_on_identifier_value = ordered.identifier_value
  union
  select result.facility_id, result.service_date, name.facility_id, name.batch_date
  from name join result on result.encounter_key = name.fact_key
  union
  select result.facility_id, result.service_date, name.facility_id, name.batch_date
  from name join result on result.facility_id = name.facility_id and result.encounter_identifier_value = name.identifier_value
  union
  select result.facility_id, result.service_date, regrouped.by_facility_id, regrouped.by_batch_date
  from {{ regrouped_patients('mart_lab_turnaround') }} regrouped
  join result on result.subject_key = regrouped.patient_key
)
select touched.facility_id, touched.service_date, touched.by_facility_id, touched.by_batch_date
from touched where touched.service_date is not null
