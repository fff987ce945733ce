{#-
  Dates and times of extract rows, read once for each text that a column of a file holds: rows repeat them, and reading one costs more than
  finding it again. Gives CTEs that end in `moment`: delivery_id, column_name, said (the cell, null markers applied), then `text` (FHIR), `utc`,
  `day` (facility-local date), `is_gap` and `is_overlap` (the local time does not exist or occurs twice).

  Belongs here: what a date's text means under its column's format and zone. Which cell is which column is `position`'s (extract_record.sql).
-#}
{% macro extract_moments(resource, dates) %}
{#- Narrow and of one row a column and file: what the rows are joined with to be read column by column. -#}
dated as (
  {%- for column in dates %}
  select position.delivery_id, '{{ column }}' as column_name, position.{{ column }}_at as column_at, position.{{ column }}_format as format, position.{{ column }}_zone as zone
  from position where position.{{ column }}_at is not null
  {{ 'union all' if not loop.last }}
  {%- endfor %}
),
dated_cell as (
  select dated.delivery_id, dated.column_name, dated.format, dated.zone, feed.timezone, feed.markers, {{ list_element('sent.cells', 'dated.column_at') }} as cell
  from {{ source('raw', 'raw_extract__row') }} sent
  join {{ ref('stg_extract__feed') }} feed on feed.delivery_id = sent.delivery_id and feed.resource = '{{ resource }}'
  join dated on dated.delivery_id = sent.delivery_id
  where {{ in_scope('sent') }}
),
dated_text as (
  select distinct dated_cell.delivery_id, dated_cell.column_name, dated_cell.format, dated_cell.zone, dated_cell.timezone,
    {{ with_fraction(null_marked('dated_cell.cell', 'dated_cell.markers'), 'dated_cell.cell', 'dated_cell.format') }} as said
  from dated_cell
),
dated_local as (
  select dated_text.delivery_id, dated_text.column_name, dated_text.format, dated_text.zone, dated_text.timezone, dated_text.said,
    {{ parse_local_datetime('dated_text.said', 'dated_text.format') }} as local
  from dated_text where dated_text.said is not null
),
{#- The day whose offset turns a wall-clock time into UTC; null for dates and for times with their own offset. #}
timed as (
  select dated_local.delivery_id, dated_local.column_name, dated_local.format, dated_local.zone, dated_local.timezone, dated_local.said, dated_local.local,
    case when dated_local.local is not null and not {{ is_date_format('dated_local.format') }} and not {{ has_offset_format('dated_local.format') }}
      then cast(dated_local.local as date) end as wall_day
  from dated_local
),
{{ zone_days(['select timed.zone, timed.wall_day as day from timed']) }},
zoned as (
  select timed.delivery_id, timed.column_name, timed.format, timed.zone, timed.timezone, timed.said, timed.local,
    case when zone_day.zone is not null then {{ where_steady('zone_day', 'zone_day.offset_before', offset_before('timed.local', 'timed.zone')) }} end as offset_before,
    case when zone_day.zone is not null then {{ where_steady('zone_day', 'zone_day.offset_after', offset_after('timed.local', 'timed.zone')) }} end as offset_after
  from timed
  left join zone_day on zone_day.zone = timed.zone and zone_day.day = timed.wall_day
),
{%- set clock = ['zoned.local', 'zoned.offset_before', 'zoned.offset_after', 'zoned.zone'] %}
instants as (
  select zoned.delivery_id, zoned.column_name, zoned.format, zoned.zone, zoned.timezone, zoned.said, zoned.local,
    case when zoned.offset_before is null then zoned.local
      when zoned.offset_before = zoned.offset_after then {{ seconds_later(clock[0], '-(' ~ clock[1] ~ ')') }}
      else {{ local_to_utc_between(*clock) }} end as utc,
    case when zoned.offset_before <> zoned.offset_after then {{ is_gap_between(*clock) }} else false end as is_gap,
    case when zoned.offset_before <> zoned.offset_after then {{ is_overlap_between(*clock) }} else false end as is_overlap
  from zoned
),
moment as (
  select instants.delivery_id, instants.column_name, instants.said, instants.utc, instants.is_gap, instants.is_overlap,
    case when {{ is_date_format('instants.format') }} then cast(cast(instants.local as date) as varchar) else {{ instant_text('instants.utc') }} end as text,
    case when {{ is_date_format('instants.format') }} or instants.zone = instants.timezone and not {{ has_offset_format('instants.format') }}
      then cast(instants.local as date)
      else cast({{ utc_to_zone('instants.utc', 'instants.timezone') }} as date) end as day
  from instants
)
{%- endmacro %}
