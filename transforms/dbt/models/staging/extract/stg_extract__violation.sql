{#- Rows with a cell that is not what its column was contracted to hold: patterns, types, dates, keys. Only columns that can be violated are
    looked at, and only rows that are at fault remain, with the code for the row, its flags and a column that is the cause. -#}
with checked as (
  select bound.delivery_id, bound.column_ordinal, bound.column_name, bound.kind, bound.pattern, bound.datetime_format, bound.key_ordinal, bound.type,
    {{ type_check('bound.type') }} as type_check, {{ type_range('bound.type') }} as type_range, {{ type_size('bound.type') }} as type_size, feed.markers
  from {{ ref('stg_extract__column') }} bound
  join {{ ref('stg_extract__feed') }} feed on feed.delivery_id = bound.delivery_id
  where bound.is_contracted = 1
    and (bound.pattern is not null or bound.key_ordinal is not null or {{ type_check('bound.type') }} is not null)
    and not (bound.kind = 'csv_extract' and bound.pattern is null and bound.key_ordinal is null and {{ type_check('bound.type') }} = 'text')
),
scoped as (
  select sent.record_id, sent.delivery_id, sent.cells from {{ source('raw', 'raw_extract__row') }} sent where {{ in_scope('sent') }}
),
sent_cell as (
  select scoped.record_id, scoped.delivery_id, checked.column_name, checked.kind, checked.pattern, checked.datetime_format, checked.key_ordinal, checked.type_check, checked.type_range,
    checked.type_size, checked.markers, {{ list_element('scoped.cells', 'checked.column_ordinal') }} as cell
  from scoped
  join checked on checked.delivery_id = scoped.delivery_id
),
cell as (
  select sent_cell.record_id, sent_cell.delivery_id, sent_cell.column_name, sent_cell.kind, sent_cell.pattern, sent_cell.datetime_format, sent_cell.key_ordinal, sent_cell.type_check,
    sent_cell.type_range, sent_cell.type_size, {{ null_marked('sent_cell.cell', 'sent_cell.markers') }} as value,
    {{ with_fraction('sent_cell.cell', 'sent_cell.cell', 'sent_cell.datetime_format') }} as moment
  from sent_cell
),
judged as (
  select cell.record_id, cell.delivery_id, cell.column_name, cell.kind,
    case
      when cell.value is null then case when cell.key_ordinal is not null then 'mangled' end
      else coalesce(
        case when cell.pattern is not null then case when not {{ regexp_match_of('cell.value', 'cell.pattern') }} then 'mangled' end end,
        case cell.type_check
          when 'text' then case when length(cell.value) > cell.type_size then 'widened' end
          when 'date' then
            case when {{ parse_local_datetime('cell.moment', 'cell.datetime_format') }} is not null then null
              when {{ has_number_like_shape('cell.value', 'cell.datetime_format') }} then 'no_date'
              when {{ regexp_full('cell.value', '[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?|[0-9]{1,2}-[A-Za-z]{3}(-[0-9]{2}([0-9]{2})?)?|[A-Za-z]{3}-[0-9]{2}') }} then 'mangled'
              else 'no_date' end
          when 'integer' then
            case when not {{ regexp_full('cell.value', '[+-]?[0-9]+') }} then 'mangled'
              when cell.type_range is null then null
              when try_cast(cell.value as bigint) is null then 'widened'
              when try_cast(cell.value as bigint) not between -cell.type_range - 1 and cell.type_range then 'widened' end
          when 'decimal' then
            case when not {{ regexp_full('cell.value', '[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?') }} then 'mangled'
              when length(replace(replace(replace(cell.value, '.', ''), '-', ''), '+', '')) > cell.type_size then 'widened' end
          when 'bit' then case when lower(cell.value) not in ('0', '1', 'true', 'false') then 'mangled' end
        end)
    end as fault
  from cell
)
select judged.record_id, judged.delivery_id,
  coalesce(min(case when judged.fault <> 'widened' then judged.column_name end), min(judged.column_name)) as column_name,
  max(case
    when judged.fault = 'widened' then null
    when judged.kind <> 'csv_extract' then 'cdc.type_incompatible'
    when judged.fault = 'no_date' then 'time.invalid'
    else 'csv.excel_mangled' end) as reject_code,
  max(case when judged.fault = 'widened' and judged.kind <> 'csv_extract' then 'cdc.type_widened' end) as flags
from judged
where judged.fault is not null
group by judged.record_id, judged.delivery_id
