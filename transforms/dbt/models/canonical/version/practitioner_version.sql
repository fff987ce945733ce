{{ config(materialized='scoped', strategy='merge_version') }}
{{ version_model('practitioner', ['stg_fhir__practitioner', 'stg_extract__practitioner']) }}
