{{ config(materialized='view') }}
{#- Every key under which facts may name an encounter: its own, and for an encounter known by a logical id (FHIR) the key of its
    business identifier, which extracts and messages of the same facility use. -#}
select encounter.fact_key as encounter_key, encounter.fact_key
from {{ ref('encounter') }} encounter
union
select {{ encounter_key('encounter.facility_id', 'encounter.identifier_system', 'encounter.identifier_value') }} as encounter_key, encounter.fact_key
from {{ ref('encounter') }} encounter
where encounter.id is not null and encounter.identifier_value is not null
