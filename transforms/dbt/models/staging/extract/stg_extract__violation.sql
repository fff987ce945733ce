{#- Rows with a cell that is not what its column was contracted to hold: patterns, types, dates, keys. Only columns that can be violated are
    looked at, and only rows that are at fault remain, with the code for the row and its flags. -#}
with checked as (
  select bound.delivery_id, bound.column_ordinal, bound.kind, bound.pattern, bound.datetime_format, bound.key_ordinal, bound.type,
    {{ type_check('bound.type') }} as type_check, {{ type_range('bound.type') }} as type_range, {{ type_size('bound.type') }} as type_size, feed.markers
  from {{ ref('stg_extract__column') }} bound
  join {{ ref('stg_extract__feed') }} feed on feed.delivery_id = bound.delivery_id
  where bound.is_contracted = 1
    and (bound.pattern is not null or bound.key_ordinal is not null or {{ type_check('bound.type') }} is not null)
    and not (bound.kind = 'csv_extract' and bound.pattern is null and bound.key_ordinal is null and {{ type_check('bound.type') }} = 'text')
),
sent_cell as (
  select sent.record_id, checked.kind, checked.pattern, checked.datetime_format, checked.key_ordinal, checked.type_check, checked.type_range,
    checked.type_size, checked.markers, {{ list_element('sent.cells', 'checked.column_ordinal') }} as cell
  from {{ source('raw', 'raw_extract__row') }} sent
  join checked on checked.delivery_id = sent.delivery_id
  where {{ in_scope('sent') }}
),
cell as (
  select sent_cell.record_id, sent_cell.kind, sent_cell.pattern, sent_cell.datetime_format, sent_cell.key_ordinal, sent_cell.type_check,
    sent_cell.type_range, sent_cell.type_size, {{ null_marked('sent_cell.cell', 'sent_cell.markers') }} as value,
    {{ with_fraction('sent_cell.cell', 'sent_cell.cell', 'sent_cell.datetime_format') }} as moment
  from sent_cell
),
judged as (
  select cell.record_id, cell.kind,
    case
      when cell.value is null then case when cell.key_ordinal is not null then 'mangled' end
      when cell.pattern is not null and not {{ regexp_match_of('cell.value', 'cell.pattern') }} then 'mangled'
      when cell.type_check = 'date' then
        case when {{ parse_local_datetime('cell.moment', 'cell.datetime_format') }} is null then
          case when {{ regexp_full('cell.value', '[0-9]+([.][0-9]+)?|[0-9]{1,2}-[A-Za-z]{3}(-[0-9]{2}([0-9]{2})?)?|[A-Za-z]{3}-[0-9]{2}') }} then 'mangled' else 'no_date' end end
      when cell.type_check = 'integer' and not {{ regexp_full('cell.value', '[+-]?[0-9]+') }} then 'mangled'
      when cell.type_check = 'decimal' and not {{ regexp_full('cell.value', '[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?') }} then 'mangled'
      when cell.type_check = 'bit' and lower(cell.value) not in ('0', '1', 'true', 'false') then 'mangled'
      when cell.type_check = 'integer' and cell.type_range is not null
        and abs(coalesce(try_cast(cell.value as decimal(38, 0)), 99999999999999999999)) > cell.type_range then 'widened'
      when cell.type_check = 'text' and length(cell.value) > cell.type_size then 'widened'
      when cell.type_check = 'decimal' and length(replace(replace(replace(cell.value, '.', ''), '-', ''), '+', '')) > cell.type_size then 'widened'
    end as fault
  from cell
)
select judged.record_id,
  max(case
    when judged.fault = 'widened' then null
    when judged.kind = 'dms_s3_csv' then 'cdc.type_incompatible'
    when judged.fault = 'no_date' then 'time.invalid'
    else 'csv.excel_mangled' end) as reject_code,
  max(case when judged.fault = 'widened' and judged.kind = 'dms_s3_csv' then 'cdc.type_widened' end) as flags
from judged
where judged.fault is not null
group by judged.record_id
