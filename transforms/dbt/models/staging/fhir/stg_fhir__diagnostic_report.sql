{%- set fields = {'status': ['status'], 'code': ['code'], 'effective': ['effectiveDateTime'], 'effective_start': ['effectivePeriod', 'start'],
                  'issued': ['issued'], 'performer_display': ['performer', 0, 'display'],
                  'based_on_identifier_value': ['basedOn', 0, 'identifier', 'value']} -%}
with {{ fhir_record('DiagnosticReport', fields, dates=['effective', 'effective_start', 'issued'], subject='subject', encounter='encounter', service=['effective', 'effective_start', 'issued'], kinds={'issued': 'instant'}) }},
{{ fhir_references(['subject_reference', 'encounter_reference']) }},
{{ fhir_concepts({'code': {'maps': ['diagnostic_report', 'diagnostic_report_code'], 'kind': 'clinical'}}) }}
select
  {{ staging_select('diagnostic_report', fhir_columns(concept_columns('code', {
    'effective_datetime': 'coalesce(record.effective, record.effective_start)', 'issued': 'record.issued',
    'performer_display': 'record.performer_display', 'based_on_identifier_value': 'record.based_on_identifier_value',
  }), references=['subject', 'encounter'], concepts=['code'], days=['service'])) }}
{{ fhir_from(['subject', 'encounter'], ['code'], days=['service']) }}
