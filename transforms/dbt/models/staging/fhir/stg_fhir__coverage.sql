{%- set fields = {'status': ['status'], 'type': ['type'], 'subscriber_id': ['subscriberId'], 'payor_display': ['payor', 0, 'display'],
                  'period_start': ['period', 'start'], 'period_end': ['period', 'end']} -%}
with {{ fhir_record('Coverage', fields, dates=['period_start', 'period_end'], subject='beneficiary', service=['period_start'], service_end=['period_end']) }},
{{ fhir_references(['subject_reference']) }},
{{ fhir_concepts({'type': {'maps': ['coverage', 'coverage_type'], 'kind': 'coverage_type'}}) }}
select
  {{ staging_select('coverage', fhir_columns({
    'subscriber_id': 'record.subscriber_id', 'payor_display': 'record.payor_display', 'type_code': 'type_concept.code',
    'period_start': 'record.period_start', 'period_end': 'record.period_end',
  }, concepts=['type'], days=['service', 'service_end'])) }}
{{ fhir_from(['subject'], ['type'], days=['service', 'service_end']) }}
