{#- One row for each result, vital sign or social history observation (templates 4.2, 4.27, 4.38, 4.78, 4.85). The value's type says what it is; a nullFlavor
    gives the reason why there is none. An interval with one bound is a quantity with a comparator, with two a range (C-CDA on FHIR, ranges of physical
    quantities). Negated: it was not observed. -#}
{%- set is_number = "(said.value_type in ('PQ', 'INT', 'REAL', 'MO') and not said.is_negated)" -%}
{%- set is_interval = "said.value_type <> 'IVL_TS' and not said.is_negated" -%}
{%- set is_above = "(said.value_low_value is not null and said.value_high_value is null and " ~ is_interval ~ ")" -%}
{%- set is_below = "(said.value_high_value is not null and said.value_low_value is null and " ~ is_interval ~ ")" -%}
{%- set is_range = "(said.value_low_value is not null and said.value_high_value is not null and " ~ is_interval ~ ")" -%}
{%- set number = 'case when ' ~ is_number ~ ' then said.value_value when ' ~ is_above ~ ' then said.value_low_value when ' ~ is_below ~ ' then said.value_high_value end' -%}
{%- set unit_said = 'case when ' ~ is_above ~ ' then said.value_low_unit when ' ~ is_below ~ ' then said.value_high_unit else said.value_unit end' -%}
{%- set unit = ucum_unit('spelled', unit_said) -%}
{%- set has_unit = '(' ~ number ~ ') is not null' -%}
{#- xs:boolean; a bound belongs to its interval unless it says otherwise (data types R1, IVXB). -#}
{%- set comparator -%}
case when {{ is_above }} then case when coalesce(said.value_low_inclusive, 'true') in ('true', '1') then '>=' else '>' end
  when {{ is_below }} then case when coalesce(said.value_high_inclusive, 'true') in ('true', '1') then '<=' else '<' end end
{%- endset -%}
select
  {{ staging_select('observation', ccda_columns({
    'status': "case when said.is_negated then 'cancelled' when said.status_code = 'completed' then 'final' when said.status_code = 'active' then 'preliminary' "
      ~ "when said.status_code in ('aborted', 'cancelled') then 'cancelled' when said.status_code = 'nullified' then 'entered-in-error' else 'unknown' end",
    'effective_datetime': 'said.start_text',
    'value_quantity_value': plain_number('(' ~ number ~ ')'), 'value_quantity_value_source': number, 'value_quantity_comparator': comparator,
    'value_quantity_unit': 'case when ' ~ has_unit ~ ' then ' ~ unit ~ ' end', 'value_quantity_unit_source': 'case when ' ~ has_unit ~ ' then ' ~ unit_said ~ ' end',
    'value_string': "case when said.is_negated then null when said.value_type in ('ST', 'ED') then said.value_text when said.value_type = 'BL' then said.value_value "
      ~ "when " ~ is_number ~ " and " ~ plain_number('said.value_value') ~ " is null then said.value_value end",
    'value_codeable_concept_code': 'case when not said.is_negated then coalesce(answer.code, answer.local_code) end',
    'value_codeable_concept_system': 'case when not said.is_negated then case when answer.code is null then answer.local_system else answer.system end end',
    'value_codeable_concept_text': 'case when not said.is_negated then answer.text end', 'value_datetime': 'said.value_datetime',
    'value_range_low_value': 'case when ' ~ is_range ~ ' then ' ~ plain_number('said.value_low_value') ~ ' end',
    'value_range_high_value': 'case when ' ~ is_range ~ ' then ' ~ plain_number('said.value_high_value') ~ ' end',
    'value_ratio_numerator_value': 'case when not said.is_negated then ' ~ plain_number('said.value_numerator_value') ~ ' end',
    'value_ratio_denominator_value': 'case when not said.is_negated then ' ~ plain_number('said.value_denominator_value') ~ ' end',
    'data_absent_reason_code': "case when said.is_negated then 'not-performed' when said.value_null_flavor = 'OTH' and answer.text is not null then null "
      ~ "when answer.code is null and answer.local_code is null then " ~ ccda_absent_reason('said.value_null_flavor') ~ " end",
  }, flags=[["(" ~ unit_said ~ ") is not null and " ~ has_unit ~ " and " ~ unit ~ " is null", 'unit.not_ucum'], ['answer.has_unknown_system = 1', 'ccda.unknown_code_system_oid'],
            ['answer.is_unmapped = 1', 'code.unmapped_local']])) }}
{{ ccda_from('observation', 'code', {'answer': 'value'}, unit_said) }}
