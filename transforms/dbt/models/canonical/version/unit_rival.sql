{{ config(materialized='scoped', strategy='replace_scope', log_key='rival_key') }}
{#- What a unit claims for itself alone: under one key only one content may stand. A broken or test interchange claims nothing.
    A source that names its versions (FHIR versionId, R4 s2.21.3; a registered version column) never changes one; a visit number belongs to one
    patient, and what a message claims with it is that patient. -#}
select said.unit_id, said.facility_id, said.batch_date, said.delivery_id, said.unit_ordinal, said.received_time,
  1 as level, 'x12.duplicate_control_number' as reason,
  {{ md5_key(['said.facility_id', "'x12.duplicate_control_number'", 'said.isa_05', 'said.isa_06', 'said.isa_07', 'said.isa_08', 'said.isa_13']) }} as rival_key,
  said.interchange_hash as rival_content
from {{ source('raw', 'raw_x12__unit') }} said
join {{ source('raw', 'raw_unit') }} judged on judged.unit_id = said.unit_id and coalesce(judged.reject_code, '') <> 'x12.missing_trailer'
where said.isa_15 <> 'T' and {{ in_scope('said') }} and {{ in_scope('judged') }}
union all
select said.unit_id, said.facility_id, said.batch_date, said.delivery_id, said.unit_ordinal, said.received_time,
  2, 'x12.payment_conflict',
  {{ md5_key(['said.facility_id', "'x12.payment_conflict'", 'paid.payer', 'paid.trace_number']) }}, said.set_hash
from {{ source('raw', 'raw_x12__unit') }} said
join {{ source('raw', 'raw_unit') }} judged on judged.unit_id = said.unit_id and judged.reject_code is null
join {{ ref('stg_x12__remittance') }} paid on paid.delivery_id = said.delivery_id and paid.set_ordinal = said.set_ordinal and paid.reject_code is null
where said.isa_15 <> 'T' and {{ in_scope('said') }} and {{ in_scope('judged') }}
{%- for resource in stagings() if resource not in parts_of() %}
union all
select unit.unit_id, unit.facility_id, unit.batch_date, unit.delivery_id, unit.unit_ordinal, unit.received_time,
  3, case unit.unit_kind when 'fhir.resource' then 'fhir.version_conflict' else 'csv.version_conflict' end,
  {{ md5_key(['unit.facility_id', "'version_conflict'", 'said.fact_key', 'said.version_key']) }}, unit.content_hash
from {{ ref(resource ~ '_version') }} said
join {{ ref('unit') }} unit on unit.unit_id = said.unit_id
where said.is_fact and said.version_key is not null and {{ in_scope('said') }} and {{ in_scope('unit') }}
{%- endfor %}
union all
select unit.unit_id, unit.facility_id, unit.batch_date, unit.delivery_id, unit.unit_ordinal, unit.received_time,
  3, 'identity.visit_patient_conflict', {{ md5_key(['unit.facility_id', "'visit_patient_conflict'", 'said.fact_key']) }}, said.subject_key
from {{ ref('encounter_version') }} said
join {{ ref('unit') }} unit on unit.unit_id = said.unit_id
where said.is_fact and unit.unit_kind = 'hl7.message' and said.subject_key is not null and {{ in_scope('said') }} and {{ in_scope('unit') }}
union all
select said.unit_id, said.facility_id, said.batch_date, said.delivery_id, unit.unit_ordinal, said.received_time,
  1, 'dicom.sop_uid_conflict',
  {{ md5_key(['said.facility_id', "'dicom.sop_uid_conflict'", 'said.sop_instance_uid']) }}, unit.content_hash
from {{ ref('stg_dicom__header') }} said
join {{ source('raw', 'raw_unit') }} unit on unit.unit_id = said.unit_id
where {{ in_scope('unit') }}
union all
select said.unit_id, said.facility_id, said.batch_date, said.delivery_id, unit.unit_ordinal, said.received_time,
  2, 'dicom.study_patient_conflict',
  {{ md5_key(['said.facility_id', "'dicom.study_patient_conflict'", 'said.study_instance_uid']) }}, said.patient_key
from {{ ref('stg_dicom__header') }} said
join {{ source('raw', 'raw_unit') }} unit on unit.unit_id = said.unit_id
where said.patient_key is not null and {{ in_scope('unit') }}
