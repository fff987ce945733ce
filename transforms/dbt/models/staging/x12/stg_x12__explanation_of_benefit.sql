{#- One row for each CLP of an 835 (005010X221A1): an event that adds to what was paid, never a version of another. Keyed by payer, trace number and
    position. Balanced by line (SVC02 - CAS = SVC03) and by claim (CLP03 - all CAS = CLP04); as a whole in stg_x12__remittance. -#}
with {{ x12_units(['835'], ['CLP', 'SVC', 'CAS']) }},
adjusted as (
  select cas.unit_id, cas.loop_ordinal, sum({{ x12_adjustments('cas') }}) as amount, max(case when {{ x12_unreadable_adjustment('cas') }} then 1 else 0 end) as unreadable
  from segment cas where cas.segment_id = 'CAS' group by cas.unit_id, cas.loop_ordinal
),
claim_adjusted as (
  select adjusted.unit_id, sum(adjusted.amount) as amount, max(adjusted.unreadable) as unreadable from adjusted group by adjusted.unit_id
),
line as (
  select svc.unit_id,
    max(case when coalesce({{ plain_number(x12_element('svc', 2)) }}, 0) - coalesce(adjusted.amount, 0) <> coalesce({{ plain_number(x12_element('svc', 3)) }}, 0) then 1 else 0 end) as unbalanced
  from segment svc
  left join adjusted on adjusted.unit_id = svc.unit_id and adjusted.loop_ordinal = svc.segment_ordinal
  where svc.segment_id = 'SVC' group by svc.unit_id
),
{{ hl7_times('sent', 'unit', 'sent_at') }}
select
  {{ staging_select('explanation_of_benefit', x12_header({
    'fact_key': fact_key('explanation_of_benefit', 'unit.facility_id', ['remittance.payer', 'remittance.trace_number', 'unit.position']),
    'identifier_system': "'urn:x12:payer:' || remittance.payer", 'identifier_value': "remittance.trace_number || '/' || cast(unit.position as varchar)",
    'status': "'active'", 'service_date': 'remittance.payment_day', 'service_end_date': 'remittance.payment_day',
    'claim_identifier_value': x12_element('clp', 1), 'claim_status_code': x12_element('clp', 2), 'submitted_amount': x12_amount(x12_element('clp', 3)),
    'payment_amount': x12_amount(x12_element('clp', 4)), 'patient_responsibility_amount': x12_amount(x12_element('clp', 5)),
    'payer_claim_control_number': x12_element('clp', 7), 'trace_number': 'remittance.trace_number', 'payment_date': 'remittance.payment_date',
    'reject_code': "case when remittance.reject_code is not null then remittance.reject_code when sent.doubt = 'invalid' then 'time.invalid' "
      ~ "when coalesce(line.unbalanced, 0) = 1 or coalesce(claim_adjusted.unreadable, 0) = 1 "
      ~ "or " ~ plain_number(x12_element('clp', 3)) ~ " is null or " ~ plain_number(x12_element('clp', 4)) ~ " is null "
      ~ "or " ~ plain_number(x12_element('clp', 3)) ~ " - coalesce(claim_adjusted.amount, 0) <> " ~ plain_number(x12_element('clp', 4)) ~ " then 'x12.unbalanced_835' end",
    'flags': flag_list(time_flags(['sent']))})) }}
from unit
join segment clp on clp.record_id = unit.record_id and clp.segment_id = 'CLP'
join {{ ref('stg_x12__remittance') }} remittance on remittance.delivery_id = unit.delivery_id and remittance.set_ordinal = unit.set_ordinal
left join claim_adjusted on claim_adjusted.unit_id = unit.unit_id
left join line on line.unit_id = unit.unit_id
{{ hl7_time_join('sent', 'unit.timezone', 'unit.sent_at') }}
