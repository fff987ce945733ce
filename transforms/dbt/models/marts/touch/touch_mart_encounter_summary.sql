{{ config(materialized='scoped', strategy='append_touches', mart='mart_encounter_summary') }}
-- depends_on: {{ ref('observation') }} {{ ref('condition') }} {{ ref('service_request') }}
with encounter_change as (
  select changed.fact_key, changed.facility_id, changed.batch_date, changed.old_from, changed.new_from
  from {{ unseen_changes('mart_encounter_summary', ['encounter']) }} changed
),
part_change as (
  select changed.object, changed.fact_key, changed.facility_id, changed.batch_date
  from {{ unseen_changes('mart_encounter_summary', ['observation', 'condition', 'service_request']) }} changed
),
{#- How a changed fact names its encounter, or ever named it; the numbers of a changed encounter, which others may share; and the numbers in
    facts that name it by key, which lead to another encounter while it is not there. -#}
name as (
  {%- for resource in ['observation', 'condition', 'service_request'] %}
  select said.encounter_key, said.encounter_identifier_value as identifier_value, part_change.facility_id, part_change.batch_date
  from part_change
  join {{ ever_said(resource, ['encounter_key', 'encounter_identifier_value'], 'part_change') }} said on said.fact_key = part_change.fact_key
  where part_change.object = '{{ resource }}'
  union
  select cast(null as varchar), fact.encounter_identifier_value, encounter_change.facility_id, encounter_change.batch_date
  from encounter_change join {{ ref(resource) }} fact on fact.encounter_key = encounter_change.fact_key
  union
  {%- endfor %}
  select cast(null as varchar), changed.identifier_value, changed.facility_id, changed.batch_date
  from {{ names_of_encounters('encounter_change') }} changed
),
touched as (
  select own.facility_id, own.service_date, own.by_facility_id, own.by_batch_date from {{ own_slices('encounter_change') }} own
  union
  select encounter.facility_id, encounter.service_date, name.facility_id, name.batch_date
  from name join {{ ref('encounter') }} encounter on encounter.fact_key = name.encounter_key
  union
  select encounter.facility_id, encounter.service_date, name.facility_id, name.batch_date
  from name
  join {{ ref('encounter') }} encounter on encounter.facility_id = name.facility_id and encounter.identifier_value = name.identifier_value
  union
  select encounter.facility_id, encounter.service_date, regrouped.by_facility_id, regrouped.by_batch_date
  from {{ regrouped_patients('mart_encounter_summary') }} regrouped
  join {{ ref('encounter') }} encounter on encounter.subject_key = regrouped.patient_key
)
select touched.facility_id, touched.service_date, touched.by_facility_id, touched.by_batch_date
from touched where touched.service_date is not null
