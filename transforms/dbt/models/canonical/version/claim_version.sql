{{ config(materialized='scoped', strategy='merge_version') }}
{{ version_model('claim', ['stg_fhir__claim', 'stg_extract__claim']) }}
