{#- Where delivered files differ from the contract in force, by column: one that is missing or added, and one with values that its type no longer
    fits or is wider than. A renamed column is a missing and an added one: names are bound, never guessed. A change stream's events are
    judged one by one by their decoder, since each has columns of its own. -#}
with header as (
  select feed.delivery_id, feed.facility_id, feed.batch_date, feed.source, feed.kind, contract.column_name, 'missing' as change
  from {{ ref('stg_extract__feed') }} feed
  join {{ source('ref', 'source_column') }} contract on {{ in_force('contract', 'feed') }} and contract.source = feed.source
  left join {{ ref('stg_extract__column') }} bound on bound.delivery_id = feed.delivery_id and bound.column_name = contract.column_name
  where bound.column_name is null
  union all
  select distinct bound.delivery_id, bound.facility_id, bound.batch_date, bound.source, bound.kind, bound.column_name, 'added'
  from {{ ref('stg_extract__column') }} bound
  where bound.is_contracted = 0 and bound.is_control = 0
),
sent as (
  select raw_extract__row.delivery_id, count(*) as sent_rows
  from {{ source('raw', 'raw_extract__row') }} raw_extract__row where {{ in_scope('raw_extract__row') }}
  group by raw_extract__row.delivery_id
)
select header.delivery_id, header.facility_id, header.batch_date, header.source, header.kind, header.column_name, header.change,
  coalesce(sent.sent_rows, 0) as affected_rows
from header
left join sent on sent.delivery_id = header.delivery_id
union all
select feed.delivery_id, feed.facility_id, feed.batch_date, feed.source, feed.kind, violation.column_name,
  case when violation.reject_code is null then 'widened' else 'unfit' end, count(*)
from {{ ref('stg_extract__violation') }} violation
join {{ ref('stg_extract__feed') }} feed on feed.delivery_id = violation.delivery_id
group by feed.delivery_id, feed.facility_id, feed.batch_date, feed.source, feed.kind, violation.column_name,
  case when violation.reject_code is null then 'widened' else 'unfit' end
