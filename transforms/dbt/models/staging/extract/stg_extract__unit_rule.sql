{#- Contract checks on the header of a change file, told for each of its rows: reading a dropped column as null would delete what is known,
    and a renamed one is a dropped and an added one. A tombstone of a change stream tells its broker to forget, not us. -#}
with broken as (
  select feed.delivery_id, feed.has_missing_column, feed.has_added_column
  from {{ ref('stg_extract__feed') }} feed
  where feed.kind not in ('csv_extract', 'debezium_jsonl') and (feed.has_missing_column = 1 or feed.has_added_column = 1)
)
select sent.unit_id, sent.facility_id, sent.batch_date, 'cdc.column_missing' as reason, 'quarantine' as reason_kind
from {{ source('raw', 'raw_extract__row') }} sent
join broken on broken.delivery_id = sent.delivery_id and broken.has_missing_column = 1
where {{ in_scope('sent') }}
union all
select sent.unit_id, sent.facility_id, sent.batch_date, 'cdc.column_added', 'flag'
from {{ source('raw', 'raw_extract__row') }} sent
join broken on broken.delivery_id = sent.delivery_id and broken.has_added_column = 1
where {{ in_scope('sent') }}
union all
select sent.unit_id, sent.facility_id, sent.batch_date, 'cdc.tombstone', 'ignore'
from {{ source('raw', 'raw_extract__event') }} sent
where sent.is_tombstone and {{ in_scope('sent') }}
