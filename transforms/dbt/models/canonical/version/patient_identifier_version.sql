{{ config(materialized='scoped', strategy='merge_version') }}
{{ version_model('patient_identifier', ['stg_hl7v2__patient_identifier', 'stg_fhir__patient_identifier', 'stg_extract__patient_identifier']) }}
