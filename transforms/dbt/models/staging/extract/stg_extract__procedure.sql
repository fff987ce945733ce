{%- set texts = ['code_code', 'code_local_code', 'code_text'] -%}
{%- set dates = ['performed_datetime'] -%}
{%- set coded = ['status'] -%}
with {{ extract_record('procedure', texts, dates, coded) }}
select
  {{ staging_select('procedure', extract_columns('procedure', extract_code({
    'status': 'record.status', 'performed_datetime': 'record.performed_datetime_text', 'service_date': 'record.performed_datetime_day',
  }), texts + dates + coded, flags=extract_code_flags([is_unmapped('status')])), full_record=false) }}
from record
{{ join_extract_code('procedure') }}
