{%- set fields = {'status': ['status'], 'code': ['code'], 'authored_on': ['authoredOn'], 'priority': ['priority'],
                  'requester_display': ['requester', 'display']} -%}
with {{ fhir_record('ServiceRequest', fields, dates=['authored_on'], subject='subject', encounter='encounter', service=['authored_on']) }},
{{ fhir_references(['subject_reference', 'encounter_reference']) }},
{{ fhir_concepts({'code': {'maps': ['service_request', 'service_request_code'], 'kind': 'clinical'}}) }}
select
  {{ staging_select('service_request', fhir_columns(concept_columns('code', {
    'authored_on': 'record.authored_on', 'priority': 'record.priority', 'requester_display': 'record.requester_display',
  }), references=['subject', 'encounter'], concepts=['code'], days=['service'])) }}
{{ fhir_from(['subject', 'encounter'], ['code'], days=['service']) }}
