{{ config(materialized='scoped', strategy='merge_version') }}
{{ version_model('organization', ['stg_fhir__organization', 'stg_extract__organization']) }}
