{#- Which staging models speak of each resource: the one list that version tables, units and flags are made of. -#}
{% macro stagings() %}{{ return({
  'patient': ['stg_hl7v2__patient', 'stg_fhir__patient', 'stg_extract__patient', 'stg_x12__patient', 'stg_ccda__patient', 'stg_dicom__patient'],
  'patient_identifier': ['stg_hl7v2__patient_identifier', 'stg_fhir__patient_identifier', 'stg_extract__patient_identifier'],
  'patient_link': ['stg_hl7v2__patient_link'],
  'encounter': ['stg_hl7v2__encounter', 'stg_fhir__encounter', 'stg_extract__encounter', 'stg_ccda__encounter'],
  'condition': ['stg_hl7v2__condition', 'stg_fhir__condition', 'stg_extract__condition', 'stg_ccda__condition'],
  'observation': ['stg_hl7v2__observation', 'stg_fhir__observation', 'stg_extract__observation', 'stg_ccda__observation'],
  'observation_component': ['stg_fhir__observation_component'],
  'service_request': ['stg_hl7v2__service_request', 'stg_fhir__service_request', 'stg_extract__service_request'],
  'diagnostic_report': ['stg_hl7v2__diagnostic_report', 'stg_fhir__diagnostic_report', 'stg_extract__diagnostic_report'],
  'procedure': ['stg_hl7v2__procedure', 'stg_fhir__procedure', 'stg_extract__procedure', 'stg_ccda__procedure'],
  'medication_request': ['stg_hl7v2__medication_request', 'stg_fhir__medication_request', 'stg_extract__medication_request', 'stg_ccda__medication_request'],
  'practitioner': ['stg_hl7v2__practitioner', 'stg_fhir__practitioner', 'stg_extract__practitioner'],
  'organization': ['stg_fhir__organization', 'stg_extract__organization'],
  'location': ['stg_hl7v2__location', 'stg_fhir__location', 'stg_extract__location'],
  'coverage': ['stg_hl7v2__coverage', 'stg_fhir__coverage', 'stg_extract__coverage'],
  'claim': ['stg_fhir__claim', 'stg_extract__claim', 'stg_x12__claim'],
  'explanation_of_benefit': ['stg_x12__explanation_of_benefit'],
  'payment_reconciliation': ['stg_x12__payment_reconciliation'],
  'payment_reconciliation_detail': ['stg_x12__payment_reconciliation_detail'],
  'coverage_eligibility': ['stg_x12__coverage_eligibility'],
  'imaging_instance': ['stg_dicom__imaging_instance'],
  'imaging_statement': ['stg_fhir__imaging_statement'],
  'immunization': ['stg_fhir__immunization', 'stg_extract__immunization', 'stg_ccda__immunization'],
  'medication_administration': ['stg_fhir__medication_administration'],
  'document_reference': ['stg_hl7v2__document_reference', 'stg_fhir__document_reference', 'stg_ccda__document_reference'],
  'allergy_intolerance': ['stg_hl7v2__allergy_intolerance', 'stg_fhir__allergy_intolerance', 'stg_extract__allergy_intolerance', 'stg_ccda__allergy_intolerance']
}) }}{% endmacro %}

{#- Dialects that have rules on whole units (`stg_<dialect>__unit_rule`). -#}
{% macro unit_rule_dialects() %}{{ return(['hl7v2', 'fhir', 'extract', 'x12', 'ccda']) }}{% endmacro %}

{#- Every staging model of `stagings`. -#}
{% macro all_stagings() %}
  {%- set models = [] -%}
  {%- for names in stagings().values() -%}{%- do models.extend(names) -%}{%- endfor -%}
  {{ return(models) }}
{% endmacro %}
