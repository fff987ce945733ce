{%- set texts = ['code_code', 'code_local_code', 'code_text'] -%}
{%- set dates = ['onset_datetime'] -%}
{%- set coded = ['clinical_status', 'verification_status'] -%}
with {{ extract_record('allergy_intolerance', texts, dates, coded) }}
select
  {{ staging_select('allergy_intolerance', extract_columns('allergy_intolerance', extract_code({
    'clinical_status': 'record.clinical_status', 'verification_status': 'record.verification_status',
    'onset_datetime': 'record.onset_datetime_text', 'service_date': 'record.onset_datetime_day',
  }), texts + dates + coded, flags=extract_code_flags([is_unmapped('clinical_status'), is_unmapped('verification_status')])), full_record=false) }}
from record
{{ join_extract_code('allergy_intolerance') }}
