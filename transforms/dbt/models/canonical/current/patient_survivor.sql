{{ config(materialized='table') }}
{#- Where each merged patient record ended: the last record of its chain of replaced-by links. A chain is followed 20 steps at most, so
    that a ring of wrong merges ends; the smallest key then speaks for the ring. -#}
with recursive link as (
  select distinct subject_key as patient_key, other_key as next_key
  from {{ ref('patient_link') }}
  where type = 'replaced-by' and is_deleted = false
),
walk as (
  select link.patient_key, link.next_key, 1 as steps from link
  union all
  select walk.patient_key, link.next_key, walk.steps + 1
  from walk join link on link.patient_key = walk.next_key
  where walk.steps < 20
),
reached as (
  select walk.patient_key, walk.next_key,
    row_number() over (partition by walk.patient_key order by walk.steps desc, walk.next_key) as recency
  from walk
)
select patient_key, next_key as survivor_key from reached where recency = 1
