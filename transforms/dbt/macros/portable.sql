{#- The constructs that DuckDB and Snowflake write differently, and no others. -#}

{#- 128-bit key of a canonical text: md5 in lower-case hex over the parts, null marked apart from empty. -#}
{% macro md5_key(parts) -%}
  md5(concat_ws('|', {% for part in parts %}coalesce(cast({{ part }} as varchar), '~'){{ ', ' if not loop.last }}{% endfor %}))
{%- endmacro %}

{#- Scalar text at a path of a JSON document column; the path is a list of names and 0-based positions. -#}
{% macro json_text(document, path) %}{{ return(adapter.dispatch('json_text', 'lakehouse')(document, path)) }}{% endmacro %}
{% macro duckdb__json_text(document, path) -%}
  json_extract_string({{ document }}, '$
  {%- for step in path %}{% if step is number %}[{{ step }}]{% else %}."{{ step }}"{% endif %}{% endfor %}')
{%- endmacro %}
{% macro snowflake__json_text(document, path) -%}
  get_path({{ document }}, '
  {%- for step in path %}{% if step is number %}[{{ step }}]{% else %}{{ '.' if not loop.first }}{{ step }}{% endif %}{% endfor %}')::varchar
{%- endmacro %}

{#- JSON document from text, null where it is none. -#}
{% macro json_parse(text) %}{{ return(adapter.dispatch('json_parse', 'lakehouse')(text)) }}{% endmacro %}
{% macro duckdb__json_parse(text) -%} try_cast({{ text }} as json) {%- endmacro %}
{% macro snowflake__json_parse(text) -%} try_parse_json({{ text }}) {%- endmacro %}

{#- One row for each element of a JSON array, `alias`.value as a document; goes after FROM as a lateral join. -#}
{% macro unnest_json(alias, document, path) %}{{ return(adapter.dispatch('unnest_json', 'lakehouse')(alias, document, path)) }}{% endmacro %}
{% macro duckdb__unnest_json(alias, document, path) -%}
  , unnest(json_extract({{ document }}, '${% for step in path %}."{{ step }}"{% endfor %}[*]')) as {{ alias }}(value)
{%- endmacro %}
{% macro snowflake__unnest_json(alias, document, path) -%}
  , lateral flatten(input => get_path({{ document }}, '{{ path | join(".") }}')) {{ alias }}
{%- endmacro %}

{#- Whole-string match of a regular expression. -#}
{% macro regexp_full(text, pattern) %}{{ return(adapter.dispatch('regexp_full', 'lakehouse')(text, pattern)) }}{% endmacro %}
{% macro duckdb__regexp_full(text, pattern) -%} regexp_full_match({{ text }}, '{{ pattern }}') {%- endmacro %}
{% macro snowflake__regexp_full(text, pattern) -%} regexp_like({{ text }}, '{{ pattern | replace("\\", "\\\\") }}') {%- endmacro %}

{#- First match of a pattern, null where there is none. -#}
{% macro regexp_first(text, pattern) %}{{ return(adapter.dispatch('regexp_first', 'lakehouse')(text, pattern)) }}{% endmacro %}
{% macro duckdb__regexp_first(text, pattern) -%} nullif(regexp_extract({{ text }}, '{{ pattern }}'), '') {%- endmacro %}
{% macro snowflake__regexp_first(text, pattern) -%} regexp_substr({{ text }}, '{{ pattern | replace("\\", "\\\\") }}') {%- endmacro %}

{#- Element of a list-of-text column by 1-based position (a column expression), null outside. -#}
{% macro list_element(list, position) %}{{ return(adapter.dispatch('list_element', 'lakehouse')(list, position)) }}{% endmacro %}
{% macro duckdb__list_element(list, position) -%} {{ list }}[{{ position }}] {%- endmacro %}
{% macro snowflake__list_element(list, position) -%} get({{ list }}, {{ position }} - 1)::varchar {%- endmacro %}

{#- Local wall-clock timestamp of an IANA zone -> UTC timestamp, and back. The engines choose freely in gaps and overlaps;
    local_time_to_utc (time.sql) decides there. -#}
{% macro zone_to_utc(local, zone) %}{{ return(adapter.dispatch('zone_to_utc', 'lakehouse')(local, zone)) }}{% endmacro %}
{% macro duckdb__zone_to_utc(local, zone) -%} (timezone({{ zone }}, {{ local }}) at time zone 'UTC') {%- endmacro %}
{% macro snowflake__zone_to_utc(local, zone) -%} convert_timezone({{ zone }}, 'UTC', {{ local }}) {%- endmacro %}
{% macro utc_to_zone(instant, zone) %}{{ return(adapter.dispatch('utc_to_zone', 'lakehouse')(instant, zone)) }}{% endmacro %}
{% macro duckdb__utc_to_zone(instant, zone) -%} timezone({{ zone }}, ({{ instant }} at time zone 'UTC')) {%- endmacro %}
{% macro snowflake__utc_to_zone(instant, zone) -%} convert_timezone('UTC', {{ zone }}, {{ instant }}) {%- endmacro %}

{#- Timestamp -> FHIR instant text in UTC, fraction without trailing zeros. -#}
{% macro instant_text(instant) %}{{ return(adapter.dispatch('instant_text', 'lakehouse')(instant)) }}{% endmacro %}
{% macro duckdb__instant_text(instant) -%}
  (strftime({{ instant }}, '%Y-%m-%dT%H:%M:%S') || rtrim(rtrim(strftime({{ instant }}, '.%f'), '0'), '.') || 'Z')
{%- endmacro %}
{% macro snowflake__instant_text(instant) -%}
  (to_char({{ instant }}, 'YYYY-MM-DD"T"HH24:MI:SS') || rtrim(rtrim(to_char({{ instant }}, '.FF6'), '0'), '.') || 'Z')
{%- endmacro %}

{#- Timestamp -> text, fraction without trailing zeros. A bare cast depends on TIMESTAMP_NTZ_OUTPUT_FORMAT on Snowflake. -#}
{% macro timestamp_text(moment) %}{{ return(adapter.dispatch('timestamp_text', 'lakehouse')(moment)) }}{% endmacro %}
{% macro duckdb__timestamp_text(moment) -%} cast({{ moment }} as varchar) {%- endmacro %}
{% macro snowflake__timestamp_text(moment) -%}
  (to_char({{ moment }}, 'YYYY-MM-DD HH24:MI:SS') || rtrim(rtrim(to_char({{ moment }}, '.FF6'), '0'), '.'))
{%- endmacro %}

{#- FHIR dateTime text (UTC instant or partial date) -> timestamp, the start of a partial date. -#}
{% macro instant(text) -%}
  case length({{ text }})
    when 4 then try_cast({{ text }} || '-01-01' as timestamp)
    when 7 then try_cast({{ text }} || '-01' as timestamp)
    else try_cast(replace({{ text }}, 'Z', '') as timestamp) end
{%- endmacro %}
