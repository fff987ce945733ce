{#- What the extensions of a resource, at any depth, mean for it. A modifierExtension that is not registered forbids the use of the
    resource (R4 s2.1.4.1), an ordinary one is only noted. Parts of a complex extension have relative urls and belong to its definition. -#}
with extended as (
  select sent.record_id, sent.facility_id, sent.batch_date, {{ json_parse('sent.resource') }} as document
  from {{ source('raw', 'raw_fhir__resource') }} sent
  where contains(sent.resource, 'xtension"') and sent.is_deleted = false and {{ in_scope('sent') }}
),
found as (
  select extended.record_id, extended.facility_id, extended.batch_date, 0 as is_modifier,
    {{ json_text('listed.value', ['url']) }} as url, cast(null as varchar) as said
  from extended{{ unnest_anywhere('listed', 'extended.document', 'extension') }} where {{ is_anywhere('listed', 'extension') }}
  union all
  select extended.record_id, extended.facility_id, extended.batch_date, 1, {{ json_text('listed.value', ['url']) }},
    coalesce({{ json_text('listed.value', ['valueBoolean']) }}, {{ json_text('listed.value', ['valueCode']) }}, {{ json_text('listed.value', ['valueString']) }})
  from extended{{ unnest_anywhere('listed', 'extended.document', 'modifierExtension') }} where {{ is_anywhere('listed', 'modifierExtension') }}
),
judged as (
  select found.record_id, found.is_modifier,
    case when registered.url is not null then 1 else 0 end as is_registered,
    case when found.said = registered.effect_when then registered.effect_status end as effect_status
  from found
  left join {{ source('ref', 'extension') }} registered on {{ in_force('registered', 'found') }}
    and registered.url = found.url and (registered.is_modifier or found.is_modifier = 0)
  where found.is_modifier = 1 or position(':' in found.url) > 0
)
select judged.record_id,
  max(case when judged.is_modifier = 1 and judged.is_registered = 0 then 1 else 0 end) as has_unregistered_modifier,
  max(case when judged.is_modifier = 0 and judged.is_registered = 0 then 1 else 0 end) as has_unknown_extension,
  min(judged.effect_status) as effect_status
from judged
group by judged.record_id
