{{ config(materialized='scoped', strategy='merge_reuse') }}
{#- Messages whose control id (MSH-10) the same sender used for another content just before, at most 31 days ago: interface engines start their
    counters again (HL7 v2.5.1 s2.15.9.10: the id identifies the message). Judged anew for every id that the run's messages bear, in the days
    that they can matter to; the days before those are read, not judged. -#}
with asked as (
  {{ control_ids() }}
),
judged_days as (
  {{ judged_days() }}
),
bearing as (
  select msh.unit_id, msh.facility_id, msh.batch_date, asked.control_key, unit.content_hash, unit.received_time, unit.delivery_id, unit.unit_ordinal
  from asked
  join {{ source('raw', 'raw_hl7v2__msh') }} msh on msh.facility_id = asked.facility_id and msh.msh_10_1 = asked.msh_10_1
    and coalesce(msh.msh_3_1, '') = asked.msh_3_1 and coalesce(msh.msh_4_1, '') = asked.msh_4_1
  join {{ ref('unit') }} unit on unit.unit_id = msh.unit_id
  cross join judged_days
  where msh.batch_date between {{ day_plus('judged_days.first_date', -31) }} and judged_days.last_date
),
compared as (
  select bearing.unit_id, bearing.facility_id, bearing.batch_date, bearing.control_key, bearing.content_hash,
    lag(bearing.content_hash) over (partition by bearing.control_key
      order by bearing.batch_date, bearing.received_time, bearing.delivery_id, bearing.unit_ordinal) as hash_before,
    lag(bearing.batch_date) over (partition by bearing.control_key
      order by bearing.batch_date, bearing.received_time, bearing.delivery_id, bearing.unit_ordinal) as date_before
  from bearing
)
select compared.unit_id, compared.facility_id, compared.batch_date, compared.control_key
from compared
cross join judged_days
where compared.content_hash <> compared.hash_before and compared.date_before >= {{ day_plus('compared.batch_date', -31) }}
  and compared.batch_date between judged_days.first_date and judged_days.last_date
