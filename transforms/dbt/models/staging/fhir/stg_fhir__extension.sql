{#- What the extensions of a resource mean for it. A modifierExtension that is not registered forbids the use of the resource (R4 s2.1.4.1), an
    ordinary one is only noted. -#}
select used.record_id,
  max(case when used.is_modifier = 1 and used.is_registered = 0 then 1 else 0 end) as has_unregistered_modifier,
  max(case when used.is_modifier = 0 and used.is_registered = 0 then 1 else 0 end) as has_unknown_extension,
  min(used.effect_status) as effect_status
from {{ ref('stg_fhir__extension_use') }} used
group by used.record_id
