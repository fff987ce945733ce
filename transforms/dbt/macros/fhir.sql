{#-
  Reading FHIR R4 JSON: documents parsed once a row, numbers exact, dates in lexical form, the common columns of a record.

  Belongs here: what every FHIR staging model shares. References are in fhir_reference.sql, codes in fhir_concept.sql.
-#}

{#- R4 resource types of the canonical model, with the name of their resource. -#}
{% macro fhir_resources() %}{{ return({
  'Patient': 'patient', 'Encounter': 'encounter', 'Condition': 'condition', 'Procedure': 'procedure',
  'Observation': 'observation', 'DiagnosticReport': 'diagnostic_report', 'ServiceRequest': 'service_request',
  'MedicationRequest': 'medication_request', 'Practitioner': 'practitioner', 'Organization': 'organization',
  'Location': 'location', 'Coverage': 'coverage', 'Claim': 'claim', 'AllergyIntolerance': 'allergy_intolerance',
  'Immunization': 'immunization', 'MedicationAdministration': 'medication_administration', 'DocumentReference': 'document_reference',
  'ImagingStudy': 'imaging_statement'
}) }}{% endmacro %}

{#- Name of the resource of an R4 type held in a column, null for a type outside the canonical model. -#}
{% macro fhir_resource_name(type) -%}
  case {{ type }}{% for name, resource in fhir_resources().items() %} when '{{ name }}' then '{{ resource }}'{% endfor %} end
{%- endmacro %}

{#- Key of a resource that has a logical id: unique within the facility's server and type (R4 s2.28.0.1). -#}
{% macro fhir_id_key(facility, resource, id) -%} {{ md5_key([facility, resource, "'fhir'", id]) }} {%- endmacro %}

{#- Texts at several paths of one document, parsed once: a list, element by position; null where there is nothing. -#}
{% macro json_texts(document, paths) %}{{ return(adapter.dispatch('json_texts', 'lakehouse')(document, paths)) }}{% endmacro %}
{% macro duckdb__json_texts(document, paths) -%}
  json_extract_string({{ document }}, [
  {%- for path in paths %}'$
    {%- for step in path %}{% if step is number %}[{{ step }}]{% else %}."{{ step }}"{% endif %}{% endfor %}'
    {{- ', ' if not loop.last }}{% endfor %}])
{%- endmacro %}
{% macro snowflake__json_texts(document, paths) -%}
  array_construct({% for path in paths %}{{ snowflake__json_text(document, path) }}{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}

{#- JSON document in which number members are strings, so that no binary float comes near them (R4 s2.24.0.1: the precision of a decimal is
    significant). Quoting may hit a text that itself looks like a member, such as ": 5"; that leaves no JSON, and the text is parsed as sent. -#}
{% macro json_parse_exact(text) -%} coalesce({{ json_parse(quoted_numbers(text)) }}, {{ json_parse(text) }}) {%- endmacro %}
{% macro quoted_numbers(text) %}{{ return(adapter.dispatch('quoted_numbers', 'lakehouse')(text)) }}{% endmacro %}
{% macro duckdb__quoted_numbers(text) -%}
  regexp_replace({{ text }}, '("[[:space:]]*:[[:space:]]*)(-?[0-9][0-9.eE+-]*)', '\1"\2"', 'g')
{%- endmacro %}
{% macro snowflake__quoted_numbers(text) -%}
  regexp_replace({{ text }}, '("[[:space:]]*:[[:space:]]*)(-?[0-9][0-9.eE+-]*)', '\\1"\\2"')
{%- endmacro %}

{#- One row for each element of a JSON array (a document), with its 0-based place; goes after FROM as a lateral join. -#}
{% macro unnest_array(alias, array) %}{{ return(adapter.dispatch('unnest_array', 'lakehouse')(alias, array)) }}{% endmacro %}
{% macro duckdb__unnest_array(alias, array) -%}
  , unnest(list_zip(json_extract({{ array }}, '$[*]'), range(cast(json_array_length({{ array }}) as bigint)))) as {{ alias }}(element)
{%- endmacro %}
{% macro snowflake__unnest_array(alias, array) -%} , lateral flatten(input => {{ array }}) {{ alias }} {%- endmacro %}
{% macro array_value(alias) %}{{ return(adapter.dispatch('array_value', 'lakehouse')(alias)) }}{% endmacro %}
{% macro duckdb__array_value(alias) -%} {{ alias }}.element[1] {%- endmacro %}
{% macro snowflake__array_value(alias) -%} {{ alias }}.value {%- endmacro %}
{% macro array_place(alias) %}{{ return(adapter.dispatch('array_place', 'lakehouse')(alias)) }}{% endmacro %}
{% macro duckdb__array_place(alias) -%} {{ alias }}.element[2] {%- endmacro %}
{% macro snowflake__array_place(alias) -%} {{ alias }}.index {%- endmacro %}

{#- Texts of an array of strings inside a document, joined; null where there is none. -#}
{% macro json_joined(document, name, separator) %}{{ return(adapter.dispatch('json_joined', 'lakehouse')(document, name, separator)) }}{% endmacro %}
{% macro duckdb__json_joined(document, name, separator) -%}
  nullif(array_to_string(json_extract_string({{ document }}, '$."{{ name }}"[*]'), '{{ separator }}'), '')
{%- endmacro %}
{% macro snowflake__json_joined(document, name, separator) -%}
  nullif(array_to_string(get_path({{ document }}, '{{ name }}'), '{{ separator }}'), '')
{%- endmacro %}

{#- Name of a person or organization by which it is shown: HumanName.text, else given and family name; an organization's name is a text. -#}
{% macro shown_name(resource) -%}
  coalesce({{ json_text(resource, ['name', 0, 'text']) }},
    nullif(trim(coalesce({{ json_text(resource, ['name', 0, 'given', 0]) }}, '') || ' ' || coalesce({{ json_text(resource, ['name', 0, 'family']) }}, '')), ''),
    case when left({{ json_text(resource, ['name']) }}, 1) <> '[' then {{ json_text(resource, ['name']) }} end)
{%- endmacro %}

{#- One row for each element of every array of that name, at any depth of a document, `alias`.value as a document: a lateral join
    after FROM, and the condition that goes with it. -#}
{% macro unnest_anywhere(alias, document, name) %}{{ return(adapter.dispatch('unnest_anywhere', 'lakehouse')(alias, document, name)) }}{% endmacro %}
{% macro duckdb__unnest_anywhere(alias, document, name) -%}
  , unnest(json_extract({{ document }}, '$..{{ name }}[*]')) as {{ alias }}(value)
{%- endmacro %}
{% macro snowflake__unnest_anywhere(alias, document, name) -%} , lateral flatten(input => {{ document }}, recursive => true) {{ alias }} {%- endmacro %}
{% macro is_anywhere(alias, name) %}{{ return(adapter.dispatch('is_anywhere', 'lakehouse')(alias, name)) }}{% endmacro %}
{% macro duckdb__is_anywhere(alias, name) -%} true {%- endmacro %}
{% macro snowflake__is_anywhere(alias, name) -%} regexp_like({{ alias }}.path, '(.*[.])?{{ name }}[[][0-9]+[]]') {%- endmacro %}

{#- One row for each text member of that name, at any depth of a document: a lateral join after FROM, the condition that goes with it, and
    the text. -#}
{% macro unnest_members(alias, document, name) %}{{ return(adapter.dispatch('unnest_members', 'lakehouse')(alias, document, name)) }}{% endmacro %}
{% macro duckdb__unnest_members(alias, document, name) -%}
  , unnest(json_extract_string({{ document }}, '$..{{ name }}')) as {{ alias }}(value)
{%- endmacro %}
{% macro snowflake__unnest_members(alias, document, name) -%} , lateral flatten(input => {{ document }}, recursive => true) {{ alias }} {%- endmacro %}
{% macro is_member(alias, name) %}{{ return(adapter.dispatch('is_member', 'lakehouse')(alias, name)) }}{% endmacro %}
{% macro duckdb__is_member(alias, name) -%} {{ alias }}.value is not null {%- endmacro %}
{% macro snowflake__is_member(alias, name) -%} {{ alias }}.key = '{{ name }}' {%- endmacro %}
{% macro member_text(alias) %}{{ return(adapter.dispatch('member_text', 'lakehouse')(alias)) }}{% endmacro %}
{% macro duckdb__member_text(alias) -%} {{ alias }}.value {%- endmacro %}
{% macro snowflake__member_text(alias) -%} {{ alias }}.value::varchar {%- endmacro %}

{#- Timestamp in UTC of an R4 dateTime or instant that has a time and an offset, whose lexical form was checked. -#}
{% macro fhir_instant(text) %}{{ return(adapter.dispatch('fhir_instant', 'lakehouse')(text)) }}{% endmacro %}
{% macro duckdb__fhir_instant(text) -%} (try_cast({{ text }} as timestamptz) at time zone 'UTC') {%- endmacro %}
{% macro snowflake__fhir_instant(text) -%} cast(convert_timezone('UTC', try_cast({{ text }} as timestamp_tz)) as timestamp_ntz) {%- endmacro %}

{#- R4 date, dateTime or instant (`kind`) in canonical form: an instant in UTC with `Z`, a partial date as sent; null where the text is
    not of that kind: a date has no time, an instant always has one, a time without an offset is none (R4 s2.24.0.1). -#}
{% macro fhir_datetime(text, kind='dateTime') -%}
  case
    {%- if kind != 'instant' %}
    when length({{ text }}) <= 10 then
      case when {{ regexp_full(text, '[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?') }}
        and try_cast(left({{ text }} || '-01-01', 10) as date) is not null then {{ text }} end
    {%- endif %}
    {%- if kind != 'date' %}
    when {{ regexp_full(text, '[0-9]{4}-[01][0-9]-[0-3][0-9]T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])') }}
      then {{ instant_text(fhir_instant(text)) }}
    {%- endif %}
  end
{%- endmacro %}

{#- Facility-local date of a canonical date text of `record`: an instant falls into the facility's day, a date is never shifted. `text` is
    joined with zone_day as `alias`. -#}
{% macro local_date_of(text, alias) -%}
  {%- set exact -%}{{ utc_to_zone(instant(text), 'record.timezone') }}{%- endset -%}
  case when length({{ text }}) <= 10 then try_cast(left({{ text }} || '-01-01', 10) as date)
    else cast({{ where_steady(alias, seconds_later(instant(text), alias ~ '.offset_before'), exact) }} as date) end
{%- endmacro %}

{#- Codes of the flags whose condition holds, joined by commas; `flags` is a list of [condition, code]. -#}
{% macro flag_list(flags) -%}
  nullif(ltrim({% for flag in flags %}case when {{ flag[0] }} then ',{{ flag[1] }}' else '' end{{ ' || ' if not loop.last }}{% endfor %}, ','), '')
{%- endmacro %}
