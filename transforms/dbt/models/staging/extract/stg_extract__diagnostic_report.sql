{%- set texts = ['code_code', 'code_local_code', 'code_text', 'based_on_identifier_value', 'performer_display'] -%}
{%- set dates = ['effective_datetime', 'issued'] -%}
{%- set coded = ['status'] -%}
with {{ extract_record('diagnostic_report', texts, dates, coded, by_identifier=true) }}
select
  {{ staging_select('diagnostic_report', extract_columns('diagnostic_report', extract_code({
    'status': 'record.status', 'based_on_identifier_value': 'record.based_on_identifier_value', 'performer_display': 'record.performer_display',
    'effective_datetime': 'record.effective_datetime_text', 'issued': 'record.issued_text',
    'service_date': 'coalesce(record.effective_datetime_day, record.issued_day)',
  }), texts + dates + coded, flags=extract_code_flags([is_unmapped('status')])), full_record=false) }}
from record
{{ join_extract_code('diagnostic_report') }}
