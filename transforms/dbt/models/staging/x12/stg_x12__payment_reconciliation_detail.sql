{#- One row for each pair of a PLB (reason and reference, amount): provider-level adjustments, sign as sent, positive lowers the payment
    (005010X221A1 s1.10.2.1). By-products of the unit that carries the 835's payment. -#}
with plb as (
  select found.record_id, found.record_locator, found.delivery_id, found.facility_id, found.batch_date, found.set_ordinal, found.segment_ordinal, found.elements
  from {{ source('raw', 'raw_x12__segment') }} found
  where found.segment_id = 'PLB' and {{ in_scope('found') }}
),
pair as (
  {%- for place in range(6) %}
  select plb.record_id, plb.record_locator, plb.delivery_id, plb.set_ordinal, plb.segment_ordinal, {{ place + 1 }} as place, {{ x12_element('plb', 2) }} as fiscal_date,
    {{ x12_element('plb', 3 + 2 * place) }} as reason, {{ x12_element('plb', 4 + 2 * place) }} as amount
  from plb where {{ x12_element('plb', 4 + 2 * place) }} is not null
  {{ 'union all' if not loop.last }}
  {%- endfor %}
),
{#- A payment is known by its reconciliation, in the unit that carries it. -#}
payment as (
  select said.unit_id, said.delivery_id, said.payload_id, said.facility_id, said.batch_date, said.received_time, said.source, said.source_time,
    said.identifier_system, said.payment_identifier_value, said.service_date, said.reject_code, carrier.set_ordinal, carrier.delimiters, facility.timezone
  from {{ ref('stg_x12__payment_reconciliation') }} said
  join {{ source('raw', 'raw_x12__unit') }} carrier on carrier.unit_id = said.unit_id
  join {{ source('ref', 'facility') }} facility on {{ in_force('facility', 'said') }}
),
said as (
  select payment.unit_id, payment.delivery_id, payment.payload_id, payment.facility_id, payment.batch_date, payment.received_time, payment.source,
    payment.source_time, payment.identifier_system, payment.payment_identifier_value, payment.service_date, payment.reject_code, payment.delimiters, payment.timezone,
    pair.record_id, pair.record_locator, pair.segment_ordinal, pair.place, pair.fiscal_date, pair.reason, pair.amount,
    row_number() over (partition by payment.delivery_id, payment.set_ordinal order by pair.segment_ordinal, pair.place) as position
  from payment
  join pair on pair.delivery_id = payment.delivery_id and pair.set_ordinal = payment.set_ordinal
),
{{ hl7_times('fiscal', 'said', 'fiscal_date') }}
select
  {{ staging_select('payment_reconciliation_detail', {
    'record_id': 'said.record_id', 'unit_id': 'said.unit_id', 'delivery_id': 'said.delivery_id', 'payload_id': 'said.payload_id',
    'record_locator': 'said.record_locator', 'facility_id': 'said.facility_id', 'batch_date': 'said.batch_date', 'received_time': 'said.received_time',
    'source': 'said.source', 'source_time': 'said.source_time', 'source_order': "''", 'is_deleted': 'false', 'is_fact': 'false', 'maintains': '1',
    'fact_key': fact_key('payment_reconciliation_detail', 'said.facility_id', ['said.identifier_system', 'said.payment_identifier_value', 'said.position']),
    'identifier_system': 'said.identifier_system', 'identifier_value': x12_component('said.reason', 'said.delimiters', 2), 'status': "'active'",
    'service_date': 'said.service_date', 'service_end_date': 'said.service_date',
    'payment_identifier_value': 'said.payment_identifier_value', 'type_code': x12_component('said.reason', 'said.delimiters', 1),
    'amount_value': x12_amount('said.amount'), 'date': 'fiscal.value', 'reject_code': 'said.reject_code'}) }}
from said
{{ hl7_time_join('fiscal', 'said.timezone', 'said.fiscal_date') }}
