{#- One row for each 835: what was paid (BPR, TRN). A by-product of its claim payments, carried by the first that is not refused alone; the fact
    itself of an 835 without any. -#}
with {{ x12_units(['835'], ['BPR']) }},
{{ hl7_times('sent', 'unit', 'sent_at') }},
carried as (
  select {{ x12_unit_columns('unit') }},
    row_number() over (partition by unit.delivery_id, unit.set_ordinal order by case when refused.reject_code is null then 0 else 1 end, unit.unit_ordinal) as place
  from unit
  left join {{ ref('stg_x12__explanation_of_benefit') }} refused on refused.unit_id = unit.unit_id
)
select
  {{ staging_select('payment_reconciliation', x12_header({
    'fact_key': fact_key('payment_reconciliation', 'unit.facility_id', ['remittance.payer', 'remittance.trace_number']),
    'is_fact': 'unit.amount is null', 'identifier_system': "'urn:x12:payer:' || remittance.payer", 'identifier_value': 'remittance.trace_number', 'status': "'active'",
    'service_date': 'remittance.payment_day', 'service_end_date': 'remittance.payment_day',
    'payment_identifier_value': 'remittance.trace_number', 'payment_amount_value': 'remittance.amount', 'payment_date': 'remittance.payment_date',
    'reject_code': 'remittance.reject_code'})) }}
from carried unit
join {{ ref('stg_x12__remittance') }} remittance on remittance.delivery_id = unit.delivery_id and remittance.set_ordinal = unit.set_ordinal
{{ hl7_time_join('sent', 'unit.timezone', 'unit.sent_at') }}
where unit.place = 1
