{%- set texts = ['code_code', 'code_local_code', 'code_text', 'requester_display'] -%}
{%- set dates = ['authored_on'] -%}
{%- set coded = ['status', 'priority'] -%}
with {{ extract_record('service_request', texts, dates, coded, by_identifier=true) }}
select
  {{ staging_select('service_request', extract_columns('service_request', extract_code({
    'status': 'record.status', 'priority': 'record.priority', 'requester_display': 'record.requester_display',
    'authored_on': 'record.authored_on_text', 'service_date': 'record.authored_on_day',
  }), texts + dates + coded, flags=extract_code_flags([is_unmapped('status'), is_unmapped('priority')])), full_record=false) }}
from record
{{ join_extract_code('service_request') }}
