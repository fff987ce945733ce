{#- Elements that US Core requires and a resource leaves out: one row for each resource and element. -#}
with
{%- for type, names in us_core_required().items() %}
{{ type | lower }}_read as (
  select sent.unit_id, sent.facility_id, sent.batch_date, {{ json_texts(json_parse('sent.resource'), us_core_paths(names)) }} as texts
  from {{ source('raw', 'raw_fhir__resource') }} sent
  where sent.resource_type = '{{ type }}' and sent.is_deleted = false and {{ in_scope('sent') }}
){{ ',' if not loop.last }}
{%- endfor %}
{%- for type, names in us_core_required().items() %}{% set last_type = loop.last %}{% for name in names %}
select said.unit_id, said.facility_id, said.batch_date, '{{ type }}' as resource_type, '{{ type }}.{{ name }}' as element
from {{ type | lower }}_read said where {{ list_element('said.texts', loop.index) }} is null
{{ 'union all' if not (last_type and loop.last) }}
{%- endfor %}{% endfor %}
