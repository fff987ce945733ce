{{ config(materialized='scoped', strategy='merge_version') }}
{{ version_model('service_request', ['stg_hl7v2__service_request', 'stg_fhir__service_request', 'stg_extract__service_request']) }}
