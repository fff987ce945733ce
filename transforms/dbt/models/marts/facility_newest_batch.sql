{{ config(materialized='view') }}
{#- How far a facility's data reach: its newest batch date with a delivery. Stands in for today, which no result may depend on. -#}
select delivery.facility_id, max(delivery.batch_date) as newest_batch_date
from {{ source('raw', 'raw_delivery') }} delivery
group by delivery.facility_id
