{#-
  Wall-clock time of a facility -> UTC, and the registered date formats of extracts.
  A time without offset is local time of the facility. Where a clock change makes it doubtful, RFC 5545 s3.3.5 decides:
  in a gap the offset before the gap counts, in an overlap the first occurrence; in both cases that is the offset before the
  change. Only the unambiguous direction UTC -> local is asked of the engine, so both engines agree.
-#}

{#- Seconds that local time is ahead of UTC at a UTC instant. -#}
{% macro utc_offset_at(instant, zone) -%}
  {{ dbt.datediff(instant, utc_to_zone(instant, zone), 'second') }}
{%- endmacro %}

{#- Offsets in force one day before and one day after a local time: they differ only around a clock change. -#}
{% macro offset_before(local, zone) -%} {{ utc_offset_at(seconds_later(local, -86400), zone) }} {%- endmacro %}
{% macro offset_after(local, zone) -%} {{ utc_offset_at(seconds_later(local, 86400), zone) }} {%- endmacro %}

{% macro seconds_later(moment, seconds) -%} {{ dbt.dateadd('second', seconds, moment) }} {%- endmacro %}

{#- Whether an instant, `offset` seconds behind the local time, shows that local time on the zone's clocks. -#}
{% macro shows_local(local, offset, zone) -%}
  {{ utc_to_zone(seconds_later(local, '-(' ~ offset ~ ')'), zone) }} = {{ local }}
{%- endmacro %}

{#- The same three answers where the two offsets are already columns: the engine works them out once a row. -#}
{% macro local_to_utc_between(local, before, after, zone) -%}
  case when {{ before }} = {{ after }} or {{ shows_local(local, before, zone) }} or not ({{ shows_local(local, after, zone) }})
    then {{ seconds_later(local, '-(' ~ before ~ ')') }}
    else {{ seconds_later(local, '-(' ~ after ~ ')') }} end
{%- endmacro %}
{% macro is_gap_between(local, before, after, zone) -%}
  ({{ before }} < {{ after }} and not ({{ shows_local(local, before, zone) }}) and not ({{ shows_local(local, after, zone) }}))
{%- endmacro %}
{% macro is_overlap_between(local, before, after, zone) -%}
  ({{ before }} > {{ after }} and {{ shows_local(local, before, zone) }} and {{ shows_local(local, after, zone) }})
{%- endmacro %}

{#- Local timestamp of an IANA zone -> UTC timestamp; null where either is null. -#}
{% macro local_time_to_utc(local, zone) -%}
  {{ local_to_utc_between(local, offset_before(local, zone), offset_after(local, zone), zone) }}
{%- endmacro %}

{#- Does the local time not exist (gap), or occur twice (overlap)? False where it is null. -#}
{% macro is_time_gap(local, zone) -%}
  coalesce({{ is_gap_between(local, offset_before(local, zone), offset_after(local, zone), zone) }}, false)
{%- endmacro %}
{% macro is_time_overlap(local, zone) -%}
  coalesce({{ is_overlap_between(local, offset_before(local, zone), offset_after(local, zone), zone) }}, false)
{%- endmacro %}

{#- The closed list of formats that a feed may register (`transforms/facilities/datetime_formats.py` holds the same). -#}
{% macro datetime_formats() %}{{ return([
  '%Y-%m-%d', '%Y-%m-%d %H:%M', '%Y-%m-%d %H:%M:%S', '%Y-%m-%d %H:%M:%S.%f', '%Y-%m-%d %I:%M %p', '%Y-%m-%d %I:%M:%S %p',
  '%Y-%m-%dT%H:%M', '%Y-%m-%dT%H:%M:%S', '%Y-%m-%dT%H:%M:%S.%f', '%Y-%m-%dT%H:%M:%SZ', '%Y-%m-%dT%H:%M:%S.%fZ',
  '%Y-%m-%dT%H:%M:%S%z', '%Y-%m-%dT%H:%M:%S.%f%z', '%Y-%m-%d %H:%M:%S%z', '%Y-%m-%d %H:%M:%S.%f %z', '%Y-%m-%d-%H.%M.%S.%f',
  '%Y/%m/%d', '%Y/%m/%d %H:%M', '%Y/%m/%d %H:%M:%S', '%Y.%m.%d', '%Y.%m.%d %H:%M', '%Y.%m.%d %H:%M:%S',
  '%Y%m%d', '%Y%m%d%H%M', '%Y%m%d%H%M%S', '%Y%m%d%H%M%S.%f', '%Y%m%d %H%M%S', '%Y%m%d %H:%M', '%Y%m%d %H:%M:%S', '%Y%m%dT%H%M%S', '%y%m%d',
  '%m/%d/%Y', '%m/%d/%Y %H:%M', '%m/%d/%Y %H:%M:%S', '%m/%d/%Y %H:%M:%S.%f', '%m/%d/%Y %I:%M %p', '%m/%d/%Y %I:%M:%S %p',
  '%m/%d/%y', '%m/%d/%y %H:%M', '%m/%d/%y %H:%M:%S', '%m/%d/%y %I:%M %p', '%m%d%Y', '%m%d%y', '%m.%d.%Y',
  '%m-%d-%Y', '%m-%d-%Y %H:%M', '%m-%d-%Y %H:%M:%S', '%m-%d-%Y %I:%M %p', '%m-%d-%y',
  '%d/%m/%Y', '%d/%m/%Y %H:%M', '%d/%m/%Y %H:%M:%S', '%d/%m/%Y %I:%M %p', '%d/%m/%Y %I:%M:%S %p', '%d/%m/%y', '%d/%m/%y %H:%M', '%d/%m/%y %H:%M:%S',
  '%d.%m.%Y', '%d.%m.%Y %H:%M', '%d.%m.%Y %H:%M:%S', '%d.%m.%y', '%d.%m.%y %H:%M', '%d.%m.%y %H:%M:%S', '%d%m%Y', '%d%m%y',
  '%d-%m-%Y', '%d-%m-%Y %H:%M', '%d-%m-%Y %H:%M:%S', '%d-%m-%y', '%d-%m-%y %H:%M',
  '%d-%b-%Y', '%d-%b-%Y %H:%M', '%d-%b-%Y %H:%M:%S', '%d-%b-%Y %I:%M %p', '%d-%b-%y', '%d-%b-%y %H:%M', '%d-%b-%y %H:%M:%S',
  '%d-%b-%y %I.%M.%S.%f %p', '%d/%b/%Y',
  '%d%b%Y', '%d%b%Y:%H:%M:%S', '%d%b%Y %H:%M', '%d%b%Y %H:%M:%S', '%d%b%y',
  '%d %b %Y', '%d %b %Y %H:%M', '%d %b %Y %H:%M:%S', '%d %B %Y',
  '%b %d %Y', '%b %d %Y %H:%M', '%b %d %Y %I:%M%p', '%b %d, %Y', '%B %d, %Y'
]) }}{% endmacro %}

{#- Does a format end in a fraction that begins at a fixed place? Then a seventh digit (SQL Server's datetime2) is cut before reading. -#}
{% macro is_cut_format(format) %}{{ return(format.startswith('%Y-%m-%d') and format.endswith('%f')) }}{% endmacro %}

{#- Shape of a text in a format: both engines' parsers are laxer than that (blanks, a two-digit year for %Y). One-digit months, days and
    hours are allowed where separators stand between them; two blanks where SQL Server pads a one-digit day or hour. -#}
{% macro datetime_shape(format) %}
  {%- if format.endswith(' %z') -%}{{ return('[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,7})? [+-][0-9]{2}:?[0-9]{2}') }}{%- endif -%}
  {%- set compact = '%Y%m' in format or '%y%m' in format or '%m%d' in format or '%d%m' in format -%}
  {%- set short = '[0-9]{2}' if compact or '%Y-%m-%d' in format else '[0-9]{1,2}' -%}
  {{ return(format | replace('.', '[.]') | replace('%Y', '[0-9]{4}') | replace('%y', '[0-9]{2}') | replace('%m', short) | replace('%d', short)
    | replace('%H', short) | replace('%I', short) | replace('%M', '[0-9]{2}') | replace('%S', '[0-9]{2}') | replace('%f', '[0-9]{1,7}' if is_cut_format(format) else '[0-9]{1,6}')
    | replace('%b', '[A-Za-z]{3}') | replace('%B', '[A-Za-z]{3,9}') | replace('%p', '[AaPp][Mm]') | replace('%z', '(Z|[+-][0-9]{2}:?[0-9]{2})')
    | replace(' ', ' ' if '%Y-%m-%d' in format else ' {1,2}')) }}
{% endmacro %}

{#- Text of an extract -> timestamp as written, by the format that stands in a column; null where the text has not that shape or is no date.
    Texts of the formats with an offset (`has_offset_format`) come back as UTC. -#}
{% macro parse_local_datetime(text, format_column) -%}
  case {{ format_column }}
  {%- for format in datetime_formats() %}
    when '{{ format }}' then case when {{ regexp_full(text, datetime_shape(format)) }} then {{ read_datetime(text, format) }} end
  {%- endfor %}
  end
{%- endmacro %}

{#- Has a text the shape of the registered format, where that could be taken for a spreadsheet's form: digits alone, or a day and a month's
    name? Then it was not mangled, and what is no date is none. -#}
{% macro has_number_like_shape(text, format_column) -%}
  case {{ format_column }}
  {%- for format in datetime_formats() if (format | replace('%', '') | replace('.', '')).isalpha() or format.startswith('%d-%b-') %}
    when '{{ format }}' then {{ regexp_full(text, datetime_shape(format)) }}
  {%- endfor %}
    else false end
{%- endmacro %}

{#- Is a value in this format a date only? Then it is never shifted by a zone. -#}
{% macro is_date_format(format_column) -%} (position('%H' in {{ format_column }}) = 0 and position('%I' in {{ format_column }}) = 0) {%- endmacro %}
{#- Does a value in this format carry its own offset? Then it is UTC already. -#}
{% macro has_offset_format(format_column) -%} (position('%z' in {{ format_column }}) > 0 or right({{ format_column }}, 1) = 'Z') {%- endmacro %}

{#- What `parse_local_datetime` gave (as a column) -> FHIR lexical text: a date, or a UTC instant. -#}
{% macro local_datetime_text(local, format_column, zone) -%}
  case when {{ is_date_format(format_column) }} then cast(cast({{ local }} as date) as varchar)
    when {{ has_offset_format(format_column) }} then {{ instant_text(local) }}
    else {{ instant_text(local_time_to_utc(local, zone)) }} end
{%- endmacro %}

{#- One format of the list, given as a constant; DuckDB's %f and Snowflake's FF read six digits at most alike once the rest is cut. -#}
{% macro read_datetime(text, format) %}{{ return(adapter.dispatch('read_datetime', 'lakehouse')(text, format)) }}{% endmacro %}
{% macro duckdb__read_datetime(text, format) -%}
  {%- if '%z' in format -%} (try_strptime({{ with_numeric_offset(text, format) }}, '{{ format | replace(' %z', '%z') }}') at time zone 'UTC')
  {%- elif is_cut_format(format) -%} try_strptime(left({{ text }}, 26), '{{ format }}')
  {%- else -%} try_strptime({{ text }}, '{{ format }}') {%- endif -%}
{%- endmacro %}
{#- Snowflake: two digits of a year begin with 1970 (TWO_DIGIT_CENTURY_START), on DuckDB with 1969. -#}
{% macro snowflake__read_datetime(text, format) -%}
  {%- set moment -%}{{ snowflake__read_elements(text, format) }}{%- endset -%}
  {%- if '%y' in format -%} case when date_part('year', {{ moment }}) = 2069 then dateadd('year', -100, {{ moment }}) else {{ moment }} end
  {%- else -%} {{ moment }} {%- endif -%}
{%- endmacro %}
{% macro snowflake__read_elements(text, format) -%}
  {%- set elements = format | replace('%Y', 'YYYY') | replace('%y', 'YY') | replace('%m', 'MM') | replace('%d', 'DD') | replace('T', '"T"')
    | replace('%SZ', '%S"Z"') | replace('%fZ', '%f"Z"') | replace('%H', 'HH24') | replace('%I', 'HH12') | replace('%M', 'MI') | replace('%S', 'SS') | replace('%f', 'FF6')
    | replace('%b', 'MON') | replace('%B', 'MMMM') | replace('%p', 'AM') | replace('%z', 'TZHTZM') -%}
  {%- if '%z' in format -%} cast(convert_timezone('UTC', try_to_timestamp_tz({{ with_numeric_offset(text, format) }}, '{{ elements | replace(' TZHTZM', 'TZHTZM') }}')) as timestamp_ntz)
  {%- elif is_cut_format(format) -%} try_to_timestamp_ntz(left({{ text }}, 26), '{{ elements }}')
  {%- elif ' ' in format and '%b' in format -%} try_to_timestamp_ntz(replace({{ text }}, '  ', ' '), '{{ elements }}')
  {%- else -%} try_to_timestamp_ntz({{ text }}, '{{ elements }}') {%- endif -%}
{%- endmacro %}
{#- SQL Server shows a datetimeoffset with seven digits of the second, fewer or none, and a blank before its offset. -#}
{% macro with_numeric_offset(text, format) -%}
  {%- if format.endswith(' %z') -%}
  left({{ text }}, 19) || '.' || rpad(left(substr(split_part({{ text }}, ' ', 2), 10), 6), 6, '0') || replace(split_part({{ text }}, ' ', 3), ':', '')
  {%- else -%}
  left({{ text }}, 19) || replace(replace(substr({{ text }}, 20), ':', ''), 'Z', '+0000')
  {%- endif -%}
{%- endmacro %}
