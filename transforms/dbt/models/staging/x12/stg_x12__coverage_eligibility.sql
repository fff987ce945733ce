{#- One row for each person that a 270 asks about or a 271 answers for (005010X279A1, loops 2000C and 2000D), inquiry and answer linked by the trace
    number; one row for a set that names nobody. AAA anywhere above or at the person means that the request was not answered. -#}
with {{ x12_units(['270', '271'], ['HL', 'NM1', 'TRN', 'DTP', 'EB', 'EQ', 'AAA', 'DMG']) }},
{{ x12_parties() }},
{#- The level (20 payer, 21 provider, 22 subscriber, 23 dependent) of each loop, and what it says. -#}
level as (
  select segment.unit_id, segment.delivery_id, segment.loop_ordinal,
    max(case when segment.segment_id = 'HL' then {{ x12_element('segment', 3) }} end) as level,
    coalesce(max(case when segment.segment_id = 'TRN' and {{ x12_element('segment', 1) }} = case when unit.st_01 = '270' then '1' else '2' end then {{ x12_element('segment', 2) }} end),
      max(case when segment.segment_id = 'TRN' then {{ x12_element('segment', 2) }} end)) as trace_number,
    min(case when segment.segment_id = 'DTP' and {{ x12_element('segment', 1) }} = '291' then {{ x12_period_start('segment') }} end) as serviced,
    min(case when segment.segment_id = 'EB' and {{ x12_element('segment', 1) }} in ('1', '2', '3', '4', '5', '6', '7', '8') then segment.segment_ordinal end) as eligible_ordinal,
    max(case when segment.segment_id = 'AAA' then 1 else 0 end) as refused,
    max(case when segment.segment_id in ('TRN', 'EQ', 'EB', 'AAA') then 1 else 0 end) as speaks
  from segment
  join unit on unit.unit_id = segment.unit_id
  group by segment.unit_id, segment.delivery_id, segment.loop_ordinal
),
{#- The payer, and the subscriber that a dependent belongs to, are the nearest such levels before. -#}
nested as (
  select level.unit_id, level.delivery_id, level.loop_ordinal, level.level, level.trace_number, level.serviced, level.eligible_ordinal, level.refused, level.speaks,
    max(case when level.level = '20' then level.loop_ordinal end) over (partition by level.unit_id order by level.loop_ordinal rows unbounded preceding) as payer_loop,
    max(case when level.level = '22' then level.loop_ordinal end) over (partition by level.unit_id order by level.loop_ordinal rows unbounded preceding) as subscriber_loop,
    max(case when level.level in ('20', '21') then level.refused else 0 end) over (partition by level.unit_id) as set_refused
  from level
),
person as (
  select nested.unit_id, nested.loop_ordinal, nested.level, nested.payer_loop, nested.subscriber_loop, nested.trace_number, nested.serviced,
    nested.eligible_ordinal, nested.refused, row_number() over (partition by nested.unit_id order by nested.loop_ordinal) as position
  from nested where nested.level in ('22', '23') and nested.speaks = 1
),
said as (
  select {{ x12_unit_columns('unit') }}, coalesce(person.position, 0) as person_position, person.loop_ordinal, person.level, person.payer_loop, person.subscriber_loop as member_loop, person.trace_number, person.serviced,
    person.eligible_ordinal, case when coalesce(person.refused, 0) = 1 or coalesce(parent.refused, 0) = 1 or coalesce(answered.refused, 0) = 1 then 1 else 0 end as refused
  from unit
  left join person on person.unit_id = unit.unit_id
  left join nested parent on parent.unit_id = person.unit_id and parent.loop_ordinal = person.subscriber_loop
  left join (select nested.unit_id, max(nested.set_refused) as refused from nested group by nested.unit_id) answered on answered.unit_id = unit.unit_id
),
{{ hl7_times('sent', 'unit', 'sent_at') }},
{{ hl7_times('service', 'said', 'serviced') }}
select
  {{ staging_select('coverage_eligibility', x12_header({
    'record_locator': "unit.record_locator || case when unit.person_position > 1 then '#' || cast(unit.person_position as varchar) else '' end",
    'record_id': "case when unit.person_position > 1 then md5(unit.record_id || '#' || cast(unit.person_position as varchar)) else unit.record_id end",
    'fact_key': fact_key('coverage_eligibility', 'unit.facility_id', ['unit.st_01', "coalesce(unit.trace_number, unit.set_hash || '/' || cast(unit.person_position as varchar))"]),
    'identifier_value': 'unit.trace_number', 'status': "'active'",
    'subject_key': x12_patient_key('unit.facility_id', 'payer.payer', 'subscriber', 'dependent'),
    'service_date': 'service.local_day', 'service_end_date': 'service.local_day',
    'kind': "case when unit.st_01 = '270' then 'request' else 'response' end", 'trace_number': 'unit.trace_number', 'subscriber_id': 'subscriber.member',
    'serviced_date': 'service.value', 'eligibility_code': x12_element('eligible', 1),
    'outcome': "case when unit.st_01 = '271' then case when unit.refused = 1 then 'error' else 'complete' end end",
    'reject_code': time_reject(['sent', 'service']), 'flags': flag_list(time_flags(['sent']))})) }}
from said unit
left join party payer on payer.delivery_id = unit.delivery_id and payer.loop_ordinal = unit.payer_loop
left join party subscriber on subscriber.delivery_id = unit.delivery_id and subscriber.loop_ordinal = unit.member_loop
left join party dependent on dependent.delivery_id = unit.delivery_id and dependent.loop_ordinal = unit.loop_ordinal and unit.level = '23'
left join segment eligible on eligible.unit_id = unit.unit_id and eligible.segment_ordinal = unit.eligible_ordinal
{{ hl7_time_join('sent', 'unit.timezone', 'unit.sent_at') }}
{{ hl7_time_join('service', 'unit.timezone', 'unit.serviced') }}
