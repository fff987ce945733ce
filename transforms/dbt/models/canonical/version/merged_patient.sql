{{ config(materialized='view') }}
{#- Under which number a patient of HL7 v2 messages goes on after trusted merges (A40) and changes of number (A47), from what the messages
    themselves say: a judgement of units must not depend on tables that the judgement decides. 20 steps at most, as in patient_survivor. -#}
with recursive link as (
  select said.subject_key as patient_key, min(said.other_key) as next_key
  from {{ ref('patient_link_version') }} said
  where said.type in ('replaced-by', 'renamed-to') and said.is_deleted = false
    and not exists (select 1 from {{ source('control', 'held_partition') }} held
                    where held.facility_id = said.facility_id and held.batch_date = said.batch_date and held.is_released = false)
  group by said.subject_key
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
    row_number() over (partition by walk.patient_key order by walk.steps desc nulls last, walk.next_key) as recency
  from walk
)
select patient_key, next_key as survivor_key from reached where recency = 1
