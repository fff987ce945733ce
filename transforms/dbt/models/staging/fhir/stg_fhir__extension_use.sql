{#- Extensions of resources, at any depth: one row for each resource, url and kind. Parts of a complex extension have relative urls and belong to its
    definition. Registered is what the facility's entry lists, and ordinary extensions of the profiles that seed `fhir_extension` lists for everyone. -#}
with extended as (
  select sent.record_id, sent.unit_id, sent.facility_id, sent.batch_date, sent.resource_type, {{ json_parse('sent.resource') }} as document
  from {{ source('raw', 'raw_fhir__resource') }} sent
  where contains(sent.resource, 'xtension"') and sent.is_deleted = false and {{ in_scope('sent') }}
),
found as (
  select extended.record_id, extended.unit_id, extended.facility_id, extended.batch_date, extended.resource_type, 0 as is_modifier,
    {{ json_text('listed.value', ['url']) }} as url, cast(null as varchar) as said
  from extended{{ unnest_anywhere('listed', 'extended.document', 'extension') }} where {{ is_anywhere('listed', 'extension') }}
  union all
  select extended.record_id, extended.unit_id, extended.facility_id, extended.batch_date, extended.resource_type, 1, {{ json_text('listed.value', ['url']) }},
    coalesce({{ json_text('listed.value', ['valueBoolean']) }}, {{ json_text('listed.value', ['valueCode']) }}, {{ json_text('listed.value', ['valueString']) }})
  from extended{{ unnest_anywhere('listed', 'extended.document', 'modifierExtension') }} where {{ is_anywhere('listed', 'modifierExtension') }}
)
select found.record_id, found.unit_id, found.facility_id, found.batch_date, found.resource_type, found.url, found.is_modifier, count(*) as uses,
  max(case when registered.url is not null or found.is_modifier = 0 and profiled.url is not null then 1 else 0 end) as is_registered,
  min(case when found.said = registered.effect_when then registered.effect_status end) as effect_status
from found
left join {{ source('ref', 'extension') }} registered on {{ in_force('registered', 'found') }}
  and registered.url = found.url and (registered.is_modifier or found.is_modifier = 0)
left join {{ ref('fhir_extension') }} profiled on profiled.url = found.url
where found.is_modifier = 1 or position(':' in found.url) > 0
group by found.record_id, found.unit_id, found.facility_id, found.batch_date, found.resource_type, found.url, found.is_modifier
