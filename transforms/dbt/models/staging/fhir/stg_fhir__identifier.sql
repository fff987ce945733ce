{#- Business identifiers of patients, and of resources without a logical id: one row for each identifier that has a value.
    `choice` 1 is the one that names the resource: a patient's in the facility's default authority, else the first. `mention` counts how often a resource
    lists the same one. -#}
with named as (
  select sent.record_id, sent.facility_id, sent.id, sent.resource_type, facility.default_system,
    {{ json_parse(json_text(json_parse('sent.resource'), ['identifier'])) }} as identifiers
  from {{ source('raw', 'raw_fhir__resource') }} sent
  join {{ source('ref', 'facility') }} facility on {{ in_force('facility', 'sent') }}
  where (sent.id is null or sent.resource_type = 'Patient') and sent.is_deleted = false and {{ in_scope('sent') }}
),
listed as (
  select named.record_id, named.resource_type, named.default_system, cast({{ array_place('one') }} as integer) as place,
    {{ json_text(array_value('one'), ['system']) }} as system, {{ json_text(array_value('one'), ['value']) }} as value,
    {{ json_text(array_value('one'), ['use']) }} as identifier_use,
    coalesce({{ json_text(array_value('one'), ['type', 'coding', 0, 'code']) }}, {{ json_text(array_value('one'), ['type', 'text']) }}) as type_code
  from named{{ unnest_array('one', 'named.identifiers') }}
)
select listed.record_id, listed.place, listed.system, listed.value, listed.identifier_use, listed.type_code,
  row_number() over (partition by listed.record_id
    order by case when listed.resource_type = 'Patient' and listed.system = listed.default_system then 0 else 1 end, listed.place) as choice,
  row_number() over (partition by listed.record_id, listed.system, listed.value order by listed.place) as mention
from listed
where listed.value is not null
