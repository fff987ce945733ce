{#- One row for each SOP instance, keyed by its UID, which names one immutable object (PS3.5 s9). Study date and time are local to the data set's own
    offset (0008,0201), else to the facility. -#}
with said as (
  select header.unit_id, header.delivery_id, header.payload_id, header.facility_id, header.batch_date, header.received_time, header.source, header.record_id,
    header.record_locator, header.timezone, header.sop_instance_uid, header.study_instance_uid, header.series_instance_uid, header.modality, header.accession_number,
    header.study_description, header.patient_key, header.flags,
    {{ dicom_moment('header.study_date', 'header.study_time', 'header.timezone_offset') }} as started_at
  from {{ ref('stg_dicom__header') }} header
),
{{ hl7_times('started', 'said', 'started_at', digits=6) }}
select
  {{ staging_select('imaging_instance', {
    'record_id': 'said.record_id', 'unit_id': 'said.unit_id', 'delivery_id': 'said.delivery_id', 'payload_id': 'said.payload_id',
    'record_locator': 'said.record_locator', 'facility_id': 'said.facility_id', 'batch_date': 'said.batch_date', 'received_time': 'said.received_time',
    'source': 'said.source', 'source_time': 'said.received_time', 'source_order': "''", 'is_deleted': 'false', 'is_fact': 'true', 'maintains': '1',
    'fact_key': fact_key('imaging_instance', 'said.facility_id', ['said.sop_instance_uid']), 'identifier_system': "'urn:dicom:uid'", 'identifier_value': 'said.sop_instance_uid',
    'subject_key': 'said.patient_key', 'status': "'available'", 'service_date': 'started.local_day', 'service_end_date': 'started.local_day',
    'study_identifier_value': 'said.study_instance_uid', 'series_identifier_value': 'said.series_instance_uid', 'modality': 'said.modality',
    'accession_identifier_value': 'said.accession_number', 'started': 'started.value', 'description': 'said.study_description',
    'reject_code': time_reject(['started']), 'flags': more_flags(time_flags(['started']), 'said.flags')}) }}
from said
{{ hl7_time_join('started', 'said.timezone', 'said.started_at') }}
