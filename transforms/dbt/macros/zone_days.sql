{#-
  Offsets of time zones by day. Asking the engine for a zone's offset row by row costs more than all other mapping; a zone keeps one
  offset through nearly every day, so it is asked once for each zone and day, and row by row only around a clock change.
-#}

{#- CTE `zone_day`: zone, day, offset_before, offset_after (seconds ahead of UTC one day before the day begins and one day after it ends);
    `asked` is a list of SELECTs that give zone and day. The offset is steady where both are equal. -#}
{% macro zone_days(asked) %}
zone_day as (
  select wanted.zone, wanted.day,
    {{ utc_offset_at(seconds_later('cast(wanted.day as timestamp)', -86400), 'wanted.zone') }} as offset_before,
    {{ utc_offset_at(seconds_later('cast(wanted.day as timestamp)', 172800), 'wanted.zone') }} as offset_after
  {#- Distinct here, not by `union`: a single SELECT would keep a row for each record, and the join would multiply the records. #}
  from (
    select distinct asked_for.zone, asked_for.day from (
    {{ asked | join('\n    union all\n    ') }}
    ) asked_for
  ) wanted
  where wanted.zone is not null and wanted.day is not null
)
{%- endmacro %}

{#- `steady` where the joined zone_day `alias` has one offset, else `exact`, which is then asked for those rows alone. -#}
{% macro where_steady(alias, steady, exact) -%}
  case when {{ alias }}.offset_before = {{ alias }}.offset_after then {{ steady }} else {{ exact }} end
{%- endmacro %}
