{{ config(materialized='view') }}
{#- Received, counted on the payloads by code that shares nothing with the decoders, against the outcomes in the tables. -#}
with received as (
  select delivery.facility_id, delivery.batch_date, delivery.source, cast(sum(delivery.received_units) as bigint) as received
  from {{ source('raw', 'raw_delivery') }} delivery
  group by delivery.facility_id, delivery.batch_date, delivery.source
),
accounted as (
  select ledger.facility_id, ledger.batch_date, ledger.source, cast(sum(ledger.canonical) as bigint) as canonical, cast(sum(ledger.duplicate) as bigint) as duplicate,
    cast(sum(ledger.superseded) as bigint) as superseded, cast(sum(ledger.quarantined) as bigint) as quarantined, cast(sum(ledger.ignored_by_rule) as bigint) as ignored_by_rule
  from {{ ref('ledger') }} ledger
  group by ledger.facility_id, ledger.batch_date, ledger.source
)
select
  coalesce(received.facility_id, accounted.facility_id) as facility_id,
  coalesce(received.batch_date, accounted.batch_date) as batch_date,
  coalesce(received.source, accounted.source) as source,
  coalesce(received.received, 0) as received,
  coalesce(accounted.canonical, 0) as canonical, coalesce(accounted.duplicate, 0) as duplicate,
  coalesce(accounted.superseded, 0) as superseded, coalesce(accounted.quarantined, 0) as quarantined,
  coalesce(accounted.ignored_by_rule, 0) as ignored_by_rule,
  coalesce(received.received, 0) = coalesce(accounted.canonical + accounted.duplicate + accounted.superseded
                                            + accounted.quarantined + accounted.ignored_by_rule, 0) as is_balanced
from received
full outer join accounted
  on accounted.facility_id = received.facility_id and accounted.batch_date = received.batch_date and accounted.source = received.source
