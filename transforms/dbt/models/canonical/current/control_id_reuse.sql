{{ config(materialized='scoped', strategy='merge_reuse') }}
{#- Messages whose control id (MSH-10) the same sender used before for another content, all but the first received (HL7 v2.5.1 s2.15.9.10: the id
    identifies the message). Judged anew for every id that the run's messages bear, among those of 31 days around: counters start again. -#}
with asked as (
  {{ control_ids() }}
),
{#- The one or two rounds of days that the run's messages may share an id with, so that older ones are not read. -#}
around as (
  select min(run_scope.batch_date) as first_date, max(run_scope.batch_date) as last_date
  from {{ source('control', 'run_scope') }} run_scope where run_scope.run_id = {{ run_id() }}
),
bearing as (
  select msh.unit_id, msh.facility_id, msh.batch_date, asked.control_key, unit.content_hash, unit.received_time, unit.delivery_id, unit.unit_ordinal
  from asked
  join {{ source('raw', 'raw_hl7v2__msh') }} msh on msh.facility_id = asked.facility_id and msh.msh_10_1 = asked.msh_10_1
    and coalesce(msh.msh_3_1, '') = asked.msh_3_1 and coalesce(msh.msh_4_1, '') = asked.msh_4_1
  join {{ ref('unit') }} unit on unit.unit_id = msh.unit_id
  cross join around
  where msh.batch_date between {{ day_plus('around.first_date', -31) }} and {{ day_plus('around.last_date', 31) }}
),
compared as (
  select bearing.unit_id, bearing.facility_id, bearing.batch_date, bearing.control_key, bearing.content_hash,
    first_value(bearing.content_hash) over (partition by bearing.control_key
      order by bearing.received_time, bearing.delivery_id, bearing.unit_ordinal rows between unbounded preceding and current row) as first_hash
  from bearing
)
select compared.unit_id, compared.facility_id, compared.batch_date, compared.control_key
from compared where compared.content_hash <> compared.first_hash
