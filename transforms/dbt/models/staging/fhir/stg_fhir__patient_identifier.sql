{#- Every business identifier of a patient record; a by-product of the patient, keyed by patient, system and value; one that is listed twice
    is one. -#}
{{ config(told_by=['Patient']) }}
select
  {{ staging_select('patient_identifier', {
    'record_id': 'patient.record_id', 'unit_id': 'patient.unit_id', 'delivery_id': 'patient.delivery_id', 'payload_id': 'patient.payload_id',
    'record_locator': 'patient.record_locator', 'facility_id': 'patient.facility_id', 'batch_date': 'patient.batch_date',
    'received_time': 'patient.received_time', 'source': 'patient.source',
    'fact_key': md5_key(['patient.facility_id', "'patient_identifier'", 'patient.fact_key', 'identifier.system', 'identifier.value']),
    'source_time': 'patient.source_time', 'source_order': 'patient.source_order', 'is_deleted': 'false', 'is_fact': 'false', 'maintains': '1',
    'id': 'patient.id', 'identifier_system': 'patient.identifier_system', 'identifier_value': 'patient.identifier_value',
    'subject_key': 'patient.fact_key', 'system': 'identifier.system', 'value': 'identifier.value', 'type_code': 'identifier.type_code',
    'use': 'identifier.identifier_use', 'reject_code': 'patient.reject_code'}) }}
from {{ ref('stg_fhir__patient') }} patient
join {{ ref('stg_fhir__identifier') }} identifier on identifier.record_id = patient.record_id and identifier.mention = 1
