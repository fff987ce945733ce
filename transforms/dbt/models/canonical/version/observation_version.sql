{{ config(materialized='scoped', strategy='merge_version') }}
{{ version_model('observation', ['stg_hl7v2__observation', 'stg_fhir__observation', 'stg_extract__observation']) }}
