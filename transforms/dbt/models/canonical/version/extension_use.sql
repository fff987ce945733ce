{{ config(materialized='scoped', strategy='replace_scope') }}
{#- Which extensions each resource carried; kept, so that those nobody registered can be counted. -#}
select used.unit_id, used.facility_id, used.batch_date, used.resource_type, used.url, used.is_modifier, used.is_registered, used.uses
from {{ ref('stg_fhir__extension_use') }} used
