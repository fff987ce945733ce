{#- The identifier that a patient row is known by, as a by-product of the row. -#}
{{ config(told_by=['patient']) }}
select
  {{ staging_select('patient_identifier', {
    'record_id': 'patient.record_id', 'unit_id': 'patient.unit_id', 'delivery_id': 'patient.delivery_id', 'payload_id': 'patient.payload_id',
    'record_locator': 'patient.record_locator', 'facility_id': 'patient.facility_id', 'batch_date': 'patient.batch_date',
    'received_time': 'patient.received_time', 'source': 'patient.source',
    'fact_key': md5_key(['patient.facility_id', "'patient_identifier'", 'patient.fact_key', 'patient.identifier_system', 'patient.identifier_value']),
    'source_time': 'patient.source_time', 'source_order': 'patient.source_order', 'is_deleted': 'patient.is_deleted', 'is_fact': 'false',
    'maintains': '1', 'identifier_system': 'patient.identifier_system', 'identifier_value': 'patient.identifier_value',
    'row_key': 'patient.row_key', 'subject_key': 'patient.fact_key', 'system': 'patient.identifier_system', 'value': 'patient.identifier_value', 'type_code': "'MR'",
    'reject_code': 'patient.reject_code'}) }}
from {{ ref('stg_extract__patient') }} patient
where patient.identifier_value is not null
