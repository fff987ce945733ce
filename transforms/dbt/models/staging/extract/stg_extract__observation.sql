{#- A value column may hold a number, a number with a comparator, or text; only plain decimals become a quantity. -#}
{%- set texts = ['code_code', 'code_local_code', 'code_text', 'value_quantity_value', 'value_quantity_comparator', 'value_quantity_unit_source', 'value_string',
                 'based_on_identifier_value', 'report_identifier_value', 'performer_display'] -%}
{%- set dates = ['effective_datetime', 'issued', 'value_datetime'] -%}
{%- set coded = ['status', 'data_absent_reason_code', 'value_codeable_concept_code'] -%}
{%- set comparator = regexp_first('record.value_quantity_value', '^(<=|>=|<|>)') -%}
{%- set number = "trim(substr(record.value_quantity_value, length(coalesce(" ~ comparator ~ ", '')) + 1))" -%}
{%- set is_number = is_plain_number(number) -%}
{%- set unit = ucum_unit('spelled', 'record.value_quantity_unit_source') -%}
with {{ extract_record('observation', texts, dates, coded) }}
select
  {{ staging_select('observation', extract_columns('observation', extract_code({
    'status': 'record.status', 'effective_datetime': 'record.effective_datetime_text', 'issued': 'record.issued_text',
    'value_quantity_value': plain_number(number), 'value_quantity_value_source': 'case when ' ~ is_number ~ ' then ' ~ number ~ ' end',
    'value_quantity_comparator': 'case when ' ~ is_number ~ ' then coalesce(' ~ comparator ~ ', record.value_quantity_comparator) end',
    'value_quantity_unit': unit, 'value_quantity_unit_source': 'record.value_quantity_unit_source',
    'value_string': 'coalesce(record.value_string, case when not ' ~ is_number ~ ' then record.value_quantity_value end)',
    'value_codeable_concept_code': 'record.value_codeable_concept_code', 'value_datetime': 'record.value_datetime_text',
    'data_absent_reason_code': 'record.data_absent_reason_code', 'performer_display': 'record.performer_display',
    'report_identifier_value': 'record.report_identifier_value', 'based_on_identifier_value': 'record.based_on_identifier_value',
    'service_date': 'coalesce(record.effective_datetime_day, record.issued_day)',
  }), texts + dates + coded, flags=extract_code_flags([is_unmapped('status'), is_unmapped('data_absent_reason_code'), is_unmapped('value_codeable_concept_code')])
     + [['record.value_quantity_unit_source is not null and ' ~ unit ~ ' is null', 'unit.not_ucum']]), full_record=false) }}
from record
{{ join_extract_code('observation') }}
{{ join_unit_of_measure('spelled', 'record.value_quantity_unit_source') }}
