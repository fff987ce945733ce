{%- set texts = ['vaccine_code_code', 'vaccine_local_code', 'vaccine_text'] -%}
{%- set dates = ['occurrence_datetime'] -%}
{%- set coded = ['status'] -%}
with {{ extract_record('immunization', texts, dates, coded) }}
select
  {{ staging_select('immunization', extract_columns('immunization', extract_code_columns({
    'status': 'record.status', 'occurrence_datetime': 'record.occurrence_datetime_text', 'service_date': 'record.occurrence_datetime_day',
  }, 'vaccine_code_code', 'vaccine_code_system', 'vaccine_text', 'vaccine_local_code'), texts + dates + coded, flags=extract_code_flags([is_unmapped('status')], 'vaccine_code_code', 'vaccine_local_code', 'vaccine_text')), full_record=false) }}
from record
{{ join_extract_code('immunization', 'vaccine_code_code', 'vaccine_local_code') }}
