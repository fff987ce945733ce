{%- set fields = {'code': ['code'], 'clinical_status': ['clinicalStatus'], 'verification_status': ['verificationStatus'],
                  'onset': ['onsetDateTime'], 'onset_start': ['onsetPeriod', 'start'], 'abatement': ['abatementDateTime'],
                  'abatement_end': ['abatementPeriod', 'end'], 'recorded_date': ['recordedDate']} -%}
with {{ fhir_record('Condition', fields, dates=['onset', 'onset_start', 'abatement', 'abatement_end', 'recorded_date'], subject='subject', encounter='encounter', service=['onset', 'onset_start', 'recorded_date']) }},
{{ fhir_references(['subject_reference', 'encounter_reference']) }},
{{ fhir_concepts({
  'code': {'maps': ['condition', 'condition_code'], 'kind': 'clinical'},
  'clinical_status': {'maps': ['condition_clinical_status'], 'kind': 'condition_clinical'},
  'verification_status': {'maps': ['condition_verification_status'], 'kind': 'condition_verification'}}) }}
select
  {{ staging_select('condition', fhir_columns(concept_columns('code', {
    'clinical_status': 'clinical_status_concept.code', 'verification_status': 'verification_status_concept.code',
    'onset_datetime': 'coalesce(record.onset, record.onset_start)', 'abatement_datetime': 'coalesce(record.abatement, record.abatement_end)',
    'recorded_date': 'record.recorded_date',
  }), references=['subject', 'encounter'], concepts=['code', 'clinical_status', 'verification_status'],
      status='cast(null as varchar)', days=['service'])) }}
{{ fhir_from(['subject', 'encounter'], ['code', 'clinical_status', 'verification_status'], days=['service']) }}
