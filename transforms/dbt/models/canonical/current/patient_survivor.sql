{{ config(materialized='scoped', strategy='merge_survivor', consumes=['patient', 'patient_identifier', 'patient_link']) }}
{#- Under which record a patient key's facts belong. Two roads lead on: a trusted merge (HL7 v2 A40) from the replaced record to its
    survivor, or from a wrong number to the corrected one (A47), and, for a record known by a logical id (FHIR), from the key of each of its business identifiers, which extracts and
    messages of the same facility use, to the record. -#}
with recursive road as (
  select merged.subject_key, merged.other_key, {{ newest_road('merged') }} as recency
  from {{ ref('patient_link') }} merged
  where merged.type in ('replaced-by', 'renamed-to') and merged.is_deleted = false
),
link as (
  select road.subject_key as patient_key, road.other_key as next_key from road where road.recency = 1
  union
  select {{ patient_key('identifier.facility_id', 'identifier.system', 'identifier.value') }}, min(identifier.subject_key)
  from {{ ref('patient_identifier') }} identifier
  join {{ ref('patient') }} patient on patient.fact_key = identifier.subject_key and patient.id is not null and patient.is_deleted = false
  where identifier.is_deleted = false
    and not exists (select 1 from {{ ref('patient') }} known
                    where known.fact_key = {{ patient_key('identifier.facility_id', 'identifier.system', 'identifier.value') }})
  group by {{ patient_key('identifier.facility_id', 'identifier.system', 'identifier.value') }}
),
{{ ends_of_links('link') }}
