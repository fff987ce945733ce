{%- set texts = ['subscriber_id', 'payor_display'] -%}
{%- set dates = ['period_start', 'period_end'] -%}
{%- set coded = ['status', 'type_code'] -%}
with {{ extract_record('coverage', texts, dates, coded) }}
select
  {{ staging_select('coverage', extract_columns('coverage', {
    'status': 'record.status', 'subscriber_id': 'record.subscriber_id', 'payor_display': 'record.payor_display', 'type_code': 'record.type_code',
    'period_start': 'record.period_start_text', 'period_end': 'record.period_end_text', 'service_date': 'record.period_start_day',
    'service_end_date': 'record.period_end_day',
  }, texts + dates + coded, flags=[[is_unmapped('status') ~ ' or ' ~ is_unmapped('type_code'), 'code.unmapped_local']]), full_record=false) }}
from record
