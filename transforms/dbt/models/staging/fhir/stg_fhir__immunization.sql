{%- set fields = {'status': ['status'], 'vaccine': ['vaccineCode'], 'occurrence': ['occurrenceDateTime']} -%}
with {{ fhir_record('Immunization', fields, dates=['occurrence'], subject='patient', encounter='encounter', service=['occurrence']) }},
{{ fhir_references(['subject_reference', 'encounter_reference']) }},
{{ fhir_concepts({'vaccine': {'maps': ['immunization', 'immunization_vaccine_code'], 'kind': 'clinical'}}) }}
select
  {{ staging_select('immunization', fhir_columns({
    'vaccine_code_code': 'vaccine_concept.code', 'vaccine_code_system': 'vaccine_concept.system', 'vaccine_text': 'vaccine_concept.text',
    'vaccine_local_code': 'vaccine_concept.local_code', 'occurrence_datetime': 'record.occurrence',
  }, references=['subject', 'encounter'], concepts=['vaccine'], days=['service'])) }}
{{ fhir_from(['subject', 'encounter'], ['vaccine'], days=['service']) }}
