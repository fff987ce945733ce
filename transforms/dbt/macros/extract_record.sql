{#-
  The common part of an extract staging model: rows of the feeds of one resource in the run's scope, cells read by position, null
  markers applied, dates in canonical form, coded values mapped, keys. Gives CTEs that end in `record`.

  Dates are read apart (extract_moment.sql), each text of a column once. No CTE that holds whole rows is named twice: the engine would keep
  such a one whole, and spill it.

  texts   columns taken as they are
  dates   columns that hold a date or a time, of which `record` has `<column>_text` (FHIR) and `<column>_day` (facility-local date)
  coded   columns whose values the feed maps; `record` has the mapped value, `<column>_said` and `<column>_unmapped`
  by_identifier  the business identifier is the key, so that the fact meets the facility's other dialects; else the row's own key

  `record` also has `<column>_at`, the position of each column, null where the feed does not map it.
-#}
{% macro extract_record(resource, texts=[], dates=[], coded=[], by_identifier=false) %}
  {%- do config(told_by=[resource]) -%}
  {%- set common = ['identifier_value'] + (['subject_identifier_value'] if resource not in ['patient', 'practitioner', 'organization', 'location'] else []) -%}
  {%- if resource not in ['patient', 'encounter', 'practitioner', 'organization', 'location', 'coverage'] -%}{%- do common.append('encounter_identifier_value') -%}{%- endif -%}
  {%- set all_dates = ['source_time'] + dates -%}
  {%- set all_texts = common + texts -%}
  {%- set columns = all_texts + coded + all_dates -%}
  {%- set keys = ['key_1', 'key_2', 'key_3', 'key_4'] -%}
  {%- set header = ['record_id', 'unit_id', 'delivery_id', 'payload_id', 'record_locator', 'facility_id', 'batch_date', 'received_time', 'source'] -%}
  {%- set carried = header + ['source_table', 'sequence', 'changed_ms', 'is_deleted', 'is_departure', 'default_system'] -%}
position as (
  select bound.delivery_id
    {%- for column in columns %},
    max(case when {{ "bound.is_version = 1 or " if column == 'source_time' }}bound.maps_to = '{{ column }}' then bound.column_ordinal end) as {{ column }}_at
    {%- endfor %}
    {%- for column in all_dates %},
    max(case when {{ "bound.is_version = 1 or " if column == 'source_time' }}bound.maps_to = '{{ column }}' then bound.datetime_format end) as {{ column }}_format,
    max(case when {{ "bound.is_version = 1 or " if column == 'source_time' }}bound.maps_to = '{{ column }}' then bound.timezone end) as {{ column }}_zone
    {%- endfor %}
    {%- for key in keys %},
    max(case when bound.key_ordinal = {{ loop.index }} then bound.column_ordinal end) as {{ key }}_at,
    max(case when bound.before_key_ordinal = {{ loop.index }} then bound.column_ordinal end) as {{ key }}_before_at
    {%- endfor %},
    max(bound.code_system) as code_system, max(bound.is_version) as has_version
  from {{ ref('stg_extract__column') }} bound
  where bound.resource = '{{ resource }}'
  group by bound.delivery_id
),
{{ extract_moments(resource, all_dates) }},
cell as (
  select sent.{{ header | join(', sent.') }}, sent.source_table, {{ null_marked('sent.sequence', 'feed.markers') }} as sequence, sent.changed_ms, sent.op, feed.default_system, feed.markers
    {%- for column in columns %}, {{ list_element('sent.cells', 'position.' ~ column ~ '_at') }} as {{ column }}{% endfor %}
    {%- for column in all_dates %}, position.{{ column }}_format{% endfor %}
    {%- for key in keys %}, {{ list_element('sent.cells', 'position.' ~ key ~ '_at') }} as {{ key }}, {{ list_element('sent.cells', 'position.' ~ key ~ '_before_at') }} as {{ key }}_before{% endfor %}
  from {{ source('raw', 'raw_extract__row') }} sent
  join {{ ref('stg_extract__feed') }} feed on feed.delivery_id = sent.delivery_id and feed.resource = '{{ resource }}'
  join position on position.delivery_id = sent.delivery_id
  where {{ in_scope('sent') }}
),
known as (
  select cell.{{ header | join(', cell.') }}, cell.source_table, cell.sequence, cell.changed_ms, cell.op, cell.default_system
    {%- for column in all_texts + coded %}, {{ null_marked('cell.' ~ column, 'cell.markers') }} as {{ column }}{% endfor %}
    {%- for column in all_dates %}, {{ with_fraction(null_marked('cell.' ~ column, 'cell.markers'), 'cell.' ~ column, 'cell.' ~ column ~ '_format') }} as {{ column }}{% endfor %}
    {%- for key in keys %}, {{ null_marked('cell.' ~ key, 'cell.markers') }} as {{ key }}, {{ null_marked('cell.' ~ key ~ '_before', 'cell.markers') }} as {{ key }}_before{% endfor %}
  from cell
),
{#- A change of the row's own key moves the row: it departs from its old key as if deleted there. Where the fact is the business identifier,
    it stays with the row under its new key. -#}
placed as (
  select known.{{ header | join(', known.') }}, known.source_table, known.sequence, known.changed_ms, known.default_system,
    move.is_departure or upper(coalesce(known.op, '')) = 'D' as is_deleted, move.is_departure, known.{{ columns | join(', known.') }}
    {%- for key in keys %}, case when move.is_departure then coalesce(known.{{ key }}_before, known.{{ key }}) else known.{{ key }} end as {{ key }}{% endfor %}
  from known
  cross join (select false as is_departure union all select true as is_departure) move
  where move.is_departure = false{% for key in keys %} or known.{{ key }}_before <> known.{{ key }}{% endfor %}
),
value_map as (
  select feed.delivery_id, mapped.maps_to, mapped.source_value, mapped.target_value
  from {{ ref('stg_extract__feed') }} feed
  join {{ source('ref', 'value_map') }} mapped on {{ in_force('mapped', 'feed') }} and mapped.source = feed.source
  where feed.resource = '{{ resource }}'
),
mapped_column as (
  select value_map.delivery_id
    {%- for column in coded %}, max(case when value_map.maps_to = '{{ column }}' then 1 else 0 end) as {{ column }}_mapped{% endfor %}, count(*) as entries
  from value_map group by value_map.delivery_id
),
record as (
  select placed.{{ carried | join(', placed.') }}, position.code_system, placed.{{ all_texts | join(', placed.') }}
    {%- for column in columns %}, position.{{ column }}_at{% endfor %}
    {%- for column in coded %}, placed.{{ column }} as {{ column }}_said,
    case when coalesce(mapped_column.{{ column }}_mapped, 0) = 1 then {{ column }}_value.target_value else placed.{{ column }} end as {{ column }}
    {%- endfor %}
    {%- for column in all_dates %}, {{ column }}_moment.text as {{ column }}_text, {{ column }}_moment.day as {{ column }}_day{% endfor %},
    {% for column in all_dates %}coalesce({{ column }}_moment.is_gap, false){{ ' or ' if not loop.last }}{% endfor %} as has_gap,
    {% for column in all_dates %}coalesce({{ column }}_moment.is_overlap, false){{ ' or ' if not loop.last }}{% endfor %} as has_overlap,
    {%- set own_key = md5_key(['placed.facility_id', "'" ~ resource ~ "'", 'coalesce(placed.source_table, placed.source)'] + prefixed(keys, 'placed')) %}
    {%- if by_identifier %}
    case when placed.identifier_value is not null and placed.is_departure = false then {{ md5_key(['placed.facility_id', "'" ~ resource ~ "'",
      'placed.default_system' if resource in ['patient', 'encounter'] else 'null', 'placed.identifier_value']) }} else {{ own_key }} end as fact_key,
    {%- else %}
    {{ own_key }} as fact_key,
    {%- endif %}
    {{ own_key if by_identifier else 'null' }} as row_key,
    case when position.has_version = 1 then coalesce({{ instant_text('source_time_moment.utc') }}, placed.source_time) end as version_key,
    coalesce({{ change_sequence_time('placed.sequence') }}, {{ epoch_time('placed.changed_ms') }}, source_time_moment.utc, placed.received_time) as resolved_source_time,
    coalesce(placed.sequence, case when position.source_time_format is null then placed.source_time end, '') as source_order,
    violation.reject_code, violation.flags
  from placed
  join position on position.delivery_id = placed.delivery_id
  {%- for column in all_dates %}
  left join moment {{ column }}_moment on {{ column }}_moment.delivery_id = placed.delivery_id and {{ column }}_moment.column_name = '{{ column }}' and {{ column }}_moment.said = placed.{{ column }}
  {%- endfor %}
  {%- for column in coded %}
  left join value_map {{ column }}_value on {{ column }}_value.delivery_id = placed.delivery_id and {{ column }}_value.maps_to = '{{ column }}' and {{ column }}_value.source_value = placed.{{ column }}
  {%- endfor %}
  left join mapped_column on mapped_column.delivery_id = placed.delivery_id
  left join {{ ref('stg_extract__violation') }} violation on violation.record_id = placed.record_id
)
{%- endmacro %}

{#- A coded value of `record` that must be of a closed list, null otherwise; and whether something was said that means nothing here. -#}
{% macro coded_value(column, allowed) -%} case when record.{{ column }} in {{ text_list(allowed) }} then record.{{ column }} end {%- endmacro %}
{% macro is_unmapped(column, allowed=none) -%}
  (record.{{ column }}_said is not null and {% if allowed %}({{ coded_value(column, allowed) }}) is null{% else %}record.{{ column }} is null{% endif %})
{%- endmacro %}

{#- Columns of an extract staging model, from `record`: header, keys, marks of the field groups that the feed maps, and `values`. -#}
{% macro extract_columns(resource, values, columns, flags=[]) %}
  {%- set result = {} -%}
  {%- for name in ['record_id', 'unit_id', 'delivery_id', 'payload_id', 'record_locator', 'facility_id', 'batch_date', 'received_time', 'source',
                   'fact_key', 'row_key', 'version_key', 'source_order', 'is_deleted', 'identifier_value', 'reject_code'] -%}
    {%- do result.update({name: 'record.' ~ name}) -%}
  {%- endfor -%}
  {%- set found = [['record.has_gap', 'time.nonexistent_local'], ['record.has_overlap', 'time.ambiguous_local']] + flags -%}
  {%- do result.update({'source_time': 'record.resolved_source_time', 'is_fact': 'true', 'maintains': '1',
                        'flags': "nullif(ltrim(coalesce(record.flags, '') || coalesce(',' || " ~ flag_list(found) ~ ", ''), ','), '')"}) -%}
  {%- if resource in ['patient', 'encounter'] -%}
    {%- do result.update({'identifier_system': 'case when record.identifier_value is not null then record.default_system end'}) -%}
  {%- endif -%}
  {%- if resource not in ['patient', 'practitioner', 'organization', 'location'] -%}
    {%- do result.update({'subject_key': 'case when record.subject_identifier_value is not null then ' ~ patient_key('record.facility_id', 'record.default_system', 'record.subject_identifier_value') ~ ' end'}) -%}
  {%- endif -%}
  {%- if resource not in ['patient', 'encounter', 'practitioner', 'organization', 'location', 'coverage'] -%}
    {%- do result.update({'encounter_identifier_value': 'record.encounter_identifier_value',
      'encounter_key': 'case when record.encounter_identifier_value is not null then ' ~ encounter_key('record.facility_id', 'record.default_system', 'record.encounter_identifier_value') ~ ' end'}) -%}
  {%- endif -%}
  {%- do result.update(values) -%}
  {%- for group in mark_groups(resource) if group ~ '_mark' not in values -%}
    {%- set positions = [] -%}{%- set said = [] -%}
    {%- for column in resource_contract(resource) if column[2] == group and column[0] in columns -%}
      {%- do positions.append('record.' ~ column[0] ~ '_at') -%}
      {%- do said.append('cast(' ~ values.get(column[0], 'null') ~ ' as varchar)') -%}
    {%- endfor -%}
    {%- if positions -%}
      {%- do result.update({group ~ '_mark': 'case when coalesce(' ~ positions | join(', ') ~ ", null) is null then null when coalesce(" ~ said | join(', ') ~ ", null) is null then 'N' else 'V' end"}) -%}
    {%- else -%}
      {%- do result.update({group ~ '_mark': 'null'}) -%}
    {%- endif -%}
  {%- endfor -%}
  {{ return(result) }}
{% endmacro %}
