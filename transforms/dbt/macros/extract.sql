{#-
  Reading CSV extracts and AWS DMS change rows by the registry: which cell of a row is which column of the contract, what counts as
  null, how dates are written, what the coded values mean.

  Belongs here: what every extract staging model shares. Header and contract are bound in stg_extract__column, one row a column, so
  that a record reads its cells by position and no row is ever taken apart into cells.
-#}

{#- Mark between null markers in one text; never part of a value (ASCII unit separator). -#}
{% macro marker_separator() -%} chr(31) {%- endmacro %}

{#- A cell, null where it is empty or exactly a registered null marker. -#}
{% macro null_marked(cell, markers) -%}
  case when {{ cell }} = '' or contains({{ markers }}, {{ marker_separator() }} || {{ cell }} || {{ marker_separator() }}) then null else {{ cell }} end
{%- endmacro %}

{#- Commit time of an AR_H_CHANGE_SEQ: its first 16 digits are the time in UTC to the hundredth (AWS DMS, S3 target), the rest a
    rising number. Null for a full-load row, which has none, and for a text of another form, which only orders. -#}
{% macro change_sequence_time(sequence) -%}
  case
    when {{ regexp_full(sequence, '[0-9]{16,}') }} then try_cast(left({{ sequence }}, 4) || '-' || substr({{ sequence }}, 5, 2) || '-' || substr({{ sequence }}, 7, 2)
      || ' ' || substr({{ sequence }}, 9, 2) || ':' || substr({{ sequence }}, 11, 2) || ':' || substr({{ sequence }}, 13, 2)
      || '.' || substr({{ sequence }}, 15, 2) as timestamp)
  end
{%- endmacro %}

{#- Milliseconds since 1970 as text -> UTC timestamp; null where they are none. -#}
{% macro epoch_time(milliseconds) -%}
  case when {{ regexp_full(milliseconds, '[0-9]{4,14}') }} then
    {{ dbt.dateadd('millisecond', 'try_cast(right(' ~ milliseconds ~ ', 3) as integer)',
                   seconds_later("cast('1970-01-01 00:00:00' as timestamp)", 'try_cast(left(' ~ milliseconds ~ ', length(' ~ milliseconds ~ ') - 3) as bigint)')) }} end
{%- endmacro %}

{#- Contract of the SQL Server's and the extract's types as a kind of check; null for types that hold any text. -#}
{% macro type_check(type) -%}
  case split_part({{ type }}, '(', 1)
    when 'tinyint' then 'integer' when 'smallint' then 'integer' when 'int' then 'integer' when 'bigint' then 'integer' when 'integer' then 'integer'
    when 'decimal' then 'decimal' when 'numeric' then 'decimal' when 'money' then 'decimal' when 'smallmoney' then 'decimal' when 'float' then 'decimal' when 'real' then 'decimal'
    when 'date' then 'date' when 'datetime' then 'date' when 'datetime2' then 'date' when 'smalldatetime' then 'date' when 'datetimeoffset' then 'date'
    when 'bit' then 'bit' when 'boolean' then 'bit'
    when 'char' then 'text' when 'nchar' then 'text' when 'varchar' then 'text' when 'nvarchar' then 'text'
  end
{%- endmacro %}

{#- Largest whole number of a type, null for types that are none. -#}
{% macro type_range(type) -%}
  case {{ type }} when 'tinyint' then 255 when 'smallint' then 32767 when 'int' then 2147483647 when 'bigint' then 9223372036854775807 end
{%- endmacro %}

{#- Size in the brackets of a type: characters of a text, all digits of a decimal; null without one. -#}
{% macro type_size(type) -%} try_cast({{ regexp_first('split_part(' ~ type ~ ", '(', 2)", '^[0-9]+') }} as integer) {%- endmacro %}

{#- SQL Server's times are written with or without their fraction: `text` (made of `cell`) with one where its format has one. -#}
{% macro with_fraction(text, cell, format) -%}
  {{ text }} || case when {{ format }} = '%Y-%m-%d %H:%M:%S.%f' and length({{ cell }}) = 19 then '.0' else '' end
{%- endmacro %}

{#- Whole-string match of a pattern that stands in a column. -#}
{% macro regexp_match_of(text, pattern) %}{{ return(adapter.dispatch('regexp_match_of', 'lakehouse')(text, pattern)) }}{% endmacro %}
{% macro duckdb__regexp_match_of(text, pattern) -%} regexp_full_match({{ text }}, {{ pattern }}) {%- endmacro %}
{% macro snowflake__regexp_match_of(text, pattern) -%} regexp_like({{ text }}, {{ pattern }}) {%- endmacro %}
