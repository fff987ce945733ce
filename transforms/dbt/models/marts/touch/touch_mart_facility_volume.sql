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
name as (
  select changed.fact_key, changed.facility_id, changed.identifier_value, changed.batch_date
  from {{ names_of_encounters('encounter_change') }} changed
),
touched as (
  select own.facility_id, own.service_date, own.by_facility_id, own.by_batch_date from {{ own_slices('event_change') }} own
  union
  {%- for resource in ['observation', 'service_request'] %}
  select fact.facility_id, fact.service_date, name.facility_id, name.batch_date
  from name join {{ ref(resource) }} fact on fact.encounter_key = name.fact_key
  union
  select fact.facility_id, fact.service_date, name.facility_id, name.batch_date
  from name
  join {{ ref(resource) }} fact on fact.facility_id = name.facility_id and fact.encounter_identifier_value = name.identifier_value
  union
  {%- endfor %}
  select encounter.facility_id, encounter.service_date, regrouped.by_facility_id, regrouped.by_batch_date
  from {{ regrouped_patients('mart_facility_volume') }} regrouped
  join {{ ref('encounter') }} encounter on encounter.subject_key = regrouped.patient_key
)
select touched.facility_id, touched.service_date, touched.by_facility_id, touched.by_batch_date
from touched where touched.service_date is not null
