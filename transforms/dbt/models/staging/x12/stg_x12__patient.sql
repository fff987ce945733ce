{#- One row for each person that a claim or an eligibility inquiry is about: a by-product, known by member number at the payer. An 835 makes none. -#}
with {{ x12_units(['837', '270', '271'], ['HL', 'NM1', 'DMG', 'N3', 'N4']) }},
{#- Loops of the hierarchy: segments that claims share, and of inquiries those below an HL. -#}
opened as (
  select segment.delivery_id, segment.segment_ordinal as loop_ordinal, segment.unit_id, {{ x12_element('segment', 3) }} as level from segment where segment.segment_id = 'HL'
),
shared as (
  select segment.delivery_id, segment.loop_ordinal, segment.segment_ordinal, segment.segment_id, segment.elements
  from segment join opened on opened.delivery_id = segment.delivery_id and opened.loop_ordinal = segment.loop_ordinal
),
{{ x12_parties('shared') }},
nested as (
  select opened.unit_id, opened.delivery_id, opened.loop_ordinal, opened.level,
    max(case when opened.level = '20' then opened.loop_ordinal end) over (partition by opened.unit_id order by opened.loop_ordinal rows unbounded preceding) as payer_loop,
    max(case when opened.level = '22' then opened.loop_ordinal end) over (partition by opened.unit_id order by opened.loop_ordinal rows unbounded preceding) as member_loop
  from opened
),
person as (
  select unit.unit_id, unit.subscriber_loop as payer_loop, unit.subscriber_loop as member_loop, unit.patient_loop as dependent_loop from unit where unit.st_01 = '837'
  union all
  select nested.unit_id, nested.payer_loop, nested.member_loop, case when nested.level = '23' then nested.loop_ordinal end
  from nested join unit on unit.unit_id = nested.unit_id and unit.st_01 <> '837' where nested.level in ('22', '23')
),
{#- The address that stands first after the person's name; the payer's stands after the payer's. -#}
placed as (
  select shared.delivery_id, shared.loop_ordinal, shared.segment_id, shared.elements,
    max(case when shared.segment_id = 'NM1' then shared.segment_ordinal end) over (
      partition by shared.delivery_id, shared.loop_ordinal order by shared.segment_ordinal rows unbounded preceding) as named_ordinal
  from shared
),
address as (
  select placed.delivery_id, placed.loop_ordinal,
    max(case when placed.segment_id = 'N3' then {{ x12_element('placed', 1) }} end) as line, max(case when placed.segment_id = 'N4' then {{ x12_element('placed', 1) }} end) as city,
    max(case when placed.segment_id = 'N4' then {{ x12_element('placed', 2) }} end) as state, max(case when placed.segment_id = 'N4' then {{ x12_element('placed', 3) }} end) as postal_code
  from placed
  join party on party.delivery_id = placed.delivery_id and party.loop_ordinal = placed.loop_ordinal and party.person_ordinal = placed.named_ordinal
  group by placed.delivery_id, placed.loop_ordinal
),
said as (
  select {{ x12_unit_columns('unit') }}, payer.payer, subscriber.member, dependent.loop_ordinal as dependent_loop,
    {{ x12_patient_key('unit.facility_id', 'payer.payer', 'subscriber', 'dependent') }} as patient_key,
    {%- for name in ['name_family', 'name_given', 'name_suffix', 'birth', 'sex'] %}
    case when dependent.loop_ordinal is null then subscriber.{{ name }} else dependent.{{ name }} end as {{ name }},
    {%- endfor %}
    address.line, address.city, address.state, address.postal_code
  from person
  join unit on unit.unit_id = person.unit_id
  join party subscriber on subscriber.delivery_id = unit.delivery_id and subscriber.loop_ordinal = person.member_loop and subscriber.member is not null
  left join party payer on payer.delivery_id = unit.delivery_id and payer.loop_ordinal = person.payer_loop
  left join party dependent on dependent.delivery_id = unit.delivery_id and dependent.loop_ordinal = person.dependent_loop
  left join address on address.delivery_id = unit.delivery_id and address.loop_ordinal = coalesce(person.dependent_loop, person.member_loop)
),
{{ hl7_times('sent', 'unit', 'sent_at') }},
{{ hl7_times('born', 'said', 'birth') }}
select
  {{ staging_select('patient', x12_header({
    'record_id': 'md5(unit.record_id || unit.patient_key)', 'fact_key': 'unit.patient_key', 'subject_key': 'unit.patient_key', 'is_fact': 'false', 'maintains': '0',
    'identifier_system': x12_payer_system('unit.payer'), 'identifier_value': 'case when unit.dependent_loop is null then unit.member end', 'active': 'true',
    'name_family': 'unit.name_family', 'name_given': 'unit.name_given', 'name_suffix': 'unit.name_suffix', 'birth_date': 'born.value',
    'gender': "case unit.sex when 'F' then 'female' when 'M' then 'male' when 'U' then 'unknown' end",
    'address_line': 'unit.line', 'address_city': 'unit.city', 'address_state': 'unit.state', 'address_postal_code': 'unit.postal_code'})) }}
from said unit
{{ hl7_time_join('sent', 'unit.timezone', 'unit.sent_at') }}
{{ hl7_time_join('born', 'unit.timezone', 'unit.birth') }}
