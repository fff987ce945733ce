{#-
  FHIR references (R4 s2.28): relative, absolute under the facility's own base, by fullUrl inside a Bundle, conditional
  (`Patient?identifier=system|value`) and logical (`Reference.identifier`). Resolved once for each distinct text of a delivery.

  A conditional or logical reference gives the key of the resource by its business identifier, which is the fact key of
  patients and encounters of the other dialects. What is none of these (another server, contained, display only) gives a key
  that nothing ever has, so that the record waits and is never matched by its last path segment.
-#}

{#- One text for a Reference element: its literal, else its logical form as a conditional reference, else `#`. A clinical fact
    without any subject waits like one whose subject is unknown. Deletions refer to nothing. -#}
{% macro fhir_reference_text(prefix, type, is_required) -%}
  case
    when dated.is_deleted then null
    when {{ prefix }}_literal is not null then {{ prefix }}_literal
    when {{ prefix }}_logical_value is not null then '{{ type }}?identifier=' || coalesce({{ prefix }}_logical_system, '') || '|' || {{ prefix }}_logical_value
    {%- if is_required %}
    else '#'
    {%- endif %}
  end
{%- endmacro %}

{#- Text of a search parameter (R4 s3.1.1.1): the reserved characters that identifiers and their systems hold, percent-encoded or not, `%` last. -#}
{% macro search_text(text) %}
  {%- set encoded = {'%7C': '|', '%7c': '|', '%3A': ':', '%3a': ':', '%2F': '/', '%2f': '/', '%23': '#', '%26': '&', '%2B': '+', '%2b': '+', '%20': ' ', '%25': '%'} -%}
  {%- set read = namespace(text=text) -%}
  {%- for code, mark in encoded.items() -%}{%- set read.text = "replace(" ~ read.text ~ ", '" ~ code ~ "', '" ~ mark ~ "')" -%}{%- endfor -%}
  {{ return(read.text) }}
{% endmacro %}

{#- CTEs that end in `reference`: delivery_id, reference, target_key; `columns` of `record` hold the texts. -#}
{% macro fhir_references(columns) %}
{%- set named_type = 'coalesce(' ~ fhir_resource_name('reference_base.local_type') ~ ', lower(reference_base.local_type))' %}
reference_text as (
  {%- for column in columns %}
  select distinct record.facility_id, record.batch_date, record.delivery_id, record.{{ column }} as reference
  from record where record.{{ column }} is not null
  {{ 'union' if not loop.last }}
  {%- endfor %}
),
reference_part as (
  select reference_text.facility_id, reference_text.batch_date, reference_text.delivery_id, reference_text.reference,
    {{ regexp_first('reference_text.reference', '[A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64}(/_history/[A-Za-z0-9.-]{1,64})?$') }} as local_part,
    {{ regexp_first('reference_text.reference', '[A-Z][A-Za-z]+[?]identifier=.+$') }} as conditional_part
  from reference_text
),
reference_base as (
  select reference_part.facility_id, reference_part.batch_date, reference_part.delivery_id, reference_part.reference,
    left(reference_part.reference, length(reference_part.reference) - length(coalesce(reference_part.conditional_part, reference_part.local_part))) as base,
    split_part(reference_part.local_part, '/', 1) as local_type, split_part(reference_part.local_part, '/', 2) as local_id,
    split_part(reference_part.conditional_part, '?', 1) as conditional_type,
    {{ search_text("substr(reference_part.conditional_part, position('?identifier=' in reference_part.conditional_part) + 12)") }} as token
  from reference_part
),
reference as (
  select reference_base.delivery_id, reference_base.reference,
    min(case
      when entry_key.fact_key is not null then entry_key.fact_key
      when reference_base.base <> '' and own_base.base_url is null then {{ md5_key(['reference_base.facility_id', "'reference'", 'reference_base.reference']) }}
      when reference_base.token is not null then {{ md5_key(['reference_base.facility_id', 'lower(reference_base.conditional_type)',
        "case when position('|' in reference_base.token) > 1 then split_part(reference_base.token, '|', 1) end",
        "substr(reference_base.token, position('|' in reference_base.token) + 1)"]) }}
      when reference_base.local_id is not null then {{ fhir_id_key('reference_base.facility_id', named_type, 'reference_base.local_id') }}
      else {{ md5_key(['reference_base.facility_id', "'reference'", 'reference_base.reference']) }}
    end) as target_key
  from reference_base
  left join {{ source('ref', 'fhir_base_url') }} own_base on {{ in_force('own_base', 'reference_base') }}
    and own_base.base_url || '/' = reference_base.base
  left join {{ ref('stg_fhir__resource_key') }} entry_key on entry_key.delivery_id = reference_base.delivery_id and entry_key.full_url = reference_base.reference
  group by reference_base.delivery_id, reference_base.reference
)
{%- endmacro %}
