{{ config(materialized='scoped', strategy='append_touches', mart='mart_encounter_summary') }}
-- depends_on: {{ ref('observation') }} {{ ref('condition') }} {{ ref('service_request') }}
with encounter_change as (
  select changed.facility_id, changed.batch_date, changed.old_from, changed.new_from
  from {{ unseen_changes('mart_encounter_summary', ['encounter']) }} changed
),
part_change as (
  select changed.object, changed.fact_key, changed.facility_id, changed.batch_date
  from {{ unseen_changes('mart_encounter_summary', ['observation', 'condition', 'service_request']) }} changed
),
{#- Encounters that a changed fact is or ever was part of. -#}
part_of as (
  {%- for resource in ['observation', 'condition', 'service_request'] %}
  select said.encounter_key, part_change.facility_id, part_change.batch_date
  from part_change
  join {{ ever_said(resource, 'encounter_key', 'part_change') }} said on said.fact_key = part_change.fact_key
  where part_change.object = '{{ resource }}'
  {{ 'union' if not loop.last }}
  {%- endfor %}
),
touched as (
  select own.facility_id, own.service_date, own.by_facility_id, own.by_batch_date from {{ own_slices('encounter_change') }} own
  union
  select encounter.facility_id, encounter.service_date, part_of.facility_id, part_of.batch_date
  from part_of
  join {{ ref('encounter_alias') }} alias on alias.encounter_key = part_of.encounter_key
  join {{ ref('encounter') }} encounter on encounter.fact_key = alias.fact_key
  union
  select encounter.facility_id, encounter.service_date, regrouped.by_facility_id, regrouped.by_batch_date
  from {{ regrouped_patients('mart_encounter_summary') }} regrouped
  join {{ ref('encounter') }} encounter on encounter.subject_key = regrouped.patient_key
)
select touched.facility_id, touched.service_date, touched.by_facility_id, touched.by_batch_date
from touched where touched.service_date is not null
