{%- set fields = {'status': ['status'], 'type': ['type'], 'total_value': ['total', 'value'], 'item': ['item'],
                  'billable_start': ['billablePeriod', 'start'], 'billable_end': ['billablePeriod', 'end'],
                  'diagnosis': ['diagnosis', 0, 'diagnosisCodeableConcept'], 'related': ['related', 0, 'claim', 'identifier', 'value'],
                  'subscriber_id': ['insurance', 0, 'coverage', 'identifier', 'value']} -%}
with {{ fhir_record('Claim', fields, dates=['billable_start', 'billable_end'], subject='patient', exact=true, service=['billable_start'], service_end=['billable_end']) }},
{{ fhir_references(['subject_reference']) }},
{{ fhir_concepts({
  'type': {'maps': ['claim_type'], 'kind': 'claim_type'}, 'diagnosis': {'maps': ['claim_diagnosis', 'condition', 'condition_code'], 'kind': 'clinical'}}) }},
item_count as (
  select record.record_id, count(*) as items from record{{ unnest_array('listed', json_parse('record.item')) }} group by record.record_id
)
select
  {{ staging_select('claim', fhir_columns({
    'type': 'type_concept.code', 'total_value': 'try_cast(record.total_value as decimal(18,2))', 'subscriber_id': 'record.subscriber_id',
    'diagnosis_code': 'diagnosis_concept.code', 'item_count': 'item_count.items', 'billable_period_start': 'record.billable_start',
    'billable_period_end': 'record.billable_end', 'related_claim_reference': 'record.related',
  }, concepts=['type', 'diagnosis'], days=['service', 'service_end'])) }}
{{ fhir_from(['subject'], ['type', 'diagnosis'], days=['service', 'service_end']) }}
left join item_count on item_count.record_id = record.record_id
