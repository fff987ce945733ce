{%- set texts = ['location_point_of_care', 'location_room', 'location_bed', 'practitioner_identifier_value'] -%}
{%- set dates = ['period_start', 'period_end'] -%}
{%- set coded = ['status', 'class_code', 'discharge_disposition_code'] -%}
{%- set statuses = ['planned', 'arrived', 'triaged', 'in-progress', 'onleave', 'finished', 'cancelled', 'entered-in-error', 'unknown'] -%}
{%- set classes = ['AMB', 'EMER', 'FLD', 'HH', 'IMP', 'ACUTE', 'NONAC', 'OBSENC', 'PRENC', 'SS', 'VR'] -%}
{%- set class = 'coalesce(' ~ coded_value('class_code', classes) ~ ', class_map.code)' -%}
with {{ extract_record('encounter', texts, dates, coded, by_identifier=true) }}
select
  {{ staging_select('encounter', extract_columns('encounter', {
    'status': coded_value('status', statuses), 'status_stated': coded_value('status', statuses), 'status_event_mark': "case when record.status_at is not null then 'N' end",
    'class_code': class, 'class_local_code': 'record.class_code_said',
    'period_start': 'record.period_start_text', 'period_end': 'record.period_end_text',
    'location_point_of_care': 'record.location_point_of_care', 'location_room': 'record.location_room', 'location_bed': 'record.location_bed',
    'discharge_disposition_code': 'record.discharge_disposition_code',
    'practitioner_key': 'case when record.practitioner_identifier_value is not null then ' ~ practitioner_key('record.facility_id', 'null', 'record.practitioner_identifier_value') ~ ' end',
    'service_date': 'record.period_start_day', 'service_end_date': 'record.period_end_day',
  }, texts + dates + coded, flags=[[[is_unmapped('status', statuses), '(record.class_code_said is not null and ' ~ class ~ ' is null)',
     is_unmapped('discharge_disposition_code')] | join(' or '), 'code.unmapped_local']]), full_record=false) }}
from record
{{ join_code_map('class_map', 'record', 'encounter_class', 'record.class_code_said') }}
