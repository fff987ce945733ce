{#- One row for each 835 (005010X221A1): its trace, its sum, and whether it balances as a whole (s1.10.2.1: sum of CLP04 less sum of PLB is BPR02). -#}
with {{ x12_units(['835'], ['BPR', 'TRN', 'PLB']) }},
paid as (
  select unit.delivery_id, unit.set_ordinal, min(unit.facility_id) as facility_id, min(unit.batch_date) as batch_date, min(unit.set_hash) as set_hash, min(unit.timezone) as timezone,
    sum({{ plain_number('unit.amount') }}) as payments,
    sum(case when unit.amount is not null and {{ plain_number('unit.amount') }} is null then 1 else 0 end) as unreadable
  from unit group by unit.delivery_id, unit.set_ordinal
),
stated as (
  select segment.delivery_id, segment.set_ordinal,
    max(case when segment.segment_id = 'BPR' then {{ x12_element('segment', 2) }} end) as amount,
    max(case when segment.segment_id = 'BPR' then {{ x12_element('segment', 16) }} end) as paid_on,
    max(case when segment.segment_id = 'TRN' then {{ x12_element('segment', 2) }} end) as trace_number,
    max(case when segment.segment_id = 'TRN' then {{ x12_element('segment', 3) }} end) as payer,
    sum(case when segment.segment_id = 'PLB' then
      {%- for number in [4, 6, 8, 10, 12, 14] %} coalesce({{ plain_number(x12_element('segment', number)) }}, 0){{ ' +' if not loop.last }}{% endfor %} else 0 end) as adjustments
  from segment group by segment.delivery_id, segment.set_ordinal
),
dated as (
  select paid.timezone, stated.paid_on from stated
  join paid on paid.delivery_id = stated.delivery_id and paid.set_ordinal = stated.set_ordinal
),
{{ hl7_times('payment', 'dated', 'paid_on') }}
select paid.delivery_id, paid.set_ordinal, paid.facility_id, paid.batch_date, paid.set_hash, stated.trace_number, stated.payer,
  {{ x12_amount('stated.amount') }} as amount, payment.value as payment_date, payment.local_day as payment_day,
  case when payment.doubt = 'invalid' then 'time.invalid'
    when paid.unreadable > 0 or {{ plain_number('stated.amount') }} is null
      or coalesce(paid.payments, 0) - stated.adjustments <> {{ plain_number('stated.amount') }} then 'x12.unbalanced_835' end as reject_code
from paid
left join stated on stated.delivery_id = paid.delivery_id and stated.set_ordinal = paid.set_ordinal
{{ hl7_time_join('payment', 'paid.timezone', 'stated.paid_on') }}
