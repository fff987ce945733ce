{#- One row for each clinical statement that is a fact: an entry's own, or in a concern act or organizer (or an organizer in one) each of its parts. Those
    nested in a fact (a reaction, a status, a supply) speak of it and are no facts. With document, patient, times and keys; documents of one time are
    ordered by versionNumber (CDA R2 s4.2.1.7). -#}
{%- set carried = ['record_id', 'unit_id', 'delivery_id', 'payload_id', 'record_locator', 'facility_id', 'batch_date', 'received_time', 'source', 'statement_ordinal',
                  'element', 'id_root', 'id_extension', 'status_code', 'mood_code', 'template_ids', 'value_type', 'value_null_flavor', 'value_value',
                  'value_unit', 'value_text', 'value_low_value', 'value_low_unit', 'value_low_inclusive', 'value_high_value', 'value_high_unit', 'value_high_inclusive', 'value_numerator_value', 'value_denominator_value', 'section_kind', 'flags'] %}
with document as (
  select sent.delivery_id, sent.facility_id, sent.batch_date, sent.effective_time, facility.timezone, facility.default_system,
    case when {{ regexp_full('sent.version_number', '[0-9]{1,20}') }} then lpad(sent.version_number, 20, '0') else '' end as source_order
  from {{ source('raw', 'raw_ccda__document') }} sent
  join {{ source('ref', 'facility') }} facility on {{ in_force('facility', 'sent') }}
  where {{ in_scope('sent') }}
),
section as (
  select entry.unit_id, max(section_known.kind) as template_kind, max(section_coded.kind) as code_kind,
    max(case when section_known.template_id is null then 0 else 1 end) as is_known
  from {{ source('raw', 'raw_ccda__entry') }} entry
  left join {{ ref('ccda_section') }} section_known on contains(entry.section_template_ids, '|' || section_known.template_id || '|')
  left join {{ ref('ccda_section') }} section_coded on section_coded.section_code = entry.section_code
  where entry.kind = 'entry' and {{ in_scope('entry') }}
  group by entry.unit_id
),
statement as (
  select sent.record_id, sent.unit_id, sent.delivery_id, sent.payload_id, sent.record_locator, sent.facility_id, sent.batch_date, sent.received_time, sent.source,
    sent.statement_ordinal, sent.parent_ordinal, sent.element, sent.negation_ind, sent.id_root, sent.id_extension, sent.status_code, sent.mood_code,
    coalesce(sent.template_ids, '') as template_ids,
    sent.value_type, sent.value_null_flavor, sent.value_value, sent.value_unit, sent.value_text, sent.value_low_value, sent.value_low_unit, sent.value_low_inclusive,
    sent.value_high_value, sent.value_high_unit, sent.value_high_inclusive, sent.value_numerator_value,
    sent.value_denominator_value, sent.effective_time_value, sent.effective_time_low, sent.effective_time_high, sent.effective_time_high_null_flavor,
    coalesce(section.template_kind, section.code_kind) as section_kind, case when section.is_known = 0 then 'ccda.unknown_template' end as flags
  from {{ source('raw', 'raw_ccda__statement') }} sent
  join section on section.unit_id = sent.unit_id
  where {{ in_scope('sent') }}
),
judged as (
  select {% for name in carried %}statement.{{ name }}, {% endfor %}statement.parent_ordinal, statement.negation_ind, statement.effective_time_value, statement.effective_time_low,
    statement.effective_time_high, statement.effective_time_high_null_flavor, {{ ccda_resource() }} as resource
  from statement
),
{#- What a status observation (templates 4.6 and 4.28, LOINC 33999-4) states of the statement that it stands in. #}
status_said as (
  select judged.unit_id, judged.parent_ordinal as statement_ordinal, min(answer.code) as code
  from judged
  join {{ source('raw', 'raw_ccda__coding') }} asked on asked.unit_id = judged.unit_id and asked.statement_ordinal = judged.statement_ordinal
    and asked.coded_element = 'code' and asked.coding_ordinal = 1
  join {{ source('raw', 'raw_ccda__coding') }} answer on answer.unit_id = judged.unit_id and answer.statement_ordinal = judged.statement_ordinal
    and answer.coded_element = 'value' and answer.code_system = '2.16.840.1.113883.6.96'
  where judged.parent_ordinal is not null and judged.element = 'observation' and (asked.code = '33999-4' or {{ ccda_follows('judged.template_ids', ['6', '28']) }})
    and {{ in_scope('asked') }} and {{ in_scope('answer') }}
  group by judged.unit_id, judged.parent_ordinal
),
{#- An entry's own statement, or a part of a concern act or organizer, which say nothing themselves. What an organizer says of time holds for its parts
    (CDA R2 s4.4). #}
said as (
  select {% for name in carried %}judged.{{ name }}, {% endfor %}judged.resource, outer_one.status_code as concern_status,
    coalesce(judged.effective_time_value, case when judged.effective_time_low is null and judged.effective_time_high is null and outer_one.element = 'organizer'
      then coalesce(outer_one.effective_time_value, outermost.effective_time_value) end) as effective_value,
    coalesce(judged.effective_time_low, case when judged.effective_time_value is null and judged.effective_time_high is null and outer_one.element = 'organizer'
      then coalesce(outer_one.effective_time_low, outermost.effective_time_low) end) as effective_low,
    judged.effective_time_high as effective_high, judged.effective_time_high_null_flavor as end_null_flavor, status_said.code as stated_status,
    {#- xs:boolean: true or 1. #}
    coalesce(judged.negation_ind, outer_one.negation_ind, outermost.negation_ind, '') in ('true', '1') as is_negated,
    case judged.value_type when 'TS' then judged.value_value when 'IVL_TS' then judged.value_low_value end as value_time,
    document.timezone, document.effective_time as document_time, document.source_order
  from judged
  join document on document.delivery_id = judged.delivery_id
  left join status_said on status_said.unit_id = judged.unit_id and status_said.statement_ordinal = judged.statement_ordinal
  left join judged outer_one on outer_one.unit_id = judged.unit_id and outer_one.statement_ordinal = judged.parent_ordinal
  left join judged outermost on outermost.unit_id = judged.unit_id and outermost.statement_ordinal = outer_one.parent_ordinal
  where judged.resource is not null
    and (judged.parent_ordinal is null
         or outer_one.resource is null and outer_one.element in ('act', 'organizer')
           and (outer_one.parent_ordinal is null
                or outer_one.element = 'organizer' and outermost.parent_ordinal is null and outermost.resource is null
                  and outermost.element in ('act', 'organizer')))
),
timed as (
  {%- for column in ['effective_value', 'effective_low', 'effective_high', 'value_time', 'document_time'] %}
  select said.timezone, said.{{ column }} as text from said where said.{{ column }} is not null
  {{ 'union all' if not loop.last }}
  {%- endfor %}
),
{{ hl7_times('moment', 'timed', 'text', digits=9) }}
select said.record_id, said.unit_id, said.delivery_id, said.payload_id, said.record_locator, said.facility_id, said.batch_date, said.received_time, said.source,
  said.statement_ordinal, said.element, said.template_ids, said.resource, said.status_code, said.concern_status, said.mood_code, said.is_negated, said.value_type,
  said.value_null_flavor, said.value_value, said.value_unit, said.value_text, said.value_low_value, said.value_low_unit, said.value_low_inclusive, said.value_high_value, said.value_high_unit,
  said.value_high_inclusive, said.value_numerator_value, said.value_denominator_value, said.end_null_flavor, said.stated_status, answered.value as value_datetime,
  coalesce(point.value, low.value) as start_text, coalesce(point.local_day, low.local_day) as start_day,
  high.value as end_text, high.local_day as end_day,
  coalesce(made.moment, said.received_time) as source_time, said.source_order,
  case when said.id_root is not null then {{ ccda_system('said.id_root', 'said.id_extension') }} end as identifier_system,
  case when said.id_root is not null then {{ ccda_value('said.id_root', 'said.id_extension') }} end as identifier_value,
  case when said.id_root is not null then {{ md5_key(['said.facility_id', 'said.resource', ccda_system('said.id_root', 'said.id_extension'), ccda_value('said.id_root', 'said.id_extension')]) }}
    else {{ md5_key(['said.facility_id', 'said.resource', 'unit.content_hash', 'said.statement_ordinal']) }} end as fact_key,
  subject.patient_key as subject_key,
  case when {% for name in ['point', 'low', 'high', 'made', 'answered'] %}{{ name }}.doubt = 'invalid'{{ ' or ' if not loop.last }}{% endfor %} then 'time.invalid' end as reject_code,
  {{ more_flags(time_flags(['point', 'low', 'high', 'made', 'answered']), 'said.flags') }} as flags
from said
join {{ source('raw', 'raw_unit') }} unit on unit.unit_id = said.unit_id
left join {{ ref('stg_ccda__subject') }} subject on subject.delivery_id = said.delivery_id
{%- for name, column in {'point': 'effective_value', 'low': 'effective_low', 'high': 'effective_high', 'made': 'document_time', 'answered': 'value_time'}.items() %}
left join moment {{ name }} on {{ name }}.text = said.{{ column }} and {{ name }}.zone = said.timezone
{%- endfor %}
where {{ in_scope('unit') }}
