{{ config(materialized='view') }}
{#- Keys under which a patient is known: its own, and every other that leads to it (merges, business identifiers of a record with a logical
    id). What a record that awaits its subject waits for. -#}
select patient.fact_key as patient_key from {{ ref('patient') }} patient where patient.is_deleted = false
union
select leads.patient_key
from {{ ref('patient_survivor') }} leads
join {{ ref('patient') }} patient on patient.fact_key = leads.survivor_key and patient.is_deleted = false
