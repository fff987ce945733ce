{{ config(materialized='scoped', strategy='replace_scope', log_key='content_hash') }}
{#- What a unit alone tells. Its reason is that of the outermost level that fails: decoder, then rules on the whole unit, then its records. -#}
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
with found as (
  select unit_id, reject_code as reason, 1 as level, 'quarantine' as reason_kind
  from {{ source('raw', 'raw_unit') }} raw_unit where reject_code is not null and {{ in_scope('raw_unit') }}
  {%- for dialect in ['hl7v2', 'fhir', 'extract'] %}
  union all
  select unit_id, reason, 2 as level, reason_kind from {{ ref('stg_' ~ dialect ~ '__unit_rule') }} where reason_kind <> 'flag'
  {%- endfor %}
  {%- for staging in stagings %}
  union all
  select unit_id, reject_code, 3 as level, 'quarantine' from {{ ref(staging) }} where reject_code is not null
  {%- endfor %}
),
outermost as (
  select unit_id, reason, reason_kind,
    row_number() over (partition by unit_id order by level, reason_kind desc nulls last, reason) as place
  from found
),
timed as (
  {%- for staging in stagings %}
  select unit_id, source_time from {{ ref(staging) }} where is_fact
  {{ 'union all' if not loop.last }}
  {%- endfor %}
),
first_time as (
  select unit_id, min(source_time) as source_time from timed group by unit_id
)
select
  raw_unit.unit_id, raw_unit.facility_id, raw_unit.batch_date, raw_unit.delivery_id, raw_unit.payload_id, raw_unit.source, raw_unit.received_time,
  raw_unit.unit_ordinal, raw_unit.unit_kind, raw_unit.unit_locator, raw_unit.record_type, raw_unit.content_hash,
  outermost.reason as own_reason, outermost.reason_kind as own_reason_kind,
  coalesce(first_time.source_time, raw_unit.received_time) as source_time
from {{ source('raw', 'raw_unit') }} raw_unit
left join outermost on outermost.unit_id = raw_unit.unit_id and outermost.place = 1
left join first_time on first_time.unit_id = raw_unit.unit_id
where {{ in_scope('raw_unit') }}
