{{ config(materialized='scoped', strategy='merge_version') }}
{{ version_model('location', ['stg_hl7v2__location', 'stg_fhir__location', 'stg_extract__location']) }}
