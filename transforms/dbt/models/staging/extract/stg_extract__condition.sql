{%- set texts = ['code_code', 'code_local_code', 'code_text'] -%}
{%- set dates = ['onset_datetime', 'abatement_datetime', 'recorded_date'] -%}
{%- set coded = ['clinical_status', 'verification_status'] -%}
with {{ extract_record('condition', texts, dates, coded) }}
select
  {{ staging_select('condition', extract_columns('condition', extract_code({
    'clinical_status': 'record.clinical_status', 'verification_status': 'record.verification_status',
    'onset_datetime': 'record.onset_datetime_text', 'abatement_datetime': 'record.abatement_datetime_text', 'recorded_date': 'record.recorded_date_text',
    'service_date': 'coalesce(record.onset_datetime_day, record.recorded_date_day)',
  }), texts + dates + coded, flags=extract_code_flags([is_unmapped('clinical_status'), is_unmapped('verification_status')])), full_record=false) }}
from record
{{ join_extract_code('condition') }}
