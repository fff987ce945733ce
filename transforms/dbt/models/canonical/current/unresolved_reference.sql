{{ config(materialized='view') }}
{#- References to a resource that no feed of the facility has sent; the row stands, its subject apart (a fact without its subject waits). -#}
select distinct said.unit_id, said.facility_id, said.batch_date, said.target_type, said.target_id
from {{ ref('optional_reference') }} said
where not exists (select 1 from {{ source('raw', 'raw_fhir__resource') }} target
                  where target.facility_id = said.facility_id and target.resource_type = said.target_type and target.id = said.target_id
                    and target.is_deleted = false)
