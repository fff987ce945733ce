{{ config(materialized='scoped', strategy='replace_slices', mart='mart_facility_volume') }}
-- depends_on: {{ ref('touch_mart_facility_volume') }}
with slice as (
  select rebuild.facility_id, rebuild.service_date from {{ slices_to_rebuild('mart_facility_volume') }} rebuild
),
result as (
  select observation.facility_id, observation.service_date, observation.fact_key, observation.encounter_key,
    observation.encounter_identifier_value
  from {{ ref('observation') }} observation
  join slice on slice.facility_id = observation.facility_id and slice.service_date = observation.service_date
  where observation.is_deleted = false and observation.status in ('final', 'amended', 'corrected')
),
placed as (
  select service_request.facility_id, service_request.service_date, service_request.fact_key, service_request.encounter_key,
    service_request.encounter_identifier_value
  from {{ ref('service_request') }} service_request
  join slice on slice.facility_id = service_request.facility_id and slice.service_date = service_request.service_date
  where service_request.is_deleted = false and coalesce(service_request.status, 'unknown') not in ('draft', 'revoked', 'entered-in-error')
),
event as (
  select encounter.facility_id, encounter.service_date, encounter.class_code, encounter.fact_key as encounter_key,
    coalesce(person.human_key, encounter.subject_key) as human_key, cast(null as varchar) as result_key, cast(null as varchar) as order_key
  from {{ ref('encounter') }} encounter
  join slice on slice.facility_id = encounter.facility_id and slice.service_date = encounter.service_date
  left join {{ ref('patient_person') }} person on person.patient_key = encounter.subject_key
  where {{ is_valid_encounter('encounter') }} and coalesce(encounter.status, 'unknown') <> 'planned'
  {%- for fact, result_key, order_key in [['result', 'result.fact_key', 'null'], ['placed', 'null', 'placed.fact_key']] %}
  union all
  select {{ fact }}.facility_id, {{ fact }}.service_date, encounter.class_code, null, null, {{ result_key }}, {{ order_key }}
  from {{ fact }}
  left join {{ encounters_of(fact) }} belongs on belongs.fact_key = {{ fact }}.fact_key
  left join {{ ref('encounter') }} encounter on encounter.fact_key = belongs.encounter_key and {{ is_valid_encounter('encounter') }}
  {%- endfor %}
)
select event.facility_id, event.service_date, coalesce(event.class_code, 'unknown') as class_code,
  count(event.encounter_key) as encounters,
  count(distinct event.human_key) as persons,
  count(event.result_key) as results,
  count(event.order_key) as orders
from event
group by event.facility_id, event.service_date, coalesce(event.class_code, 'unknown')
