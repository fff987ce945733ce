{#- One row for each document that a result carries (OBX-2 is ED, ch. 2A): R4 Observation has no attachment as a value, so it stands beside the
    observation, by-product of its message. The size is that of the decoded data. -#}
{{ config(told_by=['OBX']) }}
{%- set content = "replace(replace(replace(said.obx_5_5, ' ', ''), chr(13), ''), chr(10), '')" -%}
with said as (
  select obx.record_id, obx.obx_5_2, obx.obx_5_3, obx.obx_5_4, obx.obx_5_5
  from {{ source('raw', 'raw_hl7v2__obx') }} obx
  where {{ in_scope('obx') }} and obx.obx_2_1 = 'ED' and obx.obx_5_5 is not null
),
measured as (
  select said.record_id, said.obx_5_2, said.obx_5_3, upper(said.obx_5_4) as encoding,
    length({{ content }}) as characters, length(rtrim({{ content }}, '=')) as characters_filled, length(said.obx_5_5) as characters_sent
  from said
)
select
  {{ staging_select('document_reference', hl7_header('observation', 'observation', {
    'fact_key': fact_key('document_reference', 'observation.facility_id', ['observation.fact_key']),
    'maintains': '1', 'identifier_system': 'observation.identifier_system', 'identifier_value': 'observation.identifier_value',
    'subject_key': 'observation.subject_key', 'encounter_key': 'observation.encounter_key',
    'encounter_identifier_value': 'observation.encounter_identifier_value',
    'status': "case when observation.status = 'entered-in-error' then 'entered-in-error' else 'current' end",
    'service_date': 'observation.service_date', 'service_end_date': 'observation.service_end_date',
    'type_code': 'observation.code_code', 'date': 'coalesce(observation.issued, observation.effective_datetime)',
    'content_attachment_content_type': "case upper(measured.obx_5_2) when 'AP' then 'application' when 'IM' then 'image' when 'AU' then 'audio'"
      ~ " when 'FT' then 'text' else lower(measured.obx_5_2) end || '/' || lower(measured.obx_5_3)",
    'content_attachment_size': "case measured.encoding when 'BASE64' then cast(floor(measured.characters / 4.0) as bigint) * 3"
      ~ " - (measured.characters - measured.characters_filled) when 'HEX' then cast(floor(measured.characters / 2.0) as bigint)"
      ~ " else measured.characters_sent end",
    'reject_code': 'observation.reject_code'}), full_record=false) }}
from measured
join {{ ref('stg_hl7v2__observation') }} observation on observation.record_id = measured.record_id
