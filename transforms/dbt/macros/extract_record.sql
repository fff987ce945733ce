{#-
  The common part of an extract staging model: rows of the feeds of one resource in the run's scope, cells read by position, null
  markers applied, dates in canonical form, coded values mapped, keys. Gives CTEs that end in `record`.

  texts   columns taken as they are
  dates   columns that hold a date or a time, of which `record` has `<column>_text` (FHIR), `_utc` and `_day` (facility-local date)
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
  {%- set carried = header + ['source_table', 'sequence', 'changed_ms', 'is_deleted', 'is_departure', 'timezone', 'default_system'] -%}
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
cell as (
  select sent.{{ header | join(', sent.') }}, sent.source_table, {{ null_marked('sent.sequence', 'feed.markers') }} as sequence, sent.changed_ms, sent.op, feed.timezone, feed.default_system, feed.markers
    {%- for column in columns %}, {{ list_element('sent.cells', 'position.' ~ column ~ '_at') }} as {{ column }}{% endfor %}
    {%- for column in all_dates %}, position.{{ column }}_format{% endfor %}
    {%- for key in keys %}, {{ list_element('sent.cells', 'position.' ~ key ~ '_at') }} as {{ key }}, {{ list_element('sent.cells', 'position.' ~ key ~ '_before_at') }} as {{ key }}_before{% endfor %}
  from {{ source('raw', 'raw_extract__row') }} sent
  join {{ ref('stg_extract__feed') }} feed on feed.delivery_id = sent.delivery_id and feed.resource = '{{ resource }}'
  join position on position.delivery_id = sent.delivery_id
  where {{ in_scope('sent') }}
),
known as (
  select cell.{{ header | join(', cell.') }}, cell.source_table, cell.sequence, cell.changed_ms, cell.op, cell.timezone, cell.default_system
    {%- for column in all_texts + coded %}, {{ null_marked('cell.' ~ column, 'cell.markers') }} as {{ column }}{% endfor %}
    {%- for column in all_dates %}, {{ with_fraction(null_marked('cell.' ~ column, 'cell.markers'), 'cell.' ~ column, 'cell.' ~ column ~ '_format') }} as {{ column }}{% endfor %}
    {%- for key in keys %}, {{ null_marked('cell.' ~ key, 'cell.markers') }} as {{ key }}, {{ null_marked('cell.' ~ key ~ '_before', 'cell.markers') }} as {{ key }}_before{% endfor %}
  from cell
),
{#- A change of the row's own key moves the row: it departs from its old key as if deleted there. Where the fact is the business identifier,
    it stays with the row under its new key. -#}
placed as (
  select known.{{ header | join(', known.') }}, known.source_table, known.sequence, known.changed_ms, known.timezone, known.default_system, upper(coalesce(known.op, '')) = 'D' as is_deleted, false as is_departure,
    known.{{ (columns + keys) | join(', known.') }}
  from known
  union all
  select known.{{ header | join(', known.') }}, known.source_table, known.sequence, known.changed_ms, known.timezone, known.default_system, true, true,
    known.{{ columns | join(', known.') }}
    {%- for key in keys %}, coalesce(known.{{ key }}_before, known.{{ key }}){% endfor %}
  from known
  where {% for key in keys %}known.{{ key }}_before <> known.{{ key }}{{ ' or ' if not loop.last }}{% endfor %}
),
read as (
  select placed.{{ carried | join(', placed.') }}, placed.{{ (all_texts + coded + keys) | join(', placed.') }}, position.code_system, position.has_version
    {%- for column in columns %}, position.{{ column }}_at{% endfor %}
    {%- for column in all_dates %}, placed.{{ column }} as {{ column }}_said, position.{{ column }}_format, position.{{ column }}_zone,
    {{ parse_local_datetime('placed.' ~ column, 'position.' ~ column ~ '_format') }} as {{ column }}_local
    {%- endfor %}
  from placed
  join position on position.delivery_id = placed.delivery_id
),
{#- The day whose offset turns a wall-clock time into UTC; null for dates and for times with their own offset. #}
timed as (
  select read.{{ carried | join(', read.') }}, read.{{ (all_texts + coded + keys) | join(', read.') }}, read.code_system, read.has_version
    {%- for column in columns %}, read.{{ column }}_at{% endfor %}
    {%- for column in all_dates %}, read.{{ column }}_said, read.{{ column }}_format, read.{{ column }}_zone, read.{{ column }}_local,
    case when {{ is_wall_time('read.' ~ column) }} then cast(read.{{ column }}_local as date) end as {{ column }}_wall_day
    {%- endfor %}
  from read
),
{%- set days = [] -%}
{%- for column in all_dates -%}
  {%- do days.append('select timed.' ~ column ~ '_zone as zone, timed.' ~ column ~ '_wall_day as day from timed') -%}
{%- endfor %}
{{ zone_days(days) }},
zoned as (
  select timed.{{ carried | join(', timed.') }}, timed.{{ (all_texts + coded + keys) | join(', timed.') }}, timed.code_system, timed.has_version
    {%- for column in columns %}, timed.{{ column }}_at{% endfor %}
    {%- for column in all_dates %}, timed.{{ column }}_said, timed.{{ column }}_format, timed.{{ column }}_zone, timed.{{ column }}_local,
    {%- set clock = ['timed.' ~ column ~ '_local', 'timed.' ~ column ~ '_zone'] %}
    case when {{ column }}_zone_day.zone is not null then {{ where_steady(column ~ '_zone_day', column ~ '_zone_day.offset_before', offset_before(*clock)) }} end as {{ column }}_before,
    case when {{ column }}_zone_day.zone is not null then {{ where_steady(column ~ '_zone_day', column ~ '_zone_day.offset_after', offset_after(*clock)) }} end as {{ column }}_after
    {%- endfor %}
  from timed
  {%- for column in all_dates %}
  left join zone_day {{ column }}_zone_day on {{ column }}_zone_day.zone = timed.{{ column }}_zone and {{ column }}_zone_day.day = timed.{{ column }}_wall_day
  {%- endfor %}
),
instants as (
  select zoned.{{ carried | join(', zoned.') }}, zoned.{{ (all_texts + coded + keys) | join(', zoned.') }}, zoned.code_system, zoned.has_version
    {%- for column in columns %}, zoned.{{ column }}_at{% endfor %}
    {%- for column in all_dates %}, zoned.{{ column }}_said, zoned.{{ column }}_format, zoned.{{ column }}_zone, zoned.{{ column }}_local,
    {%- set clock = ["zoned." ~ column ~ "_local", "zoned." ~ column ~ "_before", "zoned." ~ column ~ "_after", "zoned." ~ column ~ "_zone"] %}
    case when zoned.{{ column }}_before is null then zoned.{{ column }}_local
      when zoned.{{ column }}_before = zoned.{{ column }}_after then {{ seconds_later(clock[0], '-(' ~ clock[1] ~ ')') }}
      else {{ local_to_utc_between(*clock) }} end as {{ column }}_utc,
    case when zoned.{{ column }}_before <> zoned.{{ column }}_after then {{ is_gap_between(*clock) }} else false end as {{ column }}_gap,
    case when zoned.{{ column }}_before <> zoned.{{ column }}_after then {{ is_overlap_between(*clock) }} else false end as {{ column }}_overlap
    {%- endfor %}
  from zoned
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
  select instants.{{ carried | join(', instants.') }}, instants.code_system, {{ 'instants.' ~ all_texts | join(', instants.') }}
    {%- for column in columns %}, instants.{{ column }}_at{% endfor %}
    {%- for column in coded %}, instants.{{ column }} as {{ column }}_said,
    case when coalesce(mapped_column.{{ column }}_mapped, 0) = 1 then {{ column }}_value.target_value else instants.{{ column }} end as {{ column }}
    {%- endfor %}
    {%- for column in all_dates %}, instants.{{ column }}_utc,
    case when {{ is_date_format('instants.' ~ column ~ '_format') }} then cast(cast(instants.{{ column }}_local as date) as varchar)
      else {{ instant_text('instants.' ~ column ~ '_utc') }} end as {{ column }}_text,
    case when {{ is_date_format('instants.' ~ column ~ '_format') }} or instants.{{ column }}_zone = instants.timezone and not {{ has_offset_format('instants.' ~ column ~ '_format') }}
      then cast(instants.{{ column }}_local as date)
      else cast({{ utc_to_zone('instants.' ~ column ~ '_utc', 'instants.timezone') }} as date) end as {{ column }}_day
    {%- endfor %},
    {% for column in all_dates %}instants.{{ column }}_gap{{ ' or ' if not loop.last }}{% endfor %} as has_gap,
    {% for column in all_dates %}instants.{{ column }}_overlap{{ ' or ' if not loop.last }}{% endfor %} as has_overlap,
    {%- set own_key = md5_key(['instants.facility_id', "'" ~ resource ~ "'", 'coalesce(instants.source_table, instants.source)'] + prefixed(keys, 'instants')) %}
    {%- if by_identifier %}
    case when instants.identifier_value is not null and instants.is_departure = false then {{ md5_key(['instants.facility_id', "'" ~ resource ~ "'",
      'instants.default_system' if resource in ['patient', 'encounter'] else 'null', 'instants.identifier_value']) }} else {{ own_key }} end as fact_key,
    {%- else %}
    {{ own_key }} as fact_key,
    {%- endif %}
    {{ own_key if by_identifier else 'null' }} as row_key,
    case when instants.has_version = 1 then coalesce({{ instant_text('instants.source_time_utc') }}, instants.source_time_said) end as version_key,
    coalesce({{ change_sequence_time('instants.sequence') }}, {{ epoch_time('instants.changed_ms') }}, instants.source_time_utc, instants.received_time) as resolved_source_time,
    coalesce(instants.sequence, case when instants.source_time_format is null then instants.source_time_said end, '') as source_order,
    violation.reject_code, violation.flags
  from instants
  {%- for column in coded %}
  left join value_map {{ column }}_value on {{ column }}_value.delivery_id = instants.delivery_id and {{ column }}_value.maps_to = '{{ column }}' and {{ column }}_value.source_value = instants.{{ column }}
  {%- endfor %}
  left join mapped_column on mapped_column.delivery_id = instants.delivery_id
  left join {{ ref('stg_extract__violation') }} violation on violation.record_id = instants.record_id
)
{%- endmacro %}

{#- Is the value a wall-clock time, to be turned into UTC by its column's zone? -#}
{% macro is_wall_time(column) -%}
  {{ column }}_local is not null and not {{ is_date_format(column ~ '_format') }} and not {{ has_offset_format(column ~ '_format') }}
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
