{{ config(materialized='scoped', strategy='replace_scope') }}
{#- Flags mark a unit without changing its outcome: one row for each unit and code. -#}
{%- set stagings = [
  'stg_hl7v2__patient', 'stg_fhir__patient', 'stg_extract__patient',
  'stg_hl7v2__patient_identifier', 'stg_fhir__patient_identifier', 'stg_extract__patient_identifier',
  'stg_hl7v2__patient_link',
  'stg_hl7v2__encounter', 'stg_fhir__encounter', 'stg_extract__encounter',
  'stg_hl7v2__condition', 'stg_fhir__condition', 'stg_extract__condition',
  'stg_hl7v2__observation', 'stg_fhir__observation', 'stg_extract__observation',
  'stg_hl7v2__service_request', 'stg_fhir__service_request', 'stg_extract__service_request',
  'stg_hl7v2__diagnostic_report', 'stg_fhir__diagnostic_report', 'stg_extract__diagnostic_report',
  'stg_hl7v2__procedure', 'stg_fhir__procedure', 'stg_extract__procedure',
  'stg_hl7v2__medication_request', 'stg_fhir__medication_request', 'stg_extract__medication_request',
  'stg_hl7v2__practitioner', 'stg_fhir__practitioner', 'stg_extract__practitioner',
  'stg_fhir__organization', 'stg_extract__organization',
  'stg_hl7v2__location', 'stg_fhir__location', 'stg_extract__location',
  'stg_hl7v2__coverage', 'stg_fhir__coverage', 'stg_extract__coverage',
  'stg_fhir__claim', 'stg_extract__claim',
  'stg_fhir__allergy_intolerance'] -%}
with said as (
  select raw_unit.unit_id, raw_unit.facility_id, raw_unit.batch_date, raw_unit.flags
  from {{ source('raw', 'raw_unit') }} raw_unit where raw_unit.flags is not null and {{ in_scope('raw_unit') }}
  {%- for dialect in ['hl7v2', 'fhir', 'extract'] %}
  union all
  select unit_id, facility_id, batch_date, reason from {{ ref('stg_' ~ dialect ~ '__unit_rule') }} where reason_kind = 'flag'
  {%- endfor %}
  {%- for staging in stagings %}
  union all
  select unit_id, facility_id, batch_date, flags from {{ ref(staging) }} where flags is not null
  {%- endfor %}
),
distinct_said as (
  select distinct unit_id, facility_id, batch_date, ',' || replace(flags, ' ', '') || ',' as flags from said
)
select distinct distinct_said.unit_id, distinct_said.facility_id, distinct_said.batch_date, reason_code.code as flag
from distinct_said
join {{ ref('reason_code') }} reason_code
  on reason_code.kind = 'flag' and contains(distinct_said.flags, ',' || reason_code.code || ',')
