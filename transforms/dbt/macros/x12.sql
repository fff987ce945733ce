{#-
  Reading X12 segments (ASC X12.6): elements by their number in the standard, components by the interchange's own delimiter, amounts exact.
  `delimiters` are those of raw_x12__unit: element, repetition, component, terminator.
-#}

{#- Element n of a segment; empty is none. -#}
{% macro x12_element(segment, number) -%} nullif({{ list_element(segment ~ '.elements', number) }}, '') {%- endmacro %}
{#- Component n of an element that may be divided. -#}
{% macro x12_component(element, delimiters, number) -%}
  nullif(split_part({{ element }}, substr({{ delimiters }}, 3, 1), {{ number }}), '')
{%- endmacro %}
{#- Amount (type R: no fixed number of places); null where the text is no number. -#}
{% macro x12_amount(text) -%} cast({{ plain_number(text) }} as decimal(18,2)) {%- endmacro %}
{#- Sum of the monetary amounts of a CAS (CAS03, 06, ... 18): a segment repeats reason, amount and quantity six times. -#}
{% macro x12_adjustments(cas) -%}
  {%- for number in [3, 6, 9, 12, 15, 18] %}coalesce({{ plain_number(x12_element(cas, number)) }}, 0){{ ' + ' if not loop.last }}{% endfor %}
{%- endmacro %}
{#- Does a CAS state an amount that is no number? -#}
{% macro x12_unreadable_adjustment(cas) -%}
  ({%- for number in [3, 6, 9, 12, 15, 18] %}{{ x12_element(cas, number) }} is not null and {{ plain_number(x12_element(cas, number)) }} is null{{ ' or ' if not loop.last }}{% endfor %})
{%- endmacro %}

{#- CTEs `unit` (units of these transaction sets in the run's scope, with the facility's zone) and `segment` (the named segments of their sets,
    those shared by units included). -#}
{% macro x12_units(sets, segments) %}
unit as (
  select sent.record_id, sent.unit_id, sent.delivery_id, sent.payload_id, sent.record_locator, sent.facility_id, sent.batch_date, sent.received_time, sent.source,
    sent.unit_ordinal, sent.set_ordinal, sent.position, sent.segment_ordinal, sent.provider_loop, sent.subscriber_loop, sent.patient_loop, sent.delimiters,
    sent.gs_08, sent.st_01, sent.amount, sent.set_hash, facility.timezone,
    {#- Transmissions are ordered by BHT04 and BHT05, an 835 by GS04 and GS05; of a time in hundredths the seconds count. #}
    left(case when sent.st_01 = '835' then sent.gs_04 || coalesce(sent.gs_05, '') else sent.bht_04 || coalesce(sent.bht_05, '') end, 14) as sent_at
  from {{ source('raw', 'raw_x12__unit') }} sent
  join {{ source('ref', 'facility') }} facility on {{ in_force('facility', 'sent') }}
  where sent.st_01 in {{ text_list(sets) }} and {{ in_scope('sent') }}
),
segment as (
  select found.record_id, found.unit_id, found.delivery_id, found.unit_ordinal, found.segment_ordinal, found.set_ordinal, found.loop_ordinal, found.segment_id,
    found.elements
  from {{ source('raw', 'raw_x12__segment') }} found
  where found.segment_id in {{ text_list(segments) }} and {{ in_scope('found') }}
)
{%- endmacro %}

{#- Columns of `unit`, for a relation derived from it. -#}
{% macro x12_unit_columns(alias) -%}
  {%- for name in ['record_id', 'unit_id', 'delivery_id', 'payload_id', 'record_locator', 'facility_id', 'batch_date', 'received_time', 'source', 'unit_ordinal',
                   'set_ordinal', 'position', 'segment_ordinal', 'provider_loop', 'subscriber_loop', 'patient_loop', 'delimiters', 'gs_08', 'st_01', 'amount',
                   'set_hash', 'timezone', 'sent_at'] -%}
  {{ alias }}.{{ name }}{{ ', ' if not loop.last }}
  {%- endfor -%}
{%- endmacro %}

{#- CTE `party`: who the loops of the hierarchy name, one row a loop: the identifiers (NM109, else the name) of billing provider (85) and payer
    (PR), the member number of the subscriber (IL), and the person's name and demographics. `relation` holds segments of such loops alone, not those
    inside a claim. -#}
{% macro x12_parties(relation='segment') %}
  {%- set qualifier = x12_element('named', 1) -%}
  {%- set is_person = "named.segment_id = 'NM1' and " ~ qualifier ~ " in ('IL', 'QC', '03')" %}
party as (
  select named.delivery_id, named.loop_ordinal,
    {%- for name, code in {'provider': '85', 'payer': 'PR'}.items() %}
    max(case when named.segment_id = 'NM1' and {{ qualifier }} = '{{ code }}' then coalesce({{ x12_element('named', 9) }}, {{ x12_element('named', 3) }}) end) as {{ name }},
    {%- endfor %}
    max(case when named.segment_id = 'NM1' and {{ qualifier }} = 'IL' then {{ x12_element('named', 9) }} end) as member,
    {%- for name, number in {'name_family': 3, 'name_given': 4, 'name_suffix': 7}.items() %}
    max(case when {{ is_person }} then {{ x12_element('named', number) }} end) as {{ name }},
    {%- endfor %}
    max(case when {{ is_person }} then named.segment_ordinal end) as person_ordinal,
    max(case when named.segment_id = 'DMG' and {{ qualifier }} = 'D8' then {{ x12_element('named', 2) }} end) as birth,
    max(case when named.segment_id = 'DMG' then {{ x12_element('named', 3) }} end) as sex
  from {{ relation }} named
  group by named.delivery_id, named.loop_ordinal
)
{%- endmacro %}

{#- Authority of member numbers: the payer that gave them. -#}
{% macro x12_payer_system(payer) -%} ('urn:x12:payer:' || {{ payer }}) {%- endmacro %}

{#- Key of the patient: the subscriber by member number at the payer; a dependent, who has none of their own, by the subscriber's and by birth
    date and given name beside it (005010X222A1, loops 2010BA and 2010CA). Arguments are aliases of `party` and the payer's identifier. -#}
{% macro x12_patient_key(facility, payer, subscriber, dependent) -%}
  case when {{ subscriber }}.member is null then null
    when {{ dependent }}.loop_ordinal is not null then
      {{ md5_key([facility, "'patient'", x12_payer_system(payer), subscriber ~ '.member', dependent ~ '.birth', 'upper(' ~ dependent ~ '.name_given)']) }}
    else {{ patient_key(facility, x12_payer_system(payer), subscriber ~ '.member') }} end
{%- endmacro %}

{#- Header columns of an X12 staging model, from `unit` and its joined time `sent`; `values` adds the resource's own. -#}
{% macro x12_header(values) %}
  {%- set header = {} -%}
  {%- for name in ['record_id', 'unit_id', 'delivery_id', 'payload_id', 'record_locator', 'facility_id', 'batch_date', 'received_time', 'source'] -%}
    {%- do header.update({name: 'unit.' ~ name}) -%}
  {%- endfor -%}
  {%- do header.update({'source_time': 'coalesce(sent.moment, unit.received_time)', 'source_order': "''", 'is_deleted': 'false', 'is_fact': 'true',
                        'maintains': '1'}) -%}
  {%- do header.update(values) -%}
  {{ return(header) }}
{% endmacro %}

{#- Start and end of a DTP by its format (D8 a date, RD8 a range of dates). -#}
{% macro x12_period_start(segment) -%} split_part({{ x12_element(segment, 3) }}, '-', 1) {%- endmacro %}
{% macro x12_period_end(segment) -%}
  case when {{ x12_element(segment, 2) }} = 'RD8' then split_part({{ x12_element(segment, 3) }}, '-', 2) else {{ x12_element(segment, 3) }} end
{%- endmacro %}
