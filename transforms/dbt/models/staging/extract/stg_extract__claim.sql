{%- set texts = ['total_value', 'subscriber_id', 'diagnosis_code', 'item_count', 'frequency_code', 'related_claim_reference'] -%}
{%- set dates = ['billable_period_start', 'billable_period_end'] -%}
{%- set coded = ['status', 'type'] -%}
with {{ extract_record('claim', texts, dates, coded) }}
select
  {{ staging_select('claim', extract_columns('claim', {
    'status': 'record.status', 'type': 'record.type', 'total_value': 'try_cast(record.total_value as decimal(18,2))', 'subscriber_id': 'record.subscriber_id',
    'diagnosis_code': icd_10_cm("'http://hl7.org/fhir/sid/icd-10-cm'", 'record.diagnosis_code'), 'item_count': 'try_cast(record.item_count as integer)',
    'billable_period_start': 'record.billable_period_start_text', 'billable_period_end': 'record.billable_period_end_text',
    'frequency_code': 'record.frequency_code', 'related_claim_reference': 'record.related_claim_reference',
    'service_date': 'record.billable_period_start_day', 'service_end_date': 'record.billable_period_end_day',
  }, texts + dates + coded, flags=[[is_unmapped('status') ~ ' or ' ~ is_unmapped('type'), 'code.unmapped_local']]), full_record=false) }}
from record
