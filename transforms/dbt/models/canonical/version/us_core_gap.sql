{{ config(materialized='scoped', strategy='replace_scope') }}
{#- Elements that US Core requires and a resource left out; kept, so that they can be counted. -#}
select gap.unit_id, gap.facility_id, gap.batch_date, gap.resource_type, gap.element
from {{ ref('stg_fhir__us_core_gap') }} gap
