{#- One row for each DocumentReference. Its master identifier names the document, else its first identifier (R4 documentreference.html). Of several contents
    the first is taken; where its bytes are sent along they are counted: four characters of base64 are three bytes, blanks and padding none (RFC 4648 s4). -#}
{%- set fields = {
  'status': ['status'], 'type': ['type'], 'date': ['date'], 'master_system': ['masterIdentifier', 'system'], 'master_value': ['masterIdentifier', 'value'],
  'content_type': ['content', 0, 'attachment', 'contentType'], 'size': ['content', 0, 'attachment', 'size'], 'data': ['content', 0, 'attachment', 'data'],
  'period_start': ['context', 'period', 'start'], 'period_end': ['context', 'period', 'end']} -%}
{%- set digits = "replace(replace(replace(replace(replace(record.data, '=', ''), ' ', ''), chr(9), ''), chr(10), ''), chr(13), '')" -%}
with {{ fhir_record('DocumentReference', fields, dates=['date', 'period_start', 'period_end'], subject='subject', encounter=['context', 'encounter', 0],
                    service=['period_start', 'date'], service_end=['period_end']) }},
{{ fhir_references(['subject_reference', 'encounter_reference']) }},
{{ fhir_concepts({'type': {'maps': ['document_reference', 'document_reference_type'], 'kind': 'clinical'}}) }}
select
  {{ staging_select('document_reference', fhir_columns({
    'identifier_system': 'case when record.master_value is not null then record.master_system else record.identifier_system end',
    'identifier_value': 'coalesce(record.master_value, record.identifier_value)',
    'type_code': 'type_concept.code', 'date': 'record.date', 'content_attachment_content_type': 'record.content_type',
    'content_attachment_size': 'coalesce(cast(floor(length(' ~ digits ~ ') * 0.75) as bigint), try_cast(record.size as bigint))',
  }, references=['subject', 'encounter'], concepts=['type'], days=['service', 'service_end'])) }}
{{ fhir_from(['subject', 'encounter'], ['type'], days=['service', 'service_end']) }}
