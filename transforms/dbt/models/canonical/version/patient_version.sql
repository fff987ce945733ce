{{ config(materialized='scoped', strategy='merge_version') }}
{{ version_model('patient', ['stg_hl7v2__patient', 'stg_fhir__patient', 'stg_extract__patient']) }}
