{{ config(materialized='view') }}
{#- All flags of all units: what a unit alone tells, and what only shows beside others: a control id used before for something else, and
    references to what has not come. One row for each unit and code. -#}
select own.unit_id, own.facility_id, own.batch_date, own.flag from {{ ref('unit_own_flag') }} own
union
select reused.unit_id, reused.facility_id, reused.batch_date, 'hl7.control_id_reused' from {{ ref('control_id_reuse') }} reused
union
select open_reference.unit_id, open_reference.facility_id, open_reference.batch_date, 'fhir.unresolved_optional_reference'
from {{ ref('unresolved_reference') }} open_reference
