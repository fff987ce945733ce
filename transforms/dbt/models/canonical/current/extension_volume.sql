{{ config(materialized='view') }}
{#- How often each facility sends each extension, whether anybody registered it, and who answers for it: the list that a steward works off. An extension that
    was registered later counts as registered: its newest use says so. -#}
with counted as (
  select used.facility_id, used.resource_type, used.url, used.is_modifier, count(distinct used.unit_id) as units, cast(sum(used.uses) as bigint) as uses,
    min(used.batch_date) as first_batch_date, max(used.batch_date) as batch_date
  from {{ ref('extension_use') }} used
  group by used.facility_id, used.resource_type, used.url, used.is_modifier
),
newest as (
  select used.facility_id, used.resource_type, used.url, used.is_modifier, used.batch_date, max(used.is_registered) as is_registered
  from {{ ref('extension_use') }} used
  group by used.facility_id, used.resource_type, used.url, used.is_modifier, used.batch_date
)
select counted.facility_id, counted.resource_type, counted.url, counted.is_modifier, newest.is_registered, profiled.profile, counted.units, counted.uses,
  counted.first_batch_date, counted.batch_date as last_batch_date, coalesce(profiled.owner, facility.owner) as owner
from counted
join newest on newest.facility_id = counted.facility_id and newest.resource_type = counted.resource_type and newest.url = counted.url
  and newest.is_modifier = counted.is_modifier and newest.batch_date = counted.batch_date
left join {{ ref('fhir_extension') }} profiled on profiled.url = counted.url
left join {{ source('ref', 'facility') }} facility on {{ in_force('facility', 'counted') }}
