{#- One row for each instance: the patient that it names, a by-product. The alphabetic group of the name counts. -#}
with said as (
  select header.unit_id, header.delivery_id, header.payload_id, header.facility_id, header.batch_date, header.received_time, header.source, header.record_id,
    header.record_locator, header.timezone, header.patient_key, header.patient_system, header.patient_id, header.patient_name, header.patient_sex,
    replace(header.patient_birth_date, '.', '') as birth
  from {{ ref('stg_dicom__header') }} header
  where header.patient_key is not null
),
{{ hl7_times('born', 'said', 'birth') }}
select
  {{ staging_select('patient', {
    'record_id': 'said.record_id', 'unit_id': 'said.unit_id', 'delivery_id': 'said.delivery_id', 'payload_id': 'said.payload_id',
    'record_locator': 'said.record_locator', 'facility_id': 'said.facility_id', 'batch_date': 'said.batch_date', 'received_time': 'said.received_time',
    'source': 'said.source', 'source_time': 'said.received_time', 'source_order': "''", 'is_deleted': 'false', 'is_fact': 'false', 'maintains': '0',
    'fact_key': 'said.patient_key', 'subject_key': 'said.patient_key', 'identifier_system': 'said.patient_system', 'identifier_value': 'said.patient_id', 'active': 'true',
    'name_family': dicom_name('said.patient_name', 1), 'name_suffix': dicom_name('said.patient_name', 5),
    'name_given': "nullif(trim(coalesce(" ~ dicom_name('said.patient_name', 2) ~ ", '') || ' ' || coalesce(" ~ dicom_name('said.patient_name', 3) ~ ", '')), '')",
    'birth_date': 'born.date_text', 'gender': "case said.patient_sex when 'F' then 'female' when 'M' then 'male' when 'O' then 'other' end"}) }}
from said
{{ hl7_time_join('born', 'said.timezone', 'said.birth') }}
