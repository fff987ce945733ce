{%- set fields = {'code': ['code'], 'clinical_status': ['clinicalStatus'], 'verification_status': ['verificationStatus'],
                  'onset': ['onsetDateTime'], 'onset_start': ['onsetPeriod', 'start'], 'recorded_date': ['recordedDate']} -%}
with {{ fhir_record('AllergyIntolerance', fields, dates=['onset', 'onset_start', 'recorded_date'], subject='patient', encounter='encounter', service=['onset', 'onset_start', 'recorded_date']) }},
{{ fhir_references(['subject_reference', 'encounter_reference']) }},
{{ fhir_concepts({
  'code': {'maps': ['allergy_intolerance', 'allergy_intolerance_code', 'allergy', 'allergy_code'], 'kind': 'clinical'},
  'clinical_status': {'maps': ['allergy_intolerance_clinical_status', 'allergy_clinical_status'], 'kind': 'allergy_clinical'},
  'verification_status': {'maps': ['allergy_intolerance_verification_status', 'allergy_verification_status'], 'kind': 'allergy_verification'}}) }}
select
  {{ staging_select('allergy_intolerance', fhir_columns(concept_columns('code', {
    'clinical_status': 'clinical_status_concept.code', 'verification_status': 'verification_status_concept.code',
    'onset_datetime': 'coalesce(record.onset, record.onset_start)',
  }), references=['subject', 'encounter'], concepts=['code', 'clinical_status', 'verification_status'], status='cast(null as varchar)', days=['service'])) }}
{{ fhir_from(['subject', 'encounter'], ['code', 'clinical_status', 'verification_status'], days=['service']) }}
