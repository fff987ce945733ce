{{ config(materialized='scoped', strategy='merge_version') }}
{{ version_model('medication_request', ['stg_hl7v2__medication_request', 'stg_fhir__medication_request', 'stg_extract__medication_request']) }}
