{#- One row for each CLM of an 837 (005010X222A1, 005010X223A2): keyed by billing provider and CLM01, so that a replacement (CLM05-3 7) or void (8)
    is a newer version of the claim it replaces. -#}
with {{ x12_units(['837'], ['NM1', 'DMG', 'CLM', 'HI', 'REF', 'DTP', 'SBR', 'LX', 'SV1', 'SV2', 'SV3']) }},
shared as (
  select segment.delivery_id, segment.loop_ordinal, segment.segment_ordinal, segment.segment_id, segment.elements from segment where segment.unit_ordinal = 0
),
{{ x12_parties('shared') }},
{#- Where a claim's other subscribers (loop 2320) begin: the F8 of their payers (loop 2330B) is the number of another payer's claim. -#}
other_payer as (
  select segment.unit_id, min(segment.segment_ordinal) as begins from segment where segment.segment_id = 'SBR' and segment.unit_ordinal > 0 group by segment.unit_id
),
{#- What the claim's own segments say, those of its lines (loop 2400) apart from those of the claim (loop 2300). -#}
detail as (
  select segment.unit_id,
    max(case when segment.segment_id = 'HI' and {{ x12_component(x12_element('segment', 1), 'unit.delimiters', 1) }} in ('ABK', 'BK') then {{ x12_element('segment', 1) }} end) as principal,
    max(case when segment.segment_id = 'REF' and segment.loop_ordinal = unit.segment_ordinal and {{ x12_element('segment', 1) }} = 'F8'
      and coalesce(segment.segment_ordinal < other_payer.begins, true) then {{ x12_element('segment', 2) }} end) as related,
    max(case when segment.segment_id = 'DTP' and segment.loop_ordinal = unit.segment_ordinal and {{ x12_element('segment', 1) }} = '434' then {{ x12_period_start('segment') }} end) as statement_start,
    max(case when segment.segment_id = 'DTP' and segment.loop_ordinal = unit.segment_ordinal and {{ x12_element('segment', 1) }} = '434' then {{ x12_period_end('segment') }} end) as statement_end,
    min(case when segment.segment_id = 'DTP' and {{ x12_element('segment', 1) }} = '472' then segment.segment_ordinal end) as first_service,
    max(case when segment.segment_id = 'DTP' and {{ x12_element('segment', 1) }} = '472' then segment.segment_ordinal end) as last_service,
    sum(case when segment.segment_id = 'LX' then 1 else 0 end) as items,
    sum(case segment.segment_id when 'SV2' then coalesce({{ plain_number(x12_element('segment', 3)) }}, 0) when 'SV1' then coalesce({{ plain_number(x12_element('segment', 2)) }}, 0)
      when 'SV3' then coalesce({{ plain_number(x12_element('segment', 2)) }}, 0) else 0 end) as line_charges
  from segment
  join unit on unit.unit_id = segment.unit_id
  left join other_payer on other_payer.unit_id = segment.unit_id
  group by segment.unit_id
),
claimed as (
  select {{ x12_unit_columns('unit') }}, {{ x12_element('clm', 1) }} as number, {{ x12_amount(x12_element('clm', 2)) }} as total,
    {{ x12_component(x12_element('clm', 5), 'unit.delimiters', 3) }} as frequency,
    {{ x12_component('detail.principal', 'unit.delimiters', 1) }} as diagnosis_qualifier, {{ x12_component('detail.principal', 'unit.delimiters', 2) }} as diagnosis,
    detail.related, detail.items, detail.line_charges,
    coalesce(detail.statement_start, {{ x12_period_start('first_line') }}) as billed_from,
    coalesce(detail.statement_end, {{ x12_period_end('last_line') }}) as billed_to
  from unit
  join segment clm on clm.record_id = unit.record_id
  join detail on detail.unit_id = unit.unit_id
  left join segment first_line on first_line.unit_id = unit.unit_id and first_line.segment_ordinal = detail.first_service
  left join segment last_line on last_line.unit_id = unit.unit_id and last_line.segment_ordinal = detail.last_service
),
dated as (
  select claimed.timezone, claimed.billed_from as text from claimed where claimed.billed_from is not null
  union all
  select claimed.timezone, claimed.billed_to from claimed where claimed.billed_to is not null
),
{{ hl7_times('sent', 'unit', 'sent_at') }},
{{ hl7_times('billed', 'dated', 'text') }}
select
  {{ staging_select('claim', x12_header({
    'fact_key': fact_key('claim', 'unit.facility_id', ['provider.provider', 'unit.number']),
    'identifier_system': "'urn:x12:provider:' || provider.provider", 'identifier_value': 'unit.number',
    'subject_key': x12_patient_key('unit.facility_id', 'subscriber.payer', 'subscriber', 'dependent'),
    'status': "case when unit.frequency = '8' then 'cancelled' else 'active' end",
    'service_date': 'started.local_day', 'service_end_date': 'ended.local_day',
    'type': "case when unit.gs_08 like '005010X222%' then 'professional' when unit.gs_08 like '005010X223%' then 'institutional' end",
    'total_value': 'unit.total', 'subscriber_id': 'subscriber.member',
    'diagnosis_code': "case when unit.diagnosis_qualifier = 'ABK' then " ~ icd_10_cm("'http://hl7.org/fhir/sid/icd-10-cm'", 'unit.diagnosis') ~ " else unit.diagnosis end",
    'item_count': 'unit.items', 'billable_period_start': 'started.value', 'billable_period_end': 'ended.value',
    'frequency_code': 'unit.frequency', 'related_claim_reference': 'unit.related',
    'reject_code': "case when sent.doubt = 'invalid' or started.doubt = 'invalid' or ended.doubt = 'invalid' then 'time.invalid' "
      ~ "when unit.total is null or unit.total <> unit.line_charges then 'x12.claim_charge_mismatch' "
      ~ "when unit.frequency in ('7', '8') and unit.related is null then 'x12.replacement_without_original' end",
    'flags': flag_list(time_flags(['sent']))})) }}
from claimed unit
left join party provider on provider.delivery_id = unit.delivery_id and provider.loop_ordinal = unit.provider_loop
left join party subscriber on subscriber.delivery_id = unit.delivery_id and subscriber.loop_ordinal = unit.subscriber_loop
left join party dependent on dependent.delivery_id = unit.delivery_id and dependent.loop_ordinal = unit.patient_loop
{{ hl7_time_join('sent', 'unit.timezone', 'unit.sent_at') }}
left join billed started on started.text = unit.billed_from and started.zone = unit.timezone
left join billed ended on ended.text = unit.billed_to and ended.zone = unit.timezone
