{%- set texts = ['medication_code_code', 'medication_local_code', 'medication_text', 'dosage_text'] -%}
{%- set dates = ['authored_on', 'dosage_period_start', 'dosage_period_end'] -%}
{%- set coded = ['status', 'do_not_perform'] -%}
with {{ extract_record('medication_request', texts, dates, coded) }}
select
  {{ staging_select('medication_request', extract_columns('medication_request', extract_code_columns({
    'status': 'record.status',
    'do_not_perform': "case when record.is_deleted then null else coalesce(try_cast(record.do_not_perform as boolean), false) end",
    'authored_on': 'record.authored_on_text', 'dosage_text': 'record.dosage_text', 'dosage_period_start': 'record.dosage_period_start_text',
    'dosage_period_end': 'record.dosage_period_end_text', 'service_date': 'record.authored_on_day',
  }, 'medication_code_code', 'medication_code_system', 'medication_text', 'medication_local_code'), texts + dates + coded, flags=extract_code_flags([is_unmapped('status')], 'medication_code_code', 'medication_local_code', 'medication_text')), full_record=false) }}
from record
{{ join_extract_code('medication_request', 'medication_code_code', 'medication_local_code') }}
