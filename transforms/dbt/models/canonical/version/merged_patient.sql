{{ config(materialized='view') }}
{#- Under which number a patient of HL7 v2 messages goes on after trusted merges (A40) and changes of number (A47), from what the messages
    themselves say: a judgement of units must not depend on tables that the judgement decides. -#}
with recursive link as (
  select said.subject_key as patient_key, min(said.other_key) as next_key
  from {{ ref('patient_link_version') }} said
  where said.type in ('replaced-by', 'renamed-to') and said.is_deleted = false
    and {{ not_held('said') }}
  group by said.subject_key
),
{{ ends_of_links('link') }}
