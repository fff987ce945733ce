{{ config(materialized='view') }}
{#- Whom a patient record stands for. Facts name the record they were sent under; merges and links are joined here and never written
    into facts, so that neither rewrites them. -#}
with link as (
  select link.patient_key, link.person_id from {{ source('identity', 'link') }} link
),
known as (
  select link.patient_key from link
  union
  select survivor.patient_key from {{ ref('patient_survivor') }} survivor
  union
  select survivor.survivor_key from {{ ref('patient_survivor') }} survivor
),
resolved as (
  select known.patient_key, coalesce(survivor.survivor_key, known.patient_key) as survivor_key
  from known
  left join {{ ref('patient_survivor') }} survivor on survivor.patient_key = known.patient_key
)
select resolved.patient_key, resolved.survivor_key,
  coalesce(own.person_id, surviving.person_id) as person_id,
  coalesce(own.person_id, surviving.person_id, resolved.survivor_key) as human_key
from resolved
left join link own on own.patient_key = resolved.patient_key
left join link surviving on surviving.patient_key = resolved.survivor_key
