{%- set fields = {'status': ['status'], 'code': ['code'], 'authored_on': ['authoredOn'], 'priority': ['priority'],
                  'requester_display': ['requester', 'display']} -%}
with {{ fhir_record('ServiceRequest', fields, dates=['authored_on'], subject='subject', encounter='encounter') }},
{{ fhir_references(['subject_reference', 'encounter_reference']) }},
{{ fhir_concepts({'code': {'maps': ['service_request', 'service_request_code'], 'kind': 'clinical'}}) }}
select
  {{ staging_select('service_request', fhir_columns(concept_columns('code', {
    'authored_on': 'record.authored_on', 'priority': 'record.priority', 'requester_display': 'record.requester_display',
    'service_date': local_date_of('record.authored_on', 'record.timezone'),
  }), references=['subject', 'encounter'], concepts=['code'])) }}
{{ fhir_from(['subject', 'encounter'], ['code']) }}
