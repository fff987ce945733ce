{{ config(materialized='scoped', strategy='append_touches', mart='mart_facility_volume') }}
with event_change as (
  select changed.facility_id, changed.batch_date, changed.old_from, changed.new_from
  from {{ unseen_changes('mart_facility_volume', ['encounter', 'observation', 'service_request']) }} changed
),
{#- Results and orders are counted under the class of their encounter, so a changed encounter reaches theirs. -#}
encounter_change as (
  select changed.fact_key, changed.facility_id, changed.batch_date
  from {{ unseen_changes('mart_facility_volume', ['encounter']) }} changed
),
touched as (
  select own.facility_id, own.service_date, own.by_facility_id, own.by_batch_date from {{ own_slices('event_change') }} own
  union
  select observation.facility_id, observation.service_date, encounter_change.facility_id, encounter_change.batch_date
  from encounter_change
  join {{ ref('encounter_alias') }} alias on alias.fact_key = encounter_change.fact_key
  join {{ ref('observation') }} observation on observation.encounter_key = alias.encounter_key
  union
  select service_request.facility_id, service_request.service_date, encounter_change.facility_id, encounter_change.batch_date
  from encounter_change
  join {{ ref('encounter_alias') }} alias on alias.fact_key = encounter_change.fact_key
  join {{ ref('service_request') }} service_request on service_request.encounter_key = alias.encounter_key
  union
  select encounter.facility_id, encounter.service_date, regrouped.by_facility_id, regrouped.by_batch_date
  from {{ regrouped_patients('mart_facility_volume') }} regrouped
  join {{ ref('encounter') }} encounter on encounter.subject_key = regrouped.patient_key
)
select touched.facility_id, touched.service_date, touched.by_facility_id, touched.by_batch_date
from touched where touched.service_date is not null
