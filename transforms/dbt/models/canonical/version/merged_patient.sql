{{ config(materialized='view') }}
{#- Under which number a patient of HL7 v2 messages goes on after trusted merges (A40) and changes of number (A47), from what the messages
    themselves say: a judgement of units must not depend on tables that the judgement decides. Of what is said of one link, and of several
    links that lead on, the newest holds. -#}
with recursive said as (
  select said.subject_key, said.other_key, said.source_time, said.source_order, said.is_deleted,
    row_number() over (partition by said.fact_key
      order by said.source_time desc nulls last, said.source_order desc nulls last, said.row_hash desc nulls last, said.record_id) as recency
  from {{ ref('patient_link_version') }} said
  where said.type in ('replaced-by', 'renamed-to') and {{ not_held('said') }}
),
road as (
  select said.subject_key, said.other_key, {{ newest_road('said') }} as recency
  from said where said.recency = 1 and said.is_deleted = false
),
link as (
  select road.subject_key as patient_key, road.other_key as next_key from road where road.recency = 1
),
{{ ends_of_links('link') }}
