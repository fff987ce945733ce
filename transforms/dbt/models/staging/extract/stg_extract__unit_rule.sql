{#- Contract checks on the header of a file, told for each of its rows: reading a dropped column as null would delete what is known,
    and a renamed one is a dropped and an added one. A tombstone of a change stream tells its broker to forget, not us. -#}
with broken as (
  select distinct changed.delivery_id, changed.change, case when changed.kind = 'csv_extract' then 'csv' else 'cdc' end as family
  from {{ ref('stg_extract__column_change') }} changed
  where changed.kind <> 'debezium_jsonl' and changed.change in ('missing', 'added')
)
select sent.unit_id, sent.facility_id, sent.batch_date, broken.family || '.column_' || broken.change as reason,
  case broken.change when 'missing' then 'quarantine' else 'flag' end as reason_kind
from {{ source('raw', 'raw_extract__row') }} sent
join broken on broken.delivery_id = sent.delivery_id
where {{ in_scope('sent') }}
union all
select sent.unit_id, sent.facility_id, sent.batch_date, 'cdc.tombstone', 'ignore'
from {{ source('raw', 'raw_extract__event') }} sent
where sent.is_tombstone and {{ in_scope('sent') }}
